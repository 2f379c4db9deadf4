"""When to ask again about a refund: a pure function of what is known of it.

From Atlas' refund guides: a refund is passed to the airline within hours, the airline confirms within days to weeks,
the money follows weeks later. So minutes at first, then hours, then days, and quick again near the expected dates.
"""

from datetime import UTC, datetime, time, timedelta
from typing import Final, TypeAlias

import attrs
from atlas_refunds_api.models import QuoteType, RefundStatus
from atlas_refunds_api.types import Model

from .errors import ConfigurationError
from .results import RefundState
from .settings import Duration, duration

Steps: TypeAlias = tuple[tuple[timedelta, timedelta], ...]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ZERO: Final = timedelta()


@attrs.frozen(kw_only=True, eq=False, repr=False)
class PollSchedule(Model):
    """Each wait is between `floor` and `ceiling`, then shortened by up to `jitter` of itself: refunds that were resumed
    together drift apart. Every knob is a value here; the defaults need fewer than 60 polls for a refund of seven weeks.
    """

    steps: Steps = ((HOUR, 20 * MINUTE), (12 * HOUR, 3 * HOUR), (7 * DAY, DAY))
    """(age of the refund below which the step holds, interval)."""
    later: timedelta = 2 * DAY
    """The interval after the last step."""
    fast_steps: Steps = ((10 * MINUTE, 2 * MINUTE), (HOUR, 15 * MINUTE), (12 * HOUR, 3 * HOUR), (7 * DAY, DAY))
    """In place of `steps` when Atlas announced a fast confirmation (refunds page, fastConfirmation 1)."""
    manual: timedelta = 2 * HOUR
    """At least this long while somebody at the airline decides (quote type CANNOT_QUOTE)."""
    paying: timedelta = DAY
    """At least this long while the airline pays back (status 3)."""
    near: timedelta = DAY
    """How close to an expected date polls are quick again."""
    near_interval: timedelta = 8 * HOUR
    failed: timedelta = MINUTE
    """After a failed poll; doubled with each further failure, up to the interval that would hold anyway."""
    floor: timedelta = MINUTE
    ceiling: timedelta = 2 * DAY
    jitter: float = 0.2
    failures: int = 20
    """Consecutive failed polls that a wait endures before it raises the last error: hours, not minutes."""
    not_found: int = 5
    """How often Atlas may answer that it does not list the refund, without having listed it in between, before nobody
    asks any more: minutes, for a refund that was submitted a moment ago."""

    def __attrs_post_init__(self) -> None:
        intervals = [interval for _, interval in (*self.steps, *self.fast_steps)]
        intervals += [self.later, self.near_interval, self.failed, self.floor, self.ceiling]
        if min(intervals) <= ZERO or self.floor > self.ceiling:
            raise ConfigurationError("poll schedule: give intervals above zero, and a ceiling not below the floor")
        if not 0 <= self.jitter < 1 or self.failures < 1 or self.not_found < 1:
            raise ConfigurationError("poll schedule: give jitter in [0, 1), failures and not_found from 1")

    @classmethod
    def every(cls, interval: Duration) -> "PollSchedule":
        """The same interval (a timedelta or seconds) at every age; for demos and tests."""
        interval = duration("poll schedule", interval)
        return cls(
            steps=(),
            fast_steps=(),
            later=interval,
            manual=ZERO,
            paying=ZERO,
            near=ZERO,
            failed=interval,
            floor=interval,
            ceiling=interval,
            jitter=0,
        )

    def wait(
        self,
        age: timedelta,
        roll: float,
        *,
        state: RefundState | None = None,
        now: datetime | None = None,
        fast: bool = False,
        failures: int = 0,
        asked: timedelta | None = None,
    ) -> timedelta:
        """How long to wait before the next poll; `roll` is random in [0, 1).

        `age` is that of the refund, `state` the last one seen, `now` the wall clock (for the expected dates), `fast`
        the announced confirmation, `failures` the failed polls in a row, `asked` a wait that the server asked for: it
        is kept whatever the ceiling says.
        """
        interval = self.later
        for below, step in self.fast_steps if fast else self.steps:
            if age < below:
                interval = step
                break
        if state is not None:
            if state.refund_quote_type is QuoteType.CANNOT_QUOTE:
                interval = max(interval, self.manual)
            if state.refund_status is RefundStatus.AIRLINE_REFUNDING:
                interval = max(interval, self.paying)
            if now is not None and self.is_near(state, now):
                interval = min(interval, self.near_interval)
        if failures:
            interval = min(interval, self.failed * 2 ** min(failures - 1, 20))
        interval = min(max(interval, self.floor), self.ceiling)
        return max(interval * (1 - self.jitter * roll), asked or ZERO)

    def is_near(self, state: RefundState, now: datetime) -> bool:
        """Whether an expected date is close; the dates have no time zone, so the day counts as UTC, give or take."""
        for date in (state.expected_confirmation_date, state.expected_refund_date) if self.near else ():
            if date is not None and abs(datetime.combine(date, time(12), UTC) - now) <= self.near + DAY / 2:
                return True
        return False
