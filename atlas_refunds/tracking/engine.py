"""The engine: it claims what is due by the database's clock, and runs it; and it writes what ended, together.

There is one truth about what is due, the row itself, so nothing is compared and nothing can be lost between two.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, Generic, TypeVar
from uuid import uuid4

from .database import Database
from .notices import Health, Kind, Notices
from .store import Claimed, Ended, Settled, Store

T = TypeVar("T")

AT_ONCE: Final = 100  # looks of one worker, and as many calls of its handler
IDLE: Final = 0.25  # seconds between two looks at the database while nothing is due
BREATH: Final = 0.2  # seconds between two claims, so that they are batches
MOST: Final = 200  # rows written in one transaction
UPKEEP: Final = 15.0  # seconds between two rounds
CLOCKS_AGREE: Final = 30.0  # seconds
PAGE: Final = 500


class Queue(Generic[T]):
    """One kind of due rows: claimed in batches, each served by a task of its own."""

    def __init__(
        self,
        database: Database,
        notices: Notices,
        wait: Callable[[], float | None],
        claim: Callable[[str, int], Claimed[T]],
        serve: Callable[[T, str, datetime], Awaitable[object]],
    ) -> None:
        self._database, self._notices = database, notices
        self._wait, self._claim, self._serve = wait, claim, serve
        self.running: set[asyncio.Task[None]] = set()
        self._stirred, self._stopped = asyncio.Event(), False
        self.claimed_at = time.monotonic()

    def stir(self) -> None:
        """Something may be due now."""
        self._stirred.set()

    def stop(self) -> None:
        """Claim no more. What is being claimed is still served, or it would be held by nobody."""
        self._stopped = True
        self.stir()

    async def work(self) -> None:
        while not self._stopped:
            self._stirred.clear()
            try:
                pause = await self._round()
            except Exception as error:
                self._notices(Kind.FAULT, f"engine: {type(error).__name__}", error=error)
                pause = UPKEEP
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stirred.wait()

    async def _round(self) -> float:
        """Begin what is due; for how long to rest then, in seconds."""
        free = AT_ONCE - len(self.running)
        if not free:
            return BREATH
        wait = await self._database.surely(self._wait)
        self.claimed_at = time.monotonic()
        if wait is None or wait > 0:
            return IDLE if wait is None else min(IDLE, max(BREATH, wait))
        self._begin(await self._database.surely(self._claim, uuid4().hex, free))
        return BREATH

    def _begin(self, claimed: Claimed[T]) -> None:
        if claimed.taken_over:
            self._notices(Kind.TAKEN_OVER, f"{claimed.taken_over} refunds of workers that died")
        for row, turn in claimed.rows:
            task = asyncio.create_task(self._run(row, claimed.by, claimed.now, turn))
            self.running.add(task)
            task.add_done_callback(self.running.discard)

    async def _run(self, row: T, by: str, now: datetime, turn: float) -> None:
        if turn > 0:
            await asyncio.sleep(turn)
        try:
            await self._serve(row, by, now)
        except Exception as error:  # its hold ends some time
            self._notices(Kind.FAULT, type(error).__name__, error=error)


class Batch:
    """Writes what ended at about the same time in one transaction."""

    def __init__(self, database: Database, settle: Callable[[Sequence[Ended]], list[Settled]]) -> None:
        self._database, self._settle = database, settle
        self._waiting: list[tuple[Ended, asyncio.Future[Settled]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def __call__(self, ended: Ended) -> Settled:
        """What became of it, as soon as it is on disk; as long as that takes."""
        future: asyncio.Future[Settled] = asyncio.get_running_loop().create_future()
        self._waiting.append((ended, future))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return await future

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            await self._write_one(batch)

    async def _write_one(self, batch: "Sequence[tuple[Ended, asyncio.Future[Settled]]]") -> None:
        try:
            done = await self._database.surely(self._settle, [ended for ended, _ in batch])
        except Exception as error:
            for one in batch if len(batch) > 1 else ():  # one of them is at fault: each for itself
                await self._write_one([one])
            tell(batch[0][1], error)
            return
        for (_, future), settled in zip(batch, done, strict=True):
            tell(future, settled)


def tell(future: "asyncio.Future[Settled]", what: Settled | Exception) -> None:
    if future.done():  # who waited is gone
        return
    if isinstance(what, Exception):
        future.set_exception(what)
    else:
        future.set_result(what)


class Upkeep:
    """The rounds of one worker: old refunds are forgotten, clocks compared, health measured."""

    def __init__(
        self,
        database: Database,
        store: Store,
        health: Callable[[], Health],
        now: Callable[[], datetime],
        notices: Notices,
    ) -> None:
        self._database, self._store, self._health, self._now = database, store, health, now
        self._notices, self._warned = notices, False

    async def work(self) -> None:
        """Until cancelled."""
        number = 0
        while True:
            try:
                await self._round(thorough=number % 240 == 0)
            except Exception as error:
                self._notices(Kind.FAULT, f"upkeep: {type(error).__name__}", error=error)
            number += 1
            await asyncio.sleep(UPKEEP)

    async def _round(self, *, thorough: bool) -> None:
        off = time.time() - (await self._database.surely(self._now)).timestamp()
        if abs(off) > CLOCKS_AGREE and not self._warned:
            self._warned = True
            self._notices(Kind.CLOCKS_DIFFER, f"this machine's is {off:+.0f} s off the database's")
        if self._notices.wants_health:
            self._notices.health(await self._database.surely(self._health))
        while thorough and await self._database.surely(self._store.purge, PAGE) > 0:
            pass


class Engine:
    """What a worker does beside what callers ask of it."""

    def __init__(self, queues: Sequence[Queue[Any]], upkeep: Upkeep) -> None:
        self._queues, self._upkeep = queues, upkeep
        self._loops: list[asyncio.Task[None]] = []
        self._keeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._loops = [asyncio.create_task(queue.work()) for queue in self._queues]
        self._keeping = asyncio.create_task(self._upkeep.work())

    def stir(self) -> None:
        """Something may be due now."""
        for queue in self._queues:
            queue.stir()

    @property
    def idle_for(self) -> float:
        """Seconds since a queue last looked into the database, that of the queue which did so longest ago."""
        return time.monotonic() - min(queue.claimed_at for queue in self._queues)

    @property
    def under_way(self) -> set[asyncio.Task[None]]:
        return {task for queue in self._queues for task in queue.running} | {
            loop for loop in self._loops if not loop.done()
        }

    def stop(self) -> None:
        """Claim no more."""
        for queue in self._queues:
            queue.stop()
        if self._keeping is not None:
            self._keeping.cancel()
