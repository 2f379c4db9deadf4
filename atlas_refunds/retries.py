"""Which call may be repeated, and when: a frozen policy, decided without I/O.

A submit is repeated after NotSentError and after nothing else; no setting changes that.
"""

from datetime import timedelta

import attrs
from atlas_refunds_api.types import Model

from .errors import ApiError, ConfigurationError, NoAnswerError, NotReadyError, NotSentError

ZERO = timedelta()
ONCE_MORE = (-1, 9999)
"""Codes for which Atlas advises one repeat, then a human (error table)."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RetryPolicy(Model):
    """How often and how patiently quote and query are repeated, and a submit that was provably not sent.

    Waits have full jitter: anything between nothing and `base` doubled with each attempt, `longest` at most. When Atlas
    names a wait it is kept, unless it is above `longest_asked`: then the error is raised at once.
    """

    attempts: int = 3
    """Calls altogether; 1 means never repeat."""
    base: timedelta = timedelta(seconds=0.5)
    longest: timedelta = timedelta(seconds=10)
    longest_asked: timedelta = timedelta(seconds=60)
    deadline: timedelta = timedelta(minutes=2)
    """No repeat is started after this long since the first attempt."""

    def __attrs_post_init__(self) -> None:
        waits = (self.base, self.longest, self.longest_asked, self.deadline)
        if not 1 <= self.attempts <= 100 or min(waits) < ZERO or max(waits) > timedelta(days=1):
            raise ConfigurationError("retry policy: give 1 to 100 attempts, and waits between zero and one day")

    def wait(self, error: Exception, *, once: bool, attempt: int, elapsed: timedelta, roll: float) -> timedelta | None:
        """How long to wait before attempt number `attempt` + 1, or None: do not repeat. `roll` is random in [0, 1)."""
        once_more = isinstance(error, ApiError) and error.code in ONCE_MORE
        if attempt >= (min(2, self.attempts) if once_more else self.attempts) or not may_repeat(error, once=once):
            return None
        doubled = self.base.total_seconds() * 2 ** (attempt - 1)  # as a number: a timedelta overflows
        wait = timedelta(seconds=min(self.longest.total_seconds(), doubled) * roll)
        if isinstance(error, ApiError) and error.retry_after is not None:
            if error.retry_after > self.longest_asked:
                return None
            wait = max(wait, error.retry_after)
        return wait if elapsed + wait < self.deadline else None


def may_repeat(error: Exception, *, once: bool) -> bool:
    """Whether a call that failed so can be repeated without harm, and within seconds."""
    if isinstance(error, NotSentError):
        return True
    if once:
        return False
    if isinstance(error, NotReadyError):
        return False  # ticketing takes longer than a retry should
    return isinstance(error, NoAnswerError) or (isinstance(error, ApiError) and error.retryable)
