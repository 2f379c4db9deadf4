"""An older database becomes today's, and a newer one is left alone."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

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
    assert versions(database_url) == [2, 3]
    monkeypatch.undo()
    with pytest.raises(ConfigurationError, match="has version 3, this release knows 2"):
        async with track(database_url):
            pass


def test_many_may_migrate_at_once(database_url: str) -> None:
    engines = [schema.open_engine(database_url) for _ in range(6)]
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(schema.migrate, engines))
    assert versions(database_url) == [2]
    assert Listing(engines[0]).counts() == {}
    for engine in engines:
        engine.dispose()


def test_a_database_of_no_release_is_told_plainly(sqlite_url: str) -> None:
    engine = schema.open_engine(sqlite_url)
    with engine.begin() as c:
        c.execute(sa.text("create table atlas_refund_schema (version integer)"))
        c.execute(sa.text("insert into atlas_refund_schema values (1)"))
    with pytest.raises(ConfigurationError, match="which no release ever had"):
        schema.migrate(engine)
    engine.dispose()


def test_a_transaction_on_sqlite_locks_before_it_reads(sqlite_url: str, tmp_path: Path) -> None:
    """A claim reads what is due and then writes who is at it: nobody may do the same in between."""
    engine = schema.open_engine(sqlite_url)
    other = sqlite3.connect(tmp_path / "refunds.db", timeout=0)
    with schema.transaction(engine), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("begin immediate")
    other.close()
    engine.dispose()


def test_reading_locks_nothing(sqlite_url: str, tmp_path: Path) -> None:
    engine = schema.open_engine(sqlite_url)
    schema.migrate(engine)
    with schema.transaction(engine):
        assert Listing(engine).counts() == {}
    engine.dispose()


def test_who_may_not_make_tables_enters_all_the_same(postgres_url: str) -> None:
    """A role with rights on rows only, as operations give it to a service."""
    owner = schema.open_engine(postgres_url)
    schema.migrate(owner)
    with owner.begin() as c:
        c.execute(sa.text("create role clerk login"))
        c.execute(sa.text("grant select, insert, update, delete on all tables in schema public to clerk"))
    try:
        clerk = sa.make_url(postgres_url).set(username="clerk").render_as_string()
        engine = schema.open_engine(clerk)
        schema.migrate(engine)
        schema.must_be_current(engine)
        with pytest.raises(exc.ProgrammingError, match="permission denied"), schema.transaction(engine) as (c, _):
            c.execute(sa.text("create table other (a integer)"))
        engine.dispose()
    finally:
        with owner.begin() as c:
            c.execute(sa.text("drop owned by clerk"))
            c.execute(sa.text("drop role clerk"))
        owner.dispose()


async def test_tables_that_are_not_there_are_not_made_where_that_is_not_wanted(database_url: str, track: Track) -> None:
    with pytest.raises(ConfigurationError, match="migrate"):
        async with track(database_url, migrate=False):
            pass
    schema.migrate(engine := schema.open_engine(database_url))
    engine.dispose()
    async with track(database_url, migrate=False) as tracker:
        assert await tracker.counts() == {}


def test_what_is_written_is_on_disk_whatever_the_server_says(postgres_url: str) -> None:
    engine = schema.open_engine(postgres_url)
    with engine.begin() as c:
        name = c.execute(sa.text("select current_database()")).scalar_one()
        c.execute(sa.text(f'alter database "{name}" set synchronous_commit = off'))
    engine.dispose()
    with schema.transaction(engine) as (c, _):
        assert c.execute(sa.text("show synchronous_commit")).scalar_one() == "on"
    with schema.transaction(engine, durable=False) as (c, _):
        assert c.execute(sa.text("show synchronous_commit")).scalar_one() == "off"
    engine.dispose()
