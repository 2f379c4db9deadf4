"""What an operator should hear of: one log line and one event each, never a name."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import Final, TypeAlias, TypeVar

import attrs

T = TypeVar("T")

log: Final = logging.getLogger("atlas_refunds.tracking")


class Kind(Enum):
    """What happened."""

    DATABASE_LOST = "database lost"
    DATABASE_BACK = "database back"
    TAKEN_OVER = "taken over"
    """Refunds whose worker died go on here."""
    CLOCKS_DIFFER = "clocks differ"
    ACCOUNT_REFUSED = "account refused"
    """Atlas refuses credentials, account or source address; all refunds of the account wait."""
    ACCOUNT_BACK = "account back"
    POLLS_FAIL = "polls fail"
    """One refund has been asked for in vain for hours."""
    REVIEW = "review"
    """A person has to look at a refund."""
    HANDLER_FAILED = "handler failed"
    HANDLER_GAVE_UP = "handler gave up"
    """A change waits for a replay, and so do the later changes of its refund."""
    FAULT = "fault"
    """Something unforeseen; the refund is tried again."""


LEVELS: Final = {Kind.DATABASE_BACK: logging.INFO, Kind.TAKEN_OVER: logging.INFO, Kind.ACCOUNT_BACK: logging.INFO,
                 Kind.DATABASE_LOST: logging.ERROR, Kind.ACCOUNT_REFUSED: logging.ERROR, Kind.FAULT: logging.ERROR,
                 Kind.HANDLER_GAVE_UP: logging.ERROR}  # fmt: skip


@attrs.frozen
class Notice:
    """One thing to know of; `key` where it is about one refund."""

    kind: Kind
    text: str
    key: str | None = None


@attrs.frozen(kw_only=True)
class Health:
    """How the refunds of one account stand, by the database. `at` is UTC, by the database's clock."""

    at: datetime
    account: str
    steps: Mapping[str, int]
    """How many refunds are at each step."""
    overdue: float
    """Seconds for which the oldest due refund that nobody is at has waited; 0 when none is due."""
    unhandled: int
    """Changes whose handler has not succeeded yet."""
    failing: int
    """Of these, how many failed at least once."""
    gave_up: int
    """Of these, how many wait for a replay."""


Listener: TypeAlias = Callable[[Notice], None]
HealthListener: TypeAlias = Callable[[Health], None]


class Notices:
    """Logs each notice on "atlas_refunds.tracking" and hands it to the listener, whose failures disturb nothing."""

    def __init__(self, listener: Listener | None, on_health: HealthListener | None = None) -> None:
        self._listener, self._on_health = listener, on_health

    def __call__(self, kind: Kind, text: str, key: str | None = None, *, error: BaseException | None = None) -> None:
        about = f"refund {key!r}: {text}" if key else text
        log.log(LEVELS.get(kind, logging.WARNING), "%s, %s", kind.value, about, exc_info=error)
        if self._listener is not None:
            guarded(self._listener, Notice(kind, text, key))

    @property
    def wants_health(self) -> bool:
        return self._on_health is not None

    def health(self, health: Health) -> None:
        if self._on_health is not None:
            guarded(self._on_health, health)


def guarded(listener: Callable[[T], None], what: T) -> None:
    try:
        listener(what)
    except Exception:
        log.exception("a listener of notices failed")
