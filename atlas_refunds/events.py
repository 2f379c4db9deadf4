"""What happened, for logs, metrics and traces: frozen facts without credentials, names or PNRs."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from enum import Enum
from types import CoroutineType
from typing import Final, TypeAlias, cast

import attrs
from atlas_refunds_api.types import Model, harmless, shown

log: Final = logging.getLogger("atlas_refunds")


class Outcome(Enum):
    """How one attempt ended."""

    SUCCESS = "success"
    REFUSED = "refused"
    UNREADABLE = "unreadable"
    NO_ANSWER = "no answer"
    NOT_SENT = "not sent"
    INTERRUPTED = "interrupted"


class Settled(Enum):
    """What became of a submit."""

    SUBMITTED = "submitted"
    REFUSED = "refused"
    NOT_SENT = "not sent"
    UNKNOWN = "unknown"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Attempt(Model):
    """One request was sent, or was tried to be sent. `at` is its start, UTC."""

    at: datetime
    operation: str
    number: int
    """1 for the first attempt of a call."""
    url: str
    seconds: float
    outcome: Outcome
    http_status: int | None = None
    code: int | None = None
    """Atlas' status code, 0 for success."""
    error: str | None = None
    """Class of the error."""
    reason: str | None = None
    """The error's text, which says where and why; None where something else than this package raised it."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Pause(Model):
    """A call waits: before a repeat ("retry"), for its turn ("limit"), until the next poll ("poll")."""

    at: datetime
    operation: str
    reason: str
    seconds: float


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SubmitEnded(Model):
    """A submit ended, by answer, error or cancellation. UNKNOWN wants `reconcile`."""

    at: datetime
    outcome: Settled
    order_no: str | None
    """None when the order was named by PNR."""
    refund_code: str | None = None
    """As Atlas sent it, whatever that is."""
    _show = staticmethod(shown)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Deviation(Model):
    """Atlas sent what its documentation does not allow. `value` is an enum value or a code, nothing else."""

    at: datetime
    operation: str
    place: str
    kind: str
    value: str | None = attrs.field(default=None, converter=attrs.converters.optional(harmless))


Event: TypeAlias = Attempt | Pause | SubmitEnded | Deviation
Handler: TypeAlias = Callable[[Event], None]


class Emitter:
    """Hands each event to all handlers; one that fails is logged and does not disturb the call."""

    def __init__(self, handlers: Iterable[Handler]) -> None:
        self._handlers = tuple(handlers)

    def __call__(self, event: Event) -> None:
        for handler in self._handlers:
            try:
                told = cast("object", handler(event))
                if isinstance(told, CoroutineType):  # of a lambda, say; whatever it was to do would never be done
                    told.close()
                    raise TypeError("on_event: give a plain function, not one that returns a coroutine")
            except Exception:
                log.exception("an event handler failed")


def log_event(event: Event) -> None:
    """The adapter for standard logging, always on: logger "atlas_refunds"."""
    match event:
        case Attempt(outcome=outcome):
            level = logging.DEBUG if outcome is Outcome.SUCCESS else logging.INFO
            detail = f"{event.error}: {event.reason}" if event.reason else event.error or "ok"
            log.log(level, "%s attempt %d: %s, HTTP %s, code %s, %.3f s, %s", event.operation, event.number,
                    outcome.value, event.http_status, event.code, event.seconds, detail)  # fmt: skip
        case Pause():
            log.debug("%s waits %.1f s (%s)", event.operation, event.seconds, event.reason)
        case SubmitEnded(outcome=settled):
            level = logging.WARNING if settled is Settled.UNKNOWN else logging.INFO
            code = harmless(event.refund_code)
            log.log(level, "submit of order %s: %s, refund %s", event.order_no, settled.value, code)
        case Deviation():
            log.warning("%s: %s, %s %s", event.operation, event.place, event.kind, event.value or "")
