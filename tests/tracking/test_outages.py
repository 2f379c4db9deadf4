"""The database goes away, is full, is locked or is broken: nothing is lost, and one notice says so."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs
import psycopg
import pytest
import sqlalchemy as sa
from psycopg import errors
from sqlalchemy import event

from atlas_refunds import AtlasRefunds, Credentials, OrderNo, RetryPolicy, Submission, SubmitResult
from atlas_refunds.simulator import CLIENT_ID, CLIENT_SECRET, Simulator
from atlas_refunds.tracking import Step, Tracked, Tracker, TrackerUnavailableError
from atlas_refunds.tracking.database import reason
from atlas_refunds.tracking.schema import open_engine
from tests.chaos.procedure import PEOPLE

from .conftest import HURRY, IMPATIENT, Heard, Track
from .listening import Listener
from .postgres import Cluster, connection_to, fresh_database, pooled, pooler
from .proxy import Proxy, proxy


async def test_postgresql_goes_away_and_comes_back(
    cluster: Cluster, track: Track, atlas: AtlasRefunds, simulator: Simulator, heard: Heard
) -> None:
    """One refund is being followed, another's answer arrives while there is nowhere to write it down."""
    listener = Listener()
    with fresh_database(cluster.url) as url:
        async with track(url, on_change=listener) as tracker:
            await tracker.submit(await atlas.quote(OrderNo("SIM-REFUNDED.1"), PEOPLE), key="followed")
            simulator.faults.set(delay_seconds=0.5, rates={"submit": {"delayed": 1.0}})
            quote = await atlas.quote(OrderNo("SIM-REFUNDED.2"), PEOPLE)
            submitting = asyncio.create_task(tracker.submit(quote, key="answered"))
            while not simulator.ledger.refunds("SIM-REFUNDED.2"):
                await tracker.counts()
            await asyncio.to_thread(cluster.stop)
            refused = await atlas.quote(OrderNo("SIM-REFUNDED.3"), PEOPLE)
            with pytest.raises(TrackerUnavailableError, match="nothing was sent"):
                await tracker.submit(refused, key="refused")
            assert simulator.ledger.refunds("SIM-REFUNDED.3") == []
            await asyncio.to_thread(cluster.start)
            assert (await submitting).step is Step.FOLLOWED
            assert all(call.is_refunded for call in (await listener.until_final(2)) if call.is_final)
        kinds = [kind for kind in heard.kinds if kind.startswith("database")]
        assert kinds == ["database lost", "database back"] * (len(kinds) // 2)
        assert kinds


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql://postgres:secret-0815@127.0.0.1:1/none", "connection refused"),
        ("sqlite:////nowhere/at/all.db", "SQLITE_CANTOPEN"),
        (f"sqlite:///{__file__}", "SQLITE_NOTADB"),
    ],
)
async def test_a_database_that_cannot_be_used_is_one_typed_error_with_a_reason(
    url: str, why: str, track: Track
) -> None:
    with pytest.raises(TrackerUnavailableError, match=why) as caught:
        async with track(url):
            pass
    assert "secret" not in str(caught.value)


READ_ONLY = "alter database {name} set default_transaction_read_only = {}"


@pytest.mark.parametrize(
    ("trouble", "remedy", "code"),
    [
        (READ_ONLY.replace("{}", "on"), READ_ONLY.replace("{}", "off"), "25006 ReadOnlySqlTransaction"),
        ("alter table atlas_refund rename to gone", "alter table gone rename to atlas_refund", "42P01 UndefinedTable"),
    ],
)
async def test_what_passes_by_itself_is_an_outage_with_its_code(
    trouble: str, remedy: str, code: str, postgres_url: str, track: Track, atlas: AtlasRefunds, simulator: Simulator
) -> None:
    """A failover makes the primary read-only, a restore takes tables away: answers under way wait, callers are told."""

    def change(how: str) -> None:
        admin = connection_to(postgres_url)
        with admin.connect() as c:
            c.execute(sa.text("set default_transaction_read_only = off"))
            name = c.execute(sa.text("select current_database()")).scalar_one()
            c.execute(sa.text(how.format(name=name)))
            others = "select pg_terminate_backend(pid) from pg_stat_activity where datname = :name"
            c.execute(sa.text(f"{others} and pid <> pg_backend_pid()"), {"name": name})  # settings are a session's
        admin.dispose()

    simulator.faults.set(delay_seconds=0.5, rates={"submit": {"delayed": 1.0}})
    async with track(postgres_url, work=False) as tracker:
        quote = await atlas.quote(OrderNo("SIM-REFUNDED.1"), PEOPLE)
        other = await atlas.quote(OrderNo("SIM-REFUNDED.2"), PEOPLE)
        submitting = asyncio.create_task(tracker.submit(quote, key="answered"))
        while not simulator.ledger.refunds("SIM-REFUNDED.1"):
            await tracker.counts()
        await asyncio.to_thread(change, trouble)
        with pytest.raises(TrackerUnavailableError, match=code):
            await tracker.submit(other, key="refused")
        assert simulator.ledger.refunds("SIM-REFUNDED.2") == []
        await asyncio.to_thread(change, remedy)
        assert (await submitting).step is Step.FOLLOWED


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (errors.InsufficientPrivilege("row (ZHAO)"), "42501 InsufficientPrivilege"),
        (errors.TooManyConnections("no"), "53300 TooManyConnections"),
        (errors.DiskFull("no"), "53100 DiskFull"),
        (errors.DeadlockDetected("no"), "40P01 DeadlockDetected"),
        (errors.UniqueViolation("row (ZHAO)"), None),
        (errors.UndefinedColumn("no"), None),
        (psycopg.OperationalError('password authentication failed for user "a"'), "OperationalError: 28P01 Inva"),
        (psycopg.OperationalError("something else"), "OperationalError"),
    ],
)
def test_a_reason_is_a_code_and_never_what_the_driver_says(error: Exception, why: str | None) -> None:
    wrapped = sa.exc.DBAPIError.instance("insert", {}, error, psycopg.Error)
    found = reason(wrapped)
    assert (found or "").startswith(why or "")
    assert (found is None) == (why is None)


# ---- in between ------------------------------------------------------------------------------------------------------
async def test_a_partition_does_not_make_a_refund_be_sent_twice(
    postgres_url: str, track: Track, atlas: AtlasRefunds, simulator: Simulator, atlas_url: str
) -> None:
    """A worker is cut off before it could send, and says so when another has sent, and lost the answer."""
    there, base = sa.make_url(postgres_url), urlsplit(atlas_url)
    account = await atlas.account()
    async with proxy(there.port or 5432) as to_database, proxy(base.port or 80) as to_atlas:
        cut_off = there.set(port=to_database.port).render_as_string(hide_password=False)
        async with (
            AtlasRefunds(Credentials(CLIENT_ID, CLIENT_SECRET), base_url=f"http://127.0.0.1:{to_atlas.port}",
                         guard=CutBefore(to_atlas, to_database), retry=RetryPolicy(attempts=1)) as far,
            track(cut_off, client=far, account=account, work=False, policy=IMPATIENT) as front,
            track(postgres_url, policy=attrs.evolve(IMPATIENT, resubmit=True)) as worker,
        ):  # fmt: skip
            quote = await atlas.quote(OrderNo("SIM-REFUNDED+lost_answer"), PEOPLE)
            submitting = asyncio.create_task(front.submit(quote, key="a"))
            async with asyncio.timeout(30):
                while not simulator.ledger.refunds("SIM-REFUNDED+lost_answer"):
                    await worker.counts()
            to_database.heal()
            assert (await submitting).step in (Step.UNCLEAR, Step.FOLLOWED, Step.FINAL)
            async with asyncio.timeout(30):
                while (await worker.show("a"))[0].step is not Step.FINAL:
                    await worker.counts()
            row, changes = await worker.show("a")
    assert (row.attempt, len(simulator.ledger.refunds("SIM-REFUNDED+lost_answer"))) == (2, 1)
    assert [change.is_final for change in changes].count(True) == 1


@attrs.frozen
class CutBefore:
    """A guard, so that the cut comes after the intent is on disk and before the first byte."""

    atlas: Proxy
    database: Proxy

    async def before(self, submission: Submission) -> None:
        self.atlas.cut()
        self.database.cut()

    async def after(self, submission: Submission, result: SubmitResult) -> None: ...


async def test_pgbouncer_in_transaction_mode(
    cluster: Cluster, tmp_path: Path, track: Track, atlas: AtlasRefunds, heard: Heard
) -> None:
    if (program := pooler()) is None:
        pytest.skip("pgbouncer is not installed")
    listener = Listener()
    with fresh_database(cluster.url) as url, pooled(program, cluster, tmp_path) as port:
        through = sa.make_url(url).set(port=port).render_as_string(hide_password=False)
        async with track(through, on_change=listener, work=False) as front, track(through, on_change=listener):
            quotes = [await atlas.quote(OrderNo(f"SIM-REJECTED.{number}"), PEOPLE) for number in range(20)]
            rows = await asyncio.gather(*(front.submit(quote, key=str(n)) for n, quote in enumerate(quotes)))
            assert {row.step for row in rows} == {Step.FOLLOWED}
            await listener.until_final(20)
    assert heard.kinds == []


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Pages that a SQLite file may have, for every connection from its next transaction on."""
    room = {"pages": 1_000_000}

    def opened(url: str) -> sa.Engine:
        engine = open_engine(url)

        def limit(connection: sa.Connection, cursor: Any, statement: str, *_: object) -> None:
            if statement.startswith(("begin", "SELECT", "select")):
                cursor.execute(f"pragma max_page_count={room['pages']}").fetchall()

        event.listen(engine, "before_cursor_execute", limit)
        return engine

    monkeypatch.setattr("atlas_refunds.tracking.tracker.open_engine", opened)
    return room


async def test_a_full_disk_delays_and_loses_nothing(
    sqlite_url: str, room: dict[str, int], track: Track, atlas: AtlasRefunds, simulator: Simulator, heard: Heard
) -> None:
    listener = Listener()
    async with track(sqlite_url, on_change=listener) as tracker:
        await tracker.submit(await atlas.quote(OrderNo("SIM-REFUNDED.0"), PEOPLE), key="before")
        room["pages"] = 1  # SQLite takes the present size
        submits: list[asyncio.Task[Tracked]] = []
        while "database lost" not in heard.kinds:
            quote = await atlas.quote(OrderNo(f"SIM-REFUNDED.{len(submits) + 1}"), PEOPLE)
            submits.append(asyncio.create_task(tracker.submit(quote, key=f"during {len(submits)}")))
            while not submits[-1].done() and "database lost" not in heard.kinds:
                await tracker.counts()
        room["pages"] = 1_000_000
        results = await asyncio.gather(*submits, return_exceptions=True)
        taken = [result for result in results if isinstance(result, Tracked)]
        calls = await listener.until_final(1 + len(taken))
        assert {call.key for call in calls if call.is_refunded} == {"before", *(row.key for row in taken)}
        assert "database back" in heard.kinds
    assert [result for result in results if not isinstance(result, Tracked | TrackerUnavailableError)] == []
    assert [len(refunds) for refunds in simulator.ledger.by_order().values()] == [1] * (1 + len(taken))


async def test_a_locked_file_is_waited_for(sqlite_url: str, track: Track, atlas: AtlasRefunds, tmp_path: Path) -> None:
    listener = Listener()
    async with track(sqlite_url, on_change=listener) as tracker:
        with sqlite3.connect(tmp_path / "refunds.db", isolation_level=None) as other:
            other.execute("begin immediate")
            quote = await atlas.quote(OrderNo("SIM-REJECTED"), PEOPLE)
            submitting = asyncio.create_task(tracker.submit(quote, key="a"))
            await asyncio.wait([submitting], timeout=0.5)
            assert not submitting.done()
            other.execute("rollback")
        assert (await submitting).step is Step.FOLLOWED
        assert (await listener.until_final())[-1].is_final


async def test_what_the_database_says_holds_no_name(sqlite_url: str, atlas: AtlasRefunds, heard: Heard) -> None:
    async with Tracker(atlas, url=sqlite_url, policy=HURRY, work=False, on_notice=heard.notices.append) as tracker:
        engine = open_engine(sqlite_url)
        with engine.begin() as c:
            c.execute(sa.text("create trigger stop before insert on atlas_refund begin select raise(abort, 'no'); end"))
        engine.dispose()
        quote = await atlas.quote(OrderNo("SIM-REJECTED"), PEOPLE)
        with pytest.raises(Exception, match=r"no") as caught:
            await tracker.submit(quote, key="a")
        assert "ZHAO" not in str(caught.value) + repr(caught.value)
