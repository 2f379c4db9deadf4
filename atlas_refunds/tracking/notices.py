"""What an operator should hear of: one log line and one event each, never a name."""

import logging
from collections.abc import Callable
from enum import Enum
from typing import Final, TypeAlias

import attrs

log: Final = logging.getLogger("atlas_refunds.tracking")


class Kind(Enum):
    """What happened."""

    DATABASE_LOST = "database lost"
    DATABASE_BACK = "database back"
    TAKEN_OVER = "taken over"
    """Refunds whose worker died go on here."""
    REPAIRED = "repaired"
    """Refunds that no job was left for have one again."""
    CLOCKS_DIFFER = "clocks differ"
    REVIEW = "review"
    """A person has to look at a refund."""
    HANDLER_FAILED = "handler failed"
    HANDLER_GAVE_UP = "handler gave up"
    """A change waits for a replay, and so do the later changes of its refund."""
    FAULT = "fault"
    """Something unforeseen; the refund is tried again."""


WARNINGS: Final = {Kind.DATABASE_BACK: logging.INFO, Kind.TAKEN_OVER: logging.INFO, Kind.HANDLER_GAVE_UP: logging.ERROR,
                   Kind.DATABASE_LOST: logging.ERROR, Kind.FAULT: logging.ERROR}  # fmt: skip


@attrs.frozen
class Notice:
    """One thing to know of; `key` where it is about one refund."""

    kind: Kind
    text: str
    key: str | None = None


Listener: TypeAlias = Callable[[Notice], None]


class Notices:
    """Logs each notice on "atlas_refunds.tracking" and hands it to the listener, whose failures disturb nothing."""

    def __init__(self, listener: Listener | None) -> None:
        self._listener = listener

    def __call__(self, kind: Kind, text: str, key: str | None = None, *, error: BaseException | None = None) -> None:
        about = f"refund {key!r}: {text}" if key else text
        log.log(WARNINGS.get(kind, logging.WARNING), "%s, %s", kind.value, about, exc_info=error)
        if self._listener is not None:
            try:
                self._listener(Notice(kind, text, key))
            except Exception:
                log.exception("a listener of notices failed")
