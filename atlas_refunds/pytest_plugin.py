"""For the tests of users: a client in front of a local Atlas, and a guard that keeps every client at home.

pytest finds it by itself. Until a fixture is asked for it starts nothing; the fixtures need the extra `[simulator]`.
"""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import pytest

from . import AtlasRefunds, ConfigurationError, Credentials
from .envelope import Answer
from .loading import Own
from .settings import is_loopback
from .transport import Connections, Request

if TYPE_CHECKING:
    from .simulator import Simulator


# ---- the guard -------------------------------------------------------------------------------------------------------
class Guard:
    """Which hosts may be called: loopback always, some in all tests, some in the present one, any with "*"."""

    def __init__(self) -> None:
        self.always: frozenset[str] = frozenset()
        self.now: frozenset[str] = frozenset()

    def check(self, url: str) -> None:
        host = urlsplit(url).hostname or ""
        if not is_loopback(host) and not {host, "*"} & (self.always | self.now):
            raise ConfigurationError(
                f"a test is about to call {host}, and tests call loopback addresses only: take the fixture `atlas`, or "
                f'allow it by @pytest.mark.atlas_hosts("{host}") or, for all tests, by `atlas_hosts = {host}` in the '
                "configuration of pytest; nothing was sent"
            )


class Guarded:
    """Connections of our own, and each request is looked at. A `http_client` of the user's is the user's to guard."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.through = connections.through

    async def send(self, url: str, request: Request) -> Answer:
        GUARD.check(url)
        return await self._connections.send(url, request)

    async def aclose(self) -> None:
        await self._connections.aclose()


GUARD: Final = Guard()
PATCH: Final = pytest.MonkeyPatch()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("atlas_hosts", "hosts beside loopback that clients of atlas_refunds may call in tests", "args", [])


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "atlas_hosts(*hosts): clients of atlas_refunds may call these hosts too")
    GUARD.always = frozenset(config.getini("atlas_hosts"))
    connect = Own.__call__

    async def guarded(own: Own) -> Connections:
        return Guarded(await connect(own))

    PATCH.setattr(Own, "__call__", guarded)


def pytest_unconfigure() -> None:
    PATCH.undo()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    GUARD.now = frozenset(host for mark in item.iter_markers("atlas_hosts") for host in mark.args)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    GUARD.now = frozenset()


# ---- the fixtures ----------------------------------------------------------------------------------------------------
@pytest.fixture
def atlas_simulator() -> "Simulator":
    """Fresh, with a clock that stands still: `atlas_simulator.clock.advance(timedelta(days=10))`."""
    from .simulator import Clock, Simulator

    return Simulator(clock=Clock(scale=0))


@pytest.fixture
def atlas_simulator_url(atlas_simulator: "Simulator") -> Iterator[str]:
    """`atlas_simulator` on a real socket, in a thread of its own: for sync and async tests alike."""
    from anyio.from_thread import start_blocking_portal

    from .simulator import serve

    with start_blocking_portal() as portal, portal.wrap_async_context_manager(serve(atlas_simulator)) as url:
        yield url


@pytest.fixture
def atlas(atlas_simulator: "Simulator", atlas_simulator_url: str) -> Iterator[AtlasRefunds]:
    """A client of `atlas_simulator`. Weeks pass in milliseconds: each wait of it steps the simulator's clock."""
    from .simulator import CLIENT_ID, CLIENT_SECRET, SteppedTime

    credentials, clock = Credentials(CLIENT_ID, CLIENT_SECRET), SteppedTime(atlas_simulator.clock)
    client = AtlasRefunds(credentials, base_url=atlas_simulator_url, clock=clock)
    yield client
    asyncio.run(client.aclose())
