"""An older database becomes today's, and a newer one is left alone."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from atlas_refunds import AtlasRefunds, ConfigurationError, OrderNo
from atlas_refunds.tracking import schema
from atlas_refunds.tracking.listing import Listing
from tests.chaos.procedure import PEOPLE

from .conftest import Track
from .listening import Listener

NEXT = ("alter table atlas_refund add column colour text", "create index atlas_refund_colour on atlas_refund (colour)")


def versions(url: str) -> list[int]:
    engine = schema.open_engine(url)
    with engine.connect() as c:
        found = [*c.execute(sa.text("select version from atlas_refund_schema order by version")).scalars()]
    engine.dispose()
    return found


async def test_a_new_release_finds_the_old_rows(
    database_url: str, track: Track, atlas: AtlasRefunds, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with track(database_url, work=False) as old:
        await old.submit(await atlas.quote(OrderNo("SIM-REFUNDED"), PEOPLE), key="a")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, NEXT))
    listener = Listener()
    async with track(database_url, on_change=listener):
        assert (await listener.until_final())[-1].is_refunded
    assert versions(database_url) == [1, 2]
    monkeypatch.undo()
    with pytest.raises(ConfigurationError, match="has version 2, this release knows 1"):
        async with track(database_url):
            pass


def test_many_may_migrate_at_once(database_url: str) -> None:
    engines = [schema.open_engine(database_url) for _ in range(6)]
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(schema.migrate, engines))
    assert versions(database_url) == [1]
    assert Listing(engines[0]).counts() == {}
    for engine in engines:
        engine.dispose()


def test_a_transaction_on_sqlite_locks_before_it_reads(sqlite_url: str, tmp_path: Path) -> None:
    """The engine counts what was begun in the last second, then begins more: nobody may do the same in between."""
    engine = schema.open_engine(sqlite_url)
    with engine.begin() as connection, sqlite3.connect(tmp_path / "refunds.db", timeout=0) as other:
        connection.execute(sa.text("select 1"))
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("begin immediate")
    other.close()
    engine.dispose()
