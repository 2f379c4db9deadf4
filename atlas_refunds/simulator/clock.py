"""Simulated time: a refund of seven weeks in under a minute, or a clock that stands still until it is stepped."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

START = datetime(2025, 5, 12, 10, 6, tzinfo=UTC)
"""When the order of the published samples was made: the same dates in every run."""

DAY = 86_400.0
_END = datetime(9990, 1, 1, tzinfo=UTC)  # leaves room for the dates that are still expected then


def scale_for(seconds_per_day: float) -> float:
    """The scale at which a simulated day lasts so many real seconds; 0 stands for a frozen clock."""
    if seconds_per_day == 0:
        return 0.0
    if not 0.001 <= seconds_per_day <= DAY:
        raise ValueError("a simulated day lasts 0 (frozen) or 0.001 to 86400 seconds")
    return DAY / seconds_per_day


class Clock:
    """Two readings of one elapsed time: `now` is scaled, `uptime` is not. A step moves both.

    Refunds live by `now`. Whatever guards the next few calls (quote validity, windows) lives by `uptime`: a scaled
    clock would end a validity of two hours before the caller could answer.
    """

    def __init__(
        self, *, scale: float = DAY, start: datetime = START, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._start = start
        self._longest = (_END - start).total_seconds()
        self._first_scale = scale
        self._monotonic = monotonic
        self.reset()

    def reset(self) -> None:
        """Back to the start, at the first scale."""
        self._scale = self._first_scale
        self._mark = self._monotonic()
        self._simulated = self._uptime = 0.0

    def now(self) -> datetime:
        """start + real elapsed × scale + steps."""
        simulated = self._simulated + self._since_mark() * self._scale
        return self._start + timedelta(seconds=min(simulated, self._longest))

    def uptime(self) -> timedelta:
        """Real elapsed + steps."""
        return timedelta(seconds=self._uptime + self._since_mark())

    def advance(self, step: timedelta) -> None:
        if step < timedelta(0):
            raise ValueError("time does not run backwards")
        self._simulated = min(self._simulated + step.total_seconds(), self._longest)
        self._uptime = min(self._uptime + step.total_seconds(), self._longest)

    @property
    def scale(self) -> float:
        """Simulated seconds per real second; 0 is a frozen clock."""
        return self._scale

    @scale.setter
    def scale(self, scale: float) -> None:
        passed = self._since_mark()
        self._simulated += passed * self._scale
        self._uptime += passed
        self._mark += passed
        self._scale = scale

    def _since_mark(self) -> float:
        return self._monotonic() - self._mark


class SteppedTime:
    """A clock for the client under test: each of its sleeps steps the simulator, so weeks pass in milliseconds.

    Give it to the client (`AtlasRefunds(..., clock=SteppedTime(simulator.clock))`) with a simulator whose own clock is
    frozen. `pace` are real seconds that a sleep takes all the same, for people who watch.
    """

    def __init__(self, clock: Clock, *, pace: float = 0.0) -> None:
        self._clock, self._pace = clock, pace

    def now(self) -> datetime:
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.now().timestamp()

    async def sleep(self, seconds: float) -> None:
        self._clock.advance(timedelta(seconds=seconds))
        await asyncio.sleep(self._pace)
