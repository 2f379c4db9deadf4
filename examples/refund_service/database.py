"""SQLite or PostgreSQL behind one method. Each statement is a transaction of its own."""

import asyncio
import re
import sqlite3
from pathlib import Path
from typing import Any, Protocol

import psycopg
from psycopg.rows import DictRow, dict_row

Row = dict[str, Any]


class Taken(Exception):
    """A unique index stands against it."""


class Database(Protocol):
    async def run(self, statement: str, **values: object) -> list[Row]:
        """The rows that come back; values are named `:like_this`. Raises Taken."""
        ...

    async def close(self) -> None: ...


class Sqlite:
    """A file, through one connection in a thread; every commit is on disk before it returns."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self._db.row_factory = sqlite3.Row
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")
        self._one = asyncio.Lock()

    async def run(self, statement: str, **values: object) -> list[Row]:
        async with self._one:
            return await asyncio.shield(asyncio.to_thread(self._run, statement, values))

    def _run(self, statement: str, values: dict[str, object]) -> list[Row]:
        try:
            return [dict(row) for row in self._db.execute(statement, values).fetchall()]
        except sqlite3.IntegrityError as error:
            raise Taken from error

    async def close(self) -> None:
        async with self._one:
            self._db.close()


class Postgres:
    """A server, through one connection per process that is made anew when it broke."""

    def __init__(self, url: str) -> None:
        self._url, self._one = url, asyncio.Lock()
        self._db: psycopg.AsyncConnection[DictRow] | None = None

    async def run(self, statement: str, **values: object) -> list[Row]:
        async with self._one:
            if self._db is None or self._db.closed:
                self._db = await psycopg.AsyncConnection.connect(self._url, autocommit=True, row_factory=dict_row)
            try:
                cursor = await self._db.execute(re.sub(r":(\w+)", r"%(\1)s", statement).encode(), values)
            except psycopg.errors.UniqueViolation as error:
                raise Taken from error
            return await cursor.fetchall() if cursor.description else []

    async def close(self) -> None:
        async with self._one:
            if self._db is not None:
                await self._db.close()


def connect(url: str) -> Database:
    return Postgres(url) if url.startswith(("postgresql:", "postgres:")) else Sqlite(Path(url))
