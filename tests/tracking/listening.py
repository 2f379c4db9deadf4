"""A handler that remembers, fails when told to, and can be waited for; and waiting for other processes and tasks."""

import asyncio
from collections.abc import Awaitable, Callable

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


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again; what is waited for is on disk, where nothing rings a bell."""
    async with asyncio.timeout(30):
        while not await is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
