"""A handler that remembers, fails when told to, and can be waited for."""

import asyncio
from collections.abc import Callable

from atlas_refunds.tracking import Change


class Listener:
    def __init__(self, fails: Callable[[Change], bool] = lambda change: False) -> None:
        self.calls: list[Change] = []
        self._fails, self._called = fails, asyncio.Event()

    async def __call__(self, change: Change) -> None:
        self.calls.append(change)
        self._called.set()
        if self._fails(change):
            raise RuntimeError("the handler fails, as it was told to")

    async def until(self, wanted: Callable[[list[Change]], bool]) -> list[Change]:
        async with asyncio.timeout(30):
            while not wanted(self.calls):
                self._called.clear()
                await self._called.wait()
        return self.calls

    async def until_final(self, count: int = 1) -> list[Change]:
        return await self.until(lambda calls: len({call.key for call in calls if call.is_final}) >= count)
