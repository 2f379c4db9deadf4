"""The two tables as values: a tracked refund, and a change of it that a handler is told of."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, TypeVar

import attrs
from atlas_refunds_api.models import RefundStatus

from ..calls import Submission
from ..errors import InvalidRequestError
from ..statuses import PaymentMode, is_refunded
from ..tokens import RefundToken
from .intents import intent_of

T = TypeVar("T", "Tracked", "Change")


class Step(Enum):
    """How far a refund has come; the value is what the database holds."""

    WAITING = "waiting"
    """The intent is on disk. Nothing was sent, or provably nothing arrived; it will be sent."""
    UNCLEAR = "unclear"
    """It is being sent, or was sent and nobody knows what became of it. It is looked for, never sent again."""
    FOLLOWED = "followed"
    """Atlas has it and is asked about it from time to time."""
    FINAL = "final"
    """Atlas will not change it any more."""
    REFUSED = "refused"
    """Atlas refused the submit. Nothing exists; a new attempt is a new quote under a new key."""
    REVIEW = "review"
    """Only a person can say what became of it; `note` has the reason."""

    @property
    def is_open(self) -> bool:
        """Whether the tracker still acts on it by itself."""
        return self in (Step.WAITING, Step.UNCLEAR, Step.FOLLOWED)


@attrs.frozen(kw_only=True)
class Tracked:
    """One refund as it is stored, a row of `atlas_refund`. Times are seconds since 1970 by the database's clock."""

    key: str
    """The caller's name for this refund; one key is one refund, for ever."""
    order_no: str | None
    """Atlas' order number as soon as it is known; webhooks find the refund by it."""
    step: Step
    intent: str | None = attrs.field(default=None, repr=False)
    """What to submit, with the passengers' names. Deleted as soon as the refund is known to exist, or is refused."""
    token: RefundToken | None = None
    """To follow the refund with; what `atlas.get` wants."""
    payment_mode: PaymentMode | None = None
    status: RefundStatus | None = None
    """Atlas' refundStatus as last seen."""
    note: str | None = None
    """Why it stands where it stands, in words; holds no name."""
    tries: int = 0
    """Failures in a row of what is being tried now."""
    created_at: float
    changed_at: float
    """When `step` or `status` last changed."""
    sent_at: float | None = None
    looked_at: float | None = None
    look_at: float
    """When Atlas is to be asked next."""
    woken_at: float | None = None
    """A hint came in that has not been followed yet."""
    held_by: str | None = None
    """Which run of which worker is at it."""
    held_until: float | None = None
    """When that run counts as dead."""
    job: int = 0
    """The engine's workflow "key/job" is the one that looks next."""
    due: float | None = None
    """When that job is due; None when nothing is to be done any more."""
    changes: int = 0
    """How many changes were recorded."""

    @property
    def is_refunded(self) -> bool:
        """Whether it ended with money."""
        return self.step is Step.FINAL and is_refunded(self.status)

    @property
    def submission(self) -> Submission:
        """The intent, read. Raises InvalidRequestError when there is none any more."""
        if self.intent is None:
            raise InvalidRequestError("tracking: this refund's intent is deleted")
        return intent_of(self.intent)

    def to_json(self) -> dict[str, Any]:
        """For people and scripts: times as ISO 8601, no passenger name."""
        return {name: value for name, value in readable(self).items() if name not in ("intent", "held_by", "job")}


@attrs.frozen(kw_only=True)
class Change:
    """What a handler is called with, a row of `atlas_refund_change`: the refund came to this step and status."""

    key: str
    number: int
    """1, 2, 3 per refund; handlers are called in this order."""
    at: float
    step: Step
    status: RefundStatus | None = None
    token: RefundToken | None = None
    """What `atlas.get(token.order, token.refund_code)` needs for amounts and dates."""
    note: str | None = None
    handled_at: float | None = attrs.field(default=None, eq=False)
    tries: int = attrs.field(default=0, eq=False)
    """Failed calls of the handler."""
    retry_at: float | None = attrs.field(default=0, eq=False)
    """When the handler is called next; None when it is not any more, until somebody asks for a replay."""
    error: str | None = attrs.field(default=None, eq=False)
    """Class of the handler's last error."""

    @property
    def id(self) -> str:
        """The same at every call of the handler for this change: what to deduplicate by."""
        return f"{self.key}/{self.number}"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen: final, or refused."""
        return self.step in (Step.FINAL, Step.REFUSED)

    @property
    def is_refunded(self) -> bool:
        """Whether the refund ended with money."""
        return self.step is Step.FINAL and is_refunded(self.status)

    def to_json(self) -> dict[str, Any]:
        """For people and scripts: times as ISO 8601."""
        return {"id": self.id, **readable(self)}


# ---- columns -------------------------------------------------------------------------------------------------------
_READ: Final[dict[str, Callable[[str], object]]] = {
    "step": Step,
    "payment_mode": PaymentMode,
    "token": RefundToken.parse,
    "status": lambda text: RefundStatus(json.loads(text)),  # an unknown code is a number or a text, as it came
}


def to_row(record: Tracked | Change) -> dict[str, Any]:
    """Column values."""
    return {field.name: plain(getattr(record, field.name)) for field in attrs.fields(type(record))}


def plain(value: object) -> object:
    match value:
        case Step() | PaymentMode():
            return value.value
        case RefundStatus():
            return json.dumps(value.value)
        case RefundToken():
            return str(value)
        case _:
            return value


def from_row(kind: type[T], row: Mapping[Any, Any]) -> T:
    """A record of its columns; columns that this release does not know are left alone."""
    known: dict[str, Any] = {field.name: row[field.name] for field in attrs.fields(kind)}
    for name, read in _READ.items():
        if known.get(name) is not None:
            known[name] = read(known[name])
    return kind(**known)


def readable(record: Tracked | Change) -> dict[str, Any]:
    return {name: moment(value) if isinstance(value, float) else value for name, value in to_row(record).items()}


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
