"""What belongs to one event loop: locks, slots, connections. A second loop, or a forked child, has its own."""

import asyncio
import os
from collections.abc import Callable
from typing import Generic, TypeVar

from .errors import ConfigurationError

T = TypeVar("T")


class PerLoop(Generic[T]):
    """A value for each event loop, made when a loop asks first; what a closed loop had is dropped."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._all: dict[tuple[asyncio.AbstractEventLoop, int], T] = {}
        self._last: tuple[asyncio.AbstractEventLoop | None, int, T | None] = (None, 0, None)

    def here(self) -> T:
        """The running loop's. Raises ConfigurationError where none runs."""
        loop, process = running_loop(), os.getpid()
        last_loop, last_process, value = self._last
        if loop is not last_loop or process != last_process or value is None:
            value = self._of(loop, process)
        return value

    def _of(self, loop: asyncio.AbstractEventLoop, process: int) -> T:
        for key in [key for key in tuple(self._all) if key[0].is_closed()]:
            self._all.pop(key, None)  # one step each, for other loops may run in threads beside this
        value = self._all.get((loop, process))
        if value is None:
            value = self._all[loop, process] = self._make()
        self._last = loop, process, value
        return value

    def elsewhere(self) -> list[tuple[asyncio.AbstractEventLoop, T]]:
        """What other loops of this process have, with their loop."""
        here, process = running_loop(), os.getpid()
        others = tuple(self._all.items())
        return [(loop, value) for (loop, pid), value in others if pid == process and loop is not here]

    def clear(self) -> None:
        self._all, self._last = {}, (None, 0, None)


def running_loop() -> asyncio.AbstractEventLoop:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigurationError(
            "no asyncio event loop runs here: await this under asyncio (uvloop and anyio on asyncio too), not under "
            "trio and not from synchronous code"
        ) from None
