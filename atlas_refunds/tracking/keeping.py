"""Upkeep, by every worker: dead workers' refunds go on, ended jobs are deleted, no refund is left without a job."""

import asyncio
import time
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Final

from .database import Database
from .engine import Engine
from .listing import Listing
from .notices import Kind, Notices
from .policy import Policy
from .records import Tracked
from .store import Store

LONGEST_PAUSE: Final = 60.0  # seconds between two rounds
THOROUGH: Final = timedelta(hours=1).total_seconds()
ENDED_KEPT: Final = 600.0  # seconds that a job which ended is kept
CLOCKS_AGREE: Final = 30.0  # seconds
LATE: Final = 30.0  # seconds after which a job that was not woken is
PAGE: Final = 500


class Keeper:
    """The rounds of one worker."""

    def __init__(
        self, store: Store, listing: Listing, engine: Engine, database: Database, policy: Policy, notices: Notices
    ) -> None:
        self._store, self._listing, self._engine, self._database = store, listing, engine, database
        self._hold, self._notices = policy.hold.total_seconds(), notices
        self._warned = False

    async def keep(self) -> None:
        """Until cancelled."""
        pause, thorough_at = min(LONGEST_PAUSE, self._hold / 2), float("-inf")
        while True:
            try:
                now = await self._database.surely(self._listing.now)
                await self._round(now)
                if time.monotonic() - thorough_at > THOROUGH:
                    await self._compare(before=None)
                    while await self._database.surely(self._store.purge, PAGE):
                        pass
                    thorough_at = time.monotonic()
            except Exception as error:
                self._notices(Kind.FAULT, f"upkeep: {type(error).__name__}", error=error)
            await asyncio.sleep(pause)

    async def _round(self, now: float) -> None:
        off = time.time() - now
        if abs(off) > CLOCKS_AGREE and not self._warned:
            self._warned = True
            self._notices(Kind.CLOCKS_DIFFER, f"this machine's is {off:+.0f} s off the database's")
        if names := await self._database.surely(self._engine.resume, now - self._hold):
            self._notices(Kind.TAKEN_OVER, f"{len(names)} refunds of workers that died")
        await self._compare(before=now - LATE)
        while await self._database.surely(self._engine.forget, now - ENDED_KEPT):
            pass

    async def _compare(self, *, before: float | None) -> None:
        """With the engine's jobs, which may wait by a clock that is slow, or be gone."""
        repaired = 0
        async for rows in self._scheduled(before=before):
            if before is not None:
                await self._database.surely(self._engine.hasten, rows)
            if lacking := await self._database.surely(self._engine.lacking, rows):
                repaired += await self._database.surely(self._store.reschedule, lacking)
        if repaired:
            self._notices(Kind.REPAIRED, f"{repaired} refunds had no job")

    async def _scheduled(self, *, before: float | None) -> AsyncGenerator[list[Tracked]]:
        """All refunds that have a job, by pages."""
        after: str | None = ""
        while after is not None:
            rows = await self._database.surely(self._listing.scheduled, before=before, after=after, limit=PAGE)
            if rows:
                yield rows
            after = rows[-1].key if len(rows) == PAGE else None
