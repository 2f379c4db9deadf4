"""The two tables as values: a tracked refund, and a change of it that a handler is told of."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final, TypeVar

import attrs
from atlas_refunds_api.models import RefundStatus

from ..results import RefundState
from ..statuses import PaymentMode, is_refunded
from ..tokens import RefundToken
from .personal import state_of, state_text

T = TypeVar("T", "Tracked", "Change", "Action")


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
    """One refund as it is stored, a row of `atlas_refund`. Times are UTC, by the database's clock."""

    key: str
    """The caller's name for this refund; one key is one refund, for ever."""
    account: str
    """The Atlas account that it belongs to: client id and address."""
    order_no: str | None
    """Atlas' order number as soon as it is known; webhooks find the refund by it."""
    step: Step
    intent: str | None = attrs.field(default=None, repr=False)
    """What to submit, with the passengers' names. Deleted as soon as the refund is known to exist, or is refused."""
    subject: str | None = attrs.field(default=None, repr=False)
    """A hash of order and passengers, by which the same key for somebody else is noticed."""
    token: RefundToken | None = None
    """To follow the refund with; what `atlas.get` wants."""
    payment_mode: PaymentMode | None = None
    status: RefundStatus | None = None
    """Atlas' refundStatus as last seen."""
    amount: Decimal | None = None
    """What Atlas estimates to return of the fare (estimatedRefundAmount), before its fee; exact."""
    currency: str | None = None
    expected_confirmation_date: date | None = None
    expected_refund_date: date | None = None
    cancel_reason: str | None = None
    """Why it was rejected or withdrawn, in Atlas' words."""
    note: str | None = None
    """Why it stands where it stands, in words; holds no name."""
    tries: int = 0
    """Failures in a row of what is being tried now."""
    attempt: int = 0
    """How often it was sent, at most."""
    created_at: datetime
    changed_at: datetime
    """When `step` or `status` last changed."""
    sent_at: datetime | None = None
    looked_at: datetime | None = None
    look_at: datetime | None
    """When Atlas is to be asked next; None when not any more."""
    woken_at: datetime | None = None
    """A hint came in that has not been followed yet."""
    held_by: str | None = attrs.field(default=None, repr=False)
    """Which run of which worker is at it."""
    held_until: datetime | None = None
    """When that run counts as dead."""
    changes: int = 0
    """How many changes were recorded."""

    @property
    def is_refunded(self) -> bool:
        """Whether it ended with money."""
        return self.step is Step.FINAL and is_refunded(self.status)

    def to_json(self) -> dict[str, Any]:
        """For people and scripts: times as ISO 8601, no passenger name."""
        return readable(self)


@attrs.frozen(kw_only=True)
class Change:
    """What a handler is called with, a row of `atlas_refund_change`: the refund came to this step and status."""

    key: str
    number: int
    """1, 2, 3 per refund; handlers are called in this order."""
    account: str
    at: datetime
    step: Step
    status: RefundStatus | None = None
    token: RefundToken | None = None
    state: RefundState | None = attrs.field(default=None, eq=False)
    """What Atlas said, without names and tickets; None where it was not asked, as after a submit."""
    note: str | None = None
    handled_at: datetime | None = attrs.field(default=None, eq=False)
    tries: int = attrs.field(default=0, eq=False)
    """Failed calls of the handler."""
    retry_at: datetime | None = attrs.field(default=None, eq=False)
    """When the handler is called next; None when an earlier change comes first, or nobody calls it any more."""
    error: str | None = attrs.field(default=None, eq=False)
    """Class of the handler's last error."""
    held_by: str | None = attrs.field(default=None, eq=False, repr=False)
    held_until: datetime | None = attrs.field(default=None, eq=False)

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


@attrs.frozen(kw_only=True)
class Action:
    """What a person did, a row of `atlas_refund_action`; it outlives the refund."""

    at: datetime
    key: str | None
    """None for what concerns all refunds."""
    what: str
    by: str | None = None
    reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        return readable(self)


# ---- columns -------------------------------------------------------------------------------------------------------
HIDDEN: Final = frozenset({"intent", "subject", "held_by"})
_READ: Final[dict[str, Callable[[Any], object]]] = {
    "step": Step,
    "payment_mode": PaymentMode,
    "token": RefundToken.parse,
    "status": lambda text: RefundStatus(json.loads(text)),  # an unknown code is a number or a text, as it came
    "amount": Decimal,
    "expected_confirmation_date": date.fromisoformat,
    "expected_refund_date": date.fromisoformat,
    **dict.fromkeys(
        ("at", "created_at", "changed_at", "sent_at", "looked_at", "look_at", "woken_at", "held_until", "handled_at",
         "retry_at"), lambda seconds: datetime.fromtimestamp(seconds, UTC)
    ),
}  # fmt: skip


_COLUMNS: Final = {kind: tuple(field.name for field in attrs.fields(kind)) for kind in (Tracked, Change, Action)}


def columns(kind: type[Tracked | Change | Action]) -> tuple[str, ...]:
    return _COLUMNS[kind]


def to_row(record: Tracked | Change | Action) -> dict[str, Any]:
    """Column values."""
    return {name: plain(getattr(record, name)) for name in columns(type(record))}


def plain(value: object) -> object:
    match value:
        case None | str() | int():
            return value
        case datetime():
            return value.timestamp()
        case Step() | PaymentMode():
            return value.value
        case RefundStatus():
            return json.dumps(value.value)
        case RefundState():
            return state_text(value)
        case date():
            return value.isoformat()
        case _:
            return str(value)


def from_row(kind: type[T], row: Mapping[Any, Any]) -> T:
    """A record of its columns; columns that this release does not know are left alone."""
    known: dict[str, Any] = {}
    for name in columns(kind):
        value, read = row[name], _READ.get(name)
        known[name] = value if value is None or read is None else read(value)
    if known.get("state") is not None:
        known["state"] = state_of(known["state"], known["token"].order)
    return kind(**known)


def readable(record: Tracked | Change | Action) -> dict[str, Any]:
    return {name: shown(getattr(record, name)) for name in columns(type(record)) if name not in HIDDEN}


def shown(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat(timespec="seconds")
        case RefundStatus():
            return value.value
        case RefundState():
            return json.loads(state_text(value))
        case _:
            return plain(value)
