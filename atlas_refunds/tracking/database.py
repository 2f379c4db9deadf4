"""Calls of the database from async code: in threads, and as long as it takes where nothing may be lost."""

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain, repeat
from typing import Final, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy import exc

from ..errors import AtlasRefundsError
from .notices import Kind, Notices

P = ParamSpec("P")
T = TypeVar("T")

OUTAGES: Final = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)
"""The database is away, its disk is full, or it is too busy."""
PAUSES: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds; the last one again and again


class TrackerUnavailableError(AtlasRefundsError):
    """The tracking database cannot be used now. Nothing was sent; repeat the call with the same key."""


class Database:
    """Runs blocking calls, notices when the database goes away, and when it is back."""

    def __init__(self, engine: sa.Engine, notices: Notices, threads: int = 16) -> None:
        self.engine = engine
        self._notices = notices
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="atlas-refunds-db")
        self._lost = False

    async def once(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Raises TrackerUnavailableError when the database cannot be used."""
        with self.needed():
            return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: call(*args, **kwargs))

    @contextmanager
    def needed(self) -> Generator[None]:
        """Within it an outage becomes TrackerUnavailableError, and is noticed, and so is its end."""
        cause = ""
        try:
            yield
        except OUTAGES as error:
            cause = type(getattr(error, "orig", None) or error).__name__
        if cause:
            if not self._lost:
                self._notices(Kind.DATABASE_LOST, f"{cause}; everything waits until it is back")
            self._lost = True
            raise TrackerUnavailableError(f"the tracking database cannot be used now ({cause}); nothing was sent")
        if self._lost:
            self._lost = False
            self._notices(Kind.DATABASE_BACK, "everything goes on")

    async def surely(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Waits for the database as long as it is away. `call` has to be repeatable."""
        for pause in chain(PAUSES, repeat(PAUSES[-1])):
            try:
                return await self.once(call, *args, **kwargs)
            except TrackerUnavailableError:
                await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Blocks until calls under way have ended."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self.engine.dispose()
