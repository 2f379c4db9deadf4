"""Upkeep on both databases: jobs of the dead, jobs that are late, jobs that are gone. No worker runs here."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import attrs
import pytest
import sqlalchemy as sa

from atlas_refunds.tracking import Kind, Notice, Policy
from atlas_refunds.tracking.database import Database
from atlas_refunds.tracking.engine import Engine
from atlas_refunds.tracking.keeping import Keeper
from atlas_refunds.tracking.listing import Listing
from atlas_refunds.tracking.notices import Notices
from atlas_refunds.tracking.schema import migrate, open_engine
from atlas_refunds.tracking.store import Store

from .conftest import SECOND
from .test_decisions import POLICY, WAITING
from .test_store import submitted


@attrs.frozen
class Kept:
    """A database with nobody at work, and its upkeep."""

    sql: sa.Engine
    engine: Engine
    store: Store
    listing: Listing
    keeper: Keeper
    notices: list[Notice]

    async def until(self, done: Callable[[], bool]) -> None:
        keeping = asyncio.create_task(self.keeper.keep())
        async with asyncio.timeout(20):
            while not done():
                await asyncio.to_thread(self.listing.now)
        keeping.cancel()

    def job(self, name: str) -> str | None:
        """The status of a job in the engine's own table."""
        with self.sql.connect() as c:
            query = f"select status from {self.jobs} where workflow_uuid = :name"  # noqa: S608
            return c.execute(sa.text(query), {"name": name}).scalar()

    def spoil(self, change: str) -> None:
        with self.sql.begin() as c:
            c.execute(sa.text(change.replace("JOBS", self.jobs)))

    @property
    def jobs(self) -> str:
        return "workflow_status" if self.sql.dialect.name == "sqlite" else "atlas_refunds_engine.workflow_status"


@asynccontextmanager
async def kept(url: str, policy: Policy = POLICY) -> AsyncGenerator[Kept]:
    notices: list[Notice] = []
    told, sql = Notices(notices.append), open_engine(url)
    database, engine = Database(sql, told), Engine(sql)
    store, listing = Store(sql, policy, engine.enqueue), Listing(sql)
    migrate(sql)
    engine.migrate()
    try:
        yield Kept(sql, engine, store, listing, Keeper(store, listing, engine, database, policy, told), notices)
    finally:
        await asyncio.to_thread(database.close)
        engine.close()


async def test_jobs_of_the_dead_are_taken_over(database_url: str) -> None:
    async with kept(database_url) as here:
        here.store.insert(WAITING, "me")
        old = int((time.time() - POLICY.hold.total_seconds() - 5) * 1000)
        here.spoil(f"update JOBS set status = 'PENDING', started_at_epoch_ms = {old}")  # noqa: S608
        await here.until(lambda: bool(here.notices))
        assert [notice.kind for notice in here.notices] == [Kind.TAKEN_OVER]
        assert here.job("k/1") == "ENQUEUED"


async def test_a_late_job_is_woken_and_a_lost_one_replaced(database_url: str) -> None:
    async with kept(database_url) as here:
        for key in ("late", "lost"):
            submitted(here.store, key)
            here.store.take(key, None, "w")
            while (change := here.store.next_change(key, "w")) is not None:
                here.store.handled(change, None)
            here.store.release(key, "w")
        with here.sql.begin() as c:
            c.execute(sa.text("update atlas_refund set due = due - 100000"))
        here.spoil("delete from JOBS where workflow_uuid like 'lost/%'")
        await here.until(lambda: bool(here.notices))
        assert [notice.kind for notice in here.notices] == [Kind.REPAIRED]
        assert here.job("lost/4") is not None
        with here.sql.connect() as c:
            query = f"select delay_until_epoch_ms from {here.jobs} where workflow_uuid = 'late/3'"  # noqa: S608
            assert c.execute(sa.text(query)).scalar() == 0


async def test_what_ended_is_deleted(database_url: str) -> None:
    async with kept(database_url, attrs.evolve(POLICY, keep=0.001 * SECOND)) as here:
        submitted(here.store)
        here.spoil("update JOBS set status = 'SUCCESS', completed_at = 1")
        with here.sql.begin() as c:
            c.execute(sa.text("update atlas_refund set step = 'final', due = null"))
            c.execute(sa.text("update atlas_refund_change set handled_at = 1"))
        await here.until(lambda: here.job("k/1") is None and here.listing.find("k") is None)
        assert here.notices == []


async def test_a_wrong_clock_is_told_once(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with kept(sqlite_url, attrs.evolve(POLICY, hold=0.02 * SECOND)) as here:
        real = time.time
        monkeypatch.setattr("atlas_refunds.tracking.keeping.time.time", lambda: real() + 300)
        await here.until(lambda: bool(here.notices))
        assert [(notice.kind, notice.text) for notice in here.notices] == [
            (Kind.CLOCKS_DIFFER, "this machine's is +300 s off the database's")
        ]


async def test_upkeep_survives_what_nobody_foresaw(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with kept(sqlite_url) as here:
        monkeypatch.setattr(here.engine, "resume", lambda begun_before: 1 / 0)
        await here.until(lambda: bool(here.notices))
        assert [(notice.kind, notice.text) for notice in here.notices] == [(Kind.FAULT, "upkeep: ZeroDivisionError")]


def test_a_listener_that_fails_disturbs_nothing() -> None:
    def broken(notice: Notice) -> None:
        raise RuntimeError

    Notices(broken)(Kind.FAULT, "told all the same")
