"""When to ask again about a refund: the schedule, and the loop that keeps to it."""

import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import timedelta

import attrs

from .clocks import Clock
from .errors import (
    ApiError,
    AtlasRefundsError,
    BadResponseError,
    ConfigurationError,
    NoAnswerError,
    NotSentError,
    WaitTimeoutError,
)
from .events import Deviation, Emitter, Pause
from .results import RefundState
from .statuses import PaymentMode, is_final
from .tokens import RefundToken

Roll = Callable[[], float]
roll: Roll = random.random  # not for secrets: it only spreads polls


@attrs.frozen(kw_only=True)
class PollSchedule:
    """Minutes at first, then hours, then days; a refund takes days to weeks and Atlas' own pace is the airline's.

    `steps` are (age of the refund below which the step holds, interval); after the last age `later` holds. Each wait is
    shortened by up to `jitter` of itself, so that refunds that were resumed together drift apart.
    """

    steps: tuple[tuple[timedelta, timedelta], ...] = (
        (timedelta(hours=1), timedelta(minutes=15)),
        (timedelta(hours=12), timedelta(hours=2)),
        (timedelta(days=14), timedelta(days=1)),
    )
    later: timedelta = timedelta(days=2)
    jitter: float = 0.2
    failures: int = 5
    """Consecutive failed polls that a wait endures before it raises the last error."""

    def __attrs_post_init__(self) -> None:
        intervals = [interval for _, interval in self.steps] + [self.later]
        if min(intervals) <= timedelta() or not 0 <= self.jitter < 1 or self.failures < 1:
            raise ConfigurationError("poll schedule: give intervals above zero, jitter in [0, 1), failures from 1")

    @classmethod
    def every(cls, interval: timedelta) -> "PollSchedule":
        """The same interval at every age; for demos and tests."""
        return cls(steps=(), later=interval, jitter=0)

    def wait(self, age: timedelta, roll: float) -> timedelta:
        """How long to wait before the next poll of a refund of this age; `roll` is random in [0, 1)."""
        interval = next((interval for below, interval in self.steps if age < below), self.later)
        return interval * (1 - self.jitter * roll)


async def watch(
    look: Callable[[float], Awaitable[RefundState]],
    token: RefundToken,
    *,
    timeout: timedelta,  # noqa: ASYNC109  (a deadline that endures failed polls, not a cancellation)
    schedule: PollSchedule,
    payment_mode: PaymentMode | None,
    clock: Clock,
    emit: Emitter,
) -> AsyncGenerator[RefundState]:
    """The present state, each change, the final one. `look` asks once, within the seconds it is given."""
    began, margin = clock.now(), last_look(timeout).total_seconds()
    deadline = clock.monotonic() + timeout.total_seconds()
    last, failures = None, 0
    while True:
        try:
            state = await look(deadline - clock.monotonic())
        except AtlasRefundsError as error:
            failures += 1
            if failures >= schedule.failures or not is_passing(error):
                raise
        else:
            failures = 0
            if state != last:
                if state.refund_status is not None and not state.refund_status.is_known:
                    emit(unknown_status(state, clock))
                yield state
            if is_final(state.refund_status, payment_mode):
                return
            last = state
        age = clock.now() - (token.submitted or began)
        pause = min(schedule.wait(age, roll()).total_seconds(), deadline - margin - clock.monotonic())
        if pause <= 0:
            raise WaitTimeoutError(last_state=last, token=token)
        emit(Pause(at=clock.now(), operation="query", reason="poll", seconds=pause))
        await clock.sleep(pause)


def last_look(timeout: timedelta) -> timedelta:
    """How long before its deadline a wait asks for the last time: time for one answer."""
    return min(timeout / 10, timedelta(seconds=5))


def is_passing(error: AtlasRefundsError) -> bool:
    """Whether a failed poll is worth another one: everything but a clear refusal."""
    if isinstance(error, ApiError):
        return error.retryable
    return isinstance(error, NotSentError | NoAnswerError | BadResponseError)


def unknown_status(state: RefundState, clock: Clock) -> Deviation:
    value = str(state.refund_status)
    return Deviation(at=clock.now(), operation="query", place="refundStatus", kind="unknown code", value=value)
