"""An event loop, and a clock of the package, for which time passes a hundred times as fast, or as `SPEED` says.

So callers run with time limits and waits as in production, and a campaign over hours lasts minutes.
"""

import asyncio
import selectors
import time
from datetime import UTC, datetime, timedelta

SPEED = 100
START = datetime(2026, 1, 1, tzinfo=UTC)


class FastSelector(selectors.DefaultSelector):
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(timeout if timeout is None else timeout / SPEED)


class FastLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        super().__init__(FastSelector())

    def time(self) -> float:
        return super().time() * SPEED


class FastClock:
    """The same time for every process of this machine."""

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return time.monotonic() * SPEED

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
