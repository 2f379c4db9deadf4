"""How patient a tracker is, as values."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias

import attrs

from ..errors import ConfigurationError
from ..schedule import PollSchedule

Seal: TypeAlias = Callable[[bytes], bytes]


@attrs.frozen(kw_only=True)
class Policy:
    """How patient a tracker is. The same for all workers of one database."""

    schedule: PollSchedule = attrs.field(factory=PollSchedule)
    polls_per_second: int = 20
    """One budget for all workers of one account together."""
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
    """How long finished refunds, with their keys, stay in the database, and the names of those in review."""
    leave: timedelta = timedelta(seconds=10)
    """How long leaving waits for looks, submits and handlers under way; what does not end is taken over later."""
    seal: Seal | None = attrs.field(default=None, repr=False)
    """Encrypts an intent, which holds passenger names, before it is stored; the same for all processes."""
    unseal: Seal | None = attrs.field(default=None, repr=False)

    def __attrs_post_init__(self) -> None:
        spans = (self.hold, self.patience, self.first_retry, self.longest_retry, self.keep)
        if min(spans) <= timedelta() or min(self.hint_pause, self.leave) < timedelta():
            raise ConfigurationError("tracking policy: give spans of time above zero")
        if self.polls_per_second < 1 or self.handler_tries < 1:
            raise ConfigurationError("tracking policy: give at least one poll per second and one try")
        if self.patience < self.hold:
            raise ConfigurationError("tracking policy: give no less patience than hold, or a slow submit looks absent")
        if (self.seal is None) != (self.unseal is None):
            raise ConfigurationError("tracking policy: give both seal and unseal, or neither")

    def retry(self, failures: int) -> timedelta:
        """How long to wait after so many failures in a row, the first being 0."""
        doubled: timedelta = self.first_retry * 2 ** min(failures, 20)
        return min(self.longest_retry, doubled)
