"""A database of each kind, a local Atlas, and a tracker that is in a hurry."""

from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import attrs
import pytest

from atlas_refunds import AtlasRefunds, Credentials, PollSchedule, RateLimit, RetryPolicy
from atlas_refunds.simulator import CLIENT_ID, CLIENT_SECRET, Clock, Simulator, serve
from atlas_refunds.simulator.clock import scale_for
from atlas_refunds.tracking import Notice, Policy, Tracker

from .postgres import LISTENING, NONE_FOUND, Cluster, fresh_database, listens, own_cluster, which_server

SECOND = timedelta(seconds=1)
HURRY = Policy(
    schedule=PollSchedule.every(0.3 * SECOND),
    polls_per_second=100,
    hold=20 * SECOND,
    patience=20 * SECOND,
    first_retry=0.05 * SECOND,
    longest_retry=0.4 * SECOND,
    hint_pause=timedelta(),
)
IMPATIENT = attrs.evolve(HURRY, hold=1.5 * SECOND, patience=1.5 * SECOND)
"""Where a test waits until somebody counts as dead, or a submit as absent."""


@pytest.fixture(scope="session")
def own() -> Iterator[Cluster | None]:
    """A PostgreSQL server of our own for the whole run, where it is installed."""
    with own_cluster() as found:
        yield found


@pytest.fixture(scope="session")
def postgres(own: Cluster | None) -> str | None:
    """The address of a PostgreSQL server, if there is one."""
    if own is not None:
        return own.url
    return LISTENING if listens(LISTENING) else None


@pytest.fixture
def cluster(own: Cluster | None) -> Cluster:
    """A server that may be stopped, and is started again."""
    if own is None:
        pytest.skip(NONE_FOUND)
    return own


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Which PostgreSQL the tests of tracking had."""
    terminalreporter.write_line(f"tracking: {which_server()}")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[str]:
    """An empty database of either kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/refunds.db"
        return
    found: str | None = request.getfixturevalue("postgres")
    if found is None:
        pytest.skip(NONE_FOUND)
    with fresh_database(found) as url:
        yield url


@pytest.fixture
def postgres_url(postgres: str | None) -> Generator[str]:
    if postgres is None:
        pytest.skip(NONE_FOUND)
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/refunds.db"


@pytest.fixture
def simulator() -> Simulator:
    """A day lasts 10 ms: the longest refund half a second."""
    return Simulator(clock=Clock(scale=scale_for(0.01)), query_without_code="list")


@pytest.fixture
async def atlas_url(simulator: Simulator) -> AsyncGenerator[str]:
    async with serve(simulator) as url:
        yield url


@pytest.fixture
async def atlas(atlas_url: str) -> AsyncGenerator[AtlasRefunds]:
    credentials, limit = Credentials(CLIENT_ID, CLIENT_SECRET), RateLimit(after_too_many_submits=0.1 * SECOND)
    retry = RetryPolicy(attempts=1)
    async with AtlasRefunds(credentials, base_url=atlas_url, retry=retry, limit=limit) as client:
        yield client


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers look into the database more often than they would in earnest."""
    monkeypatch.setattr("atlas_refunds.tracking.engine.IDLE", 0.05)
    monkeypatch.setattr("atlas_refunds.tracking.engine.BREATH", 0.02)


class Track(Protocol):
    def __call__(
        self, url: str, *, policy: Policy = HURRY, **settings: Any
    ) -> AbstractAsyncContextManager[Tracker]: ...


@attrs.define
class Heard:
    """What operators were told."""

    notices: list[Notice] = attrs.field(factory=list)

    @property
    def kinds(self) -> list[str]:
        return [notice.kind.value for notice in self.notices]


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def track(atlas: AtlasRefunds, heard: Heard) -> Track:
    @asynccontextmanager
    async def tracking(url: str, *, policy: Policy = HURRY, **settings: Any) -> AsyncGenerator[Tracker]:
        client, seconds = settings.pop("client", atlas), settings.pop("seconds", 0)
        tracker = Tracker(client, url=url, policy=policy, on_notice=heard.notices.append, **settings)
        try:
            yield await tracker.__aenter__()
        finally:
            await tracker.aclose(seconds=seconds)

    return tracking
