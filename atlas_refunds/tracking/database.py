"""Calls of the database from async code: in threads, and as long as it takes where nothing may be lost."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, repeat
from typing import Final, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy import exc

from ..errors import AtlasRefundsError, ConfigurationError
from .notices import Kind, Notices

P = ParamSpec("P")
T = TypeVar("T")

OUTAGES: Final = ("08", "25006", "28", "3D000", "40", "42501", "42P01", "53", "55", "57", "58")
"""SQLSTATEs, or their classes, that pass: connections, a primary that became read-only, credentials, a database, tables
or rights that are missing during a restore, deadlocks, no room, locks, an operator at work, the disk."""
SPOKEN: Final = {
    "password authentication failed": "28P01 InvalidPassword",
    "too many clients": "53300 TooManyConnections",
    "remaining connection slots": "53300 TooManyConnections",
    "does not exist": "no such database or role",
    "Connection refused": "connection refused",
    "timeout expired": "no answer in time",
    "starting up": "57P03 CannotConnectNow",
    "shutting down": "57P03 CannotConnectNow",
    "resolve host name": "no such host",
}
"""What the driver says in words only when it cannot connect; the words themselves name hosts and users."""
PAUSES: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds; the last one again and again


class TrackerUnavailableError(AtlasRefundsError):
    """The tracking database cannot be used now. Nothing was sent; repeat the call with the same key."""


class Database:
    """Runs blocking calls, notices when the database goes away, and when it is back."""

    def __init__(self, engine: sa.Engine, notices: Notices, threads: int = 8) -> None:
        self.engine = engine
        self._notices, self._size = notices, threads
        self._threads: ThreadPoolExecutor | None = None
        self._process = 0
        self._lost = False

    def enter(self) -> None:
        """Calls are for this process, and not for one that is forked from it: connections cannot be shared."""
        self._process = os.getpid()
        self._threads = ThreadPoolExecutor(self._size, thread_name_prefix="atlas-refunds-db")

    async def once(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Raises TrackerUnavailableError when the database cannot be used, ConfigurationError outside `async with`."""
        threads = self._threads
        if threads is None:
            raise ConfigurationError("tracking: use the tracker inside of `async with`")
        if self._process != os.getpid():
            raise ConfigurationError("tracking: this tracker was entered before a fork; enter one in the child")
        try:
            found = await asyncio.get_running_loop().run_in_executor(threads, lambda: call(*args, **kwargs))
        except (exc.SQLAlchemyError, OSError) as error:
            why = reason(error)
            if why is None:
                raise
        else:
            if self._lost:
                self._lost = False
                self._notices(Kind.DATABASE_BACK, "everything goes on")
            return found
        if not self._lost:
            self._lost = True
            self._notices(Kind.DATABASE_LOST, f"{why}; everything waits until it is back")
        raise TrackerUnavailableError(f"the tracking database cannot be used now ({why}); nothing was sent")

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
        threads, self._threads = self._threads, None
        if threads is not None and self._process == os.getpid():
            threads.shutdown(wait=True, cancel_futures=True)
            self.engine.dispose()


def reason(error: Exception) -> str | None:
    """Why the database cannot be used, as a code and a class; None for what is no outage but a fault of ours.

    The driver's own words can hold what stood in a row.
    """
    cause = getattr(error, "orig", None) or error
    name = type(cause).__name__
    code = getattr(cause, "sqlstate", None)
    if code is not None:
        return f"{code} {name}" if code.startswith(OUTAGES) else None
    if isinstance(error, exc.IntegrityError | exc.ProgrammingError | exc.DataError):
        return None
    code = getattr(cause, "sqlite_errorname", None)
    said = next((known for words, known in SPOKEN.items() if words in str(cause)), None)
    return f"{name}: {code or said}" if code or said else name
