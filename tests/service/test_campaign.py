"""A small campaign of webhooks and kills; `make webhook-campaign` runs it with a thousand refunds."""

import secrets
from collections.abc import AsyncIterator

import psycopg
import pytest
from psycopg import sql

from .campaign import campaign

POSTGRES = "postgresql://postgres@127.0.0.1:5432/test"


async def test_webhooks_lost_doubled_late_and_forged_change_nothing() -> None:
    books = await campaign(refunds=24, kills=0, seed=3, rate=0.3, faults=False)
    assert books.clean, str(books)
    assert {"change", "copy", "forged: another status"} <= set(books.webhooks)


async def test_killed_and_started_again_under_load_nothing_is_lost() -> None:
    books = await campaign(refunds=24, kills=3, seed=4, rate=0.3, faults=True)
    assert books.clean, str(books)
    assert books.kills == 3
    assert books.faults > 0


@pytest.fixture
async def schema() -> AsyncIterator[str]:
    """An empty schema of a PostgreSQL server, as a URL."""
    try:
        server = await psycopg.AsyncConnection.connect(POSTGRES, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        pytest.skip(f"no PostgreSQL at {POSTGRES}: {type(error).__name__}")
    name = sql.Identifier(unquoted := f"service_{secrets.token_hex(6)}")
    async with server:
        await server.execute(sql.SQL("create schema {}").format(name))
        try:
            yield f"{POSTGRES}?options=-csearch_path%3D{unquoted}"
        finally:
            await server.execute(sql.SQL("drop schema {} cascade").format(name))


async def test_the_same_with_postgresql(schema: str) -> None:
    books = await campaign(refunds=16, kills=2, seed=5, rate=0.3, faults=True, database=schema)
    assert books.clean, str(books)
