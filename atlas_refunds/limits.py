"""How fast a client may call: a token bucket, a bound of calls in flight, and the waits that Atlas asks for."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import attrs
from atlas_refunds_api.types import Model

from .clocks import Clock
from .errors import ConfigurationError, NotSentError, RateLimitedError
from .loops import PerLoop

TOO_MANY_SUBMITS = 905


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RateLimit(Model):
    """Of one client, over all its calls. Atlas publishes no number for refunds, so this is politeness, not a rule."""

    per_second: float = 20
    burst: int = 20
    in_flight: int = 64
    after_limit: timedelta = timedelta(seconds=1)
    """How long all calls wait after a 429 that names no wait."""
    after_too_many_submits: timedelta = timedelta(seconds=30)
    """How long submits wait after a 905."""
    longest_hold: timedelta = timedelta(seconds=60)
    """How long one answer can hold back other calls, whatever wait it names."""

    def __attrs_post_init__(self) -> None:
        waits = (self.after_limit, self.after_too_many_submits, self.longest_hold)
        if self.per_second <= 0 or self.burst < 1 or self.in_flight < 1 or min(waits) < timedelta():
            raise ConfigurationError("rate limit: give rates and bounds above zero, and no negative wait")


class Pace:
    """Gives calls their turn. The bucket is kept as the time at which it would be full again."""

    def __init__(self, limit: RateLimit, clock: Clock) -> None:
        self._limit, self._clock = limit, clock
        self._slots = PerLoop(lambda: asyncio.Semaphore(limit.in_flight))
        self._full_at = self._hold_all = self._hold_submits = float("-inf")

    @property
    def slots(self) -> asyncio.Semaphore:
        """Of the calls in flight in this event loop."""
        return self._slots.here()

    async def turn(self, name: str, *, once: bool, within: float, waits: Callable[[float], None]) -> float:
        """Wait for a token, then for one of `slots`, which the caller releases. The seconds of `within` that are left.

        `waits` is told before a wait for a token begins. Raises NotSentError when `within` does not suffice; a call
        that goes out `once` leaves half of it for its answer, for what is cut off is an open question.
        """
        slots, began, patience = self.slots, self._clock.monotonic(), within / 2 if once else within
        wait = self.reserve(began, name, once=once, within=patience)
        if wait <= 0 and not slots.locked():  # nearly always
            await slots.acquire()
            return within
        if wait > 0:
            waits(wait)
            await self._clock.sleep(wait)
        try:
            async with asyncio.timeout(patience - (self._clock.monotonic() - began)):
                await slots.acquire()
        except TimeoutError:
            raise NotSentError(f"{name}: its turn did not come within {patience:.1f} s; nothing was sent") from None
        return within - (self._clock.monotonic() - began)

    def reserve(self, now: float, name: str, *, once: bool, within: float = float("inf")) -> float:
        """Take one token; the seconds until it may be used. Raises NotSentError and takes none if that is too long."""
        held = max(self._hold_all, self._hold_submits if once else now) - now
        token = 1 / self._limit.per_second
        full_at = max(self._full_at, now) + token
        wait = max(0.0, held, full_at - now - token * self._limit.burst)
        if wait > within:
            raise NotSentError(f"{name}: its turn comes in {wait:.1f} s, it has {within:.1f} s; nothing was sent")
        self._full_at = full_at
        return wait

    def slow_down(self, error: RateLimitedError) -> None:
        """A rate limit that one call met holds back its siblings, for no longer than `longest_hold`."""
        too_many_submits = error.code == TOO_MANY_SUBMITS
        usual = self._limit.after_too_many_submits if too_many_submits else self._limit.after_limit
        until = self._clock.monotonic() + min(error.retry_after or usual, self._limit.longest_hold).total_seconds()
        if too_many_submits:
            self._hold_submits = max(self._hold_submits, until)
        else:
            self._hold_all = max(self._hold_all, until)
