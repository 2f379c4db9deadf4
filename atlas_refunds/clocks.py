"""Time, in one place, so that a test can hold it still."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the package asks of time. Give your own to test days of waiting in no time."""

    def now(self) -> datetime:
        """The wall clock, aware, UTC: for what survives a restart."""
        ...

    def monotonic(self) -> float:
        """Seconds that only grow: for deadlines in this process."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
