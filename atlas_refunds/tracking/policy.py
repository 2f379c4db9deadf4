"""How patient a tracker is, as values."""

from datetime import timedelta

import attrs

from ..errors import ConfigurationError
from ..schedule import PollSchedule


@attrs.frozen(kw_only=True)
class Policy:
    """How patient a tracker is. The same for all workers of one database."""

    schedule: PollSchedule = attrs.field(factory=PollSchedule)
    polls_per_second: int = 20
    """One budget for all workers of one database together."""
    hold: timedelta = timedelta(minutes=10)
    """How long a worker may be at one refund; after that it counts as dead and another one takes over."""
    patience: timedelta = timedelta(minutes=15)
    """How long after a submit without an outcome "Atlas knows nothing of it" is believed. Keep it above all time
    limits and pauses of one submit together."""
    resubmit: bool = False
    """Submit again what Atlas, by query and fresh quote, does not know after `patience`; else a person decides."""
    first_retry: timedelta = timedelta(seconds=5)
    """Doubled with each failure, up to `longest_retry`; for submits that did not leave, unclear outcomes, handlers."""
    longest_retry: timedelta = timedelta(hours=1)
    handler_tries: int = 16
    """After so many failed calls (about nine hours) a change waits for a replay."""
    hint_pause: timedelta = timedelta(minutes=1)
    """A webhook, which anybody can send, does not bring the next look closer to the last one than this."""
    keep: timedelta = timedelta(days=365)
    """How long finished refunds stay in the database; their keys are forgotten with them."""

    def __attrs_post_init__(self) -> None:
        spans = (self.hold, self.patience, self.first_retry, self.longest_retry, self.keep)
        if min(spans) <= timedelta() or self.hint_pause < timedelta():
            raise ConfigurationError("tracking policy: give spans of time above zero")
        if self.polls_per_second < 1 or self.handler_tries < 1:
            raise ConfigurationError("tracking policy: give at least one poll per second and one try")
        if self.patience < self.hold:
            raise ConfigurationError("tracking policy: give no less patience than hold, or a slow submit looks absent")

    def retry(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row, the first being 0."""
        return min(self.longest_retry.total_seconds(), self.first_retry.total_seconds() * 2.0 ** min(failures, 40))
