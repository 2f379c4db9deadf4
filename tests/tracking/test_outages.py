"""The database goes away, is full, is locked or is broken: nothing is lost, and one notice says so."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import sqlalchemy as sa
from sqlalchemy import event

from atlas_refunds import AtlasRefunds, OrderNo
from atlas_refunds.simulator import Simulator
from atlas_refunds.tracking import Step, Tracked, Tracker, TrackerUnavailableError
from atlas_refunds.tracking.schema import open_engine
from tests.chaos.procedure import PEOPLE

from .conftest import HURRY, SECOND, Heard, Track
from .listening import Listener
from .postgres import NONE_FOUND, Cluster, fresh_database, own_cluster


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with own_cluster() as found:
        if found is None:
            pytest.skip(NONE_FOUND)
        yield found


async def test_postgresql_goes_away_and_comes_back(
    cluster: Cluster, track: Track, atlas: AtlasRefunds, simulator: Simulator, heard: Heard
) -> None:
    """One refund is being followed, another's answer arrives while there is nowhere to write it down."""
    listener, policy = Listener(), attrs.evolve(HURRY, hold=20 * SECOND, patience=20 * SECOND)
    with fresh_database(cluster.url) as url:
        async with track(url, on_change=listener, policy=policy) as tracker:
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


async def test_a_database_that_cannot_be_reached_is_one_typed_error(track: Track) -> None:
    for url in ("postgresql://postgres:secret-0815@127.0.0.1:1/none", "sqlite:////nowhere/at/all.db"):
        with pytest.raises(TrackerUnavailableError) as caught:
            async with track(url):
                pass
        assert "secret" not in str(caught.value)


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Pages that a SQLite file may have, for every connection from its next transaction on."""
    room = {"pages": 1_000_000}

    def opened(url: str) -> sa.Engine:
        engine = open_engine(url)

        def limit(connection: sa.Connection, cursor: Any, statement: str, *_: object) -> None:
            if statement.startswith(("begin", "BEGIN", "SELECT", "select")):
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
