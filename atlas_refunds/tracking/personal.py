"""What names people: the intent, which is sealed; and a state of a refund, which is stored without names.

Nothing here is for a log.
"""

import hashlib
import json
import types
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import date
from enum import Enum
from functools import cache
from typing import Any, Final, cast, get_args, get_origin, get_type_hints

import attrs
from atlas_refunds_api.types import Received

from ..calls import Submission
from ..errors import InvalidRequestError
from ..orders import AirlinePnr, OrderNo, OrderRef
from ..results import RefundState
from .policy import Policy

SEALED: Final = "sealed:"
HARMLESS: Final = frozenset({"cancel_reason"})
"""Text that a repr hides and an operator needs: Atlas' own sentences."""


def intent_text(subject: Submission, policy: Policy) -> str:
    """A submission as text for the database, sealed where the policy seals."""
    text = json.dumps(written(subject))
    return text if policy.seal is None else SEALED + b64encode(policy.seal(text.encode())).decode()


def intent_of(text: str | None, policy: Policy) -> Submission:
    """The submission that `intent_text` wrote. Raises InvalidRequestError when it is deleted, or sealed with no key."""
    if text is None:
        raise InvalidRequestError("tracking: this refund's intent is deleted")
    if text.startswith(SEALED):
        if policy.unseal is None:
            raise InvalidRequestError("tracking: this refund's intent is sealed, and the policy has no unseal")
        text = policy.unseal(b64decode(text.removeprefix(SEALED))).decode()
    found: Submission = read(Submission, json.loads(text))
    return found


def subject_of(subject: Submission) -> str:
    """The same for the same passengers and segments of the same order, in whatever sequence they are given."""
    people = sorted(json.dumps(written(person), sort_keys=True) for person in subject.passengers)
    return hashlib.sha256(json.dumps([written(subject.order), people]).encode()).hexdigest()[:32]


def written(value: Any) -> Any:
    """A value of ours as JSON, by attributes: a member that Atlas adds to what is sent is kept without ado."""
    kind: Any = type(value)  # pyright: ignore[reportUnknownVariableType]
    if attrs.has(kind):
        return {field.name: written(getattr(value, field.name)) for field in attrs.fields(kind)}
    match value:
        case Enum():
            return value.value
        case date():
            return value.isoformat()
        case tuple() | list():
            return [written(item) for item in cast("Sequence[Any]", value)]
        case _:
            return value


def read(kind: Any, value: Any) -> Any:
    """What `written` wrote, by the types of the attributes."""
    if kind == OrderRef:
        kind = OrderNo if "order_no" in value else AirlinePnr
    if value is None or kind is Any:
        return value
    if get_origin(kind) in (types.UnionType, None) and (some := [k for k in get_args(kind) if k is not types.NoneType]):
        return read(some[0], value)
    if items := get_args(kind):
        return tuple(read(items[0], item) for item in value)
    if attrs.has(kind):
        hints = hints_of(kind)
        return kind(**{name: read(hints[name], item) for name, item in value.items()})
    if kind is date:
        return date.fromisoformat(value)
    return kind(value) if issubclass(kind, Enum) else value


hints_of = cache(get_type_hints)


def without_names(model: Received) -> dict[str, Any]:
    """The members of an answer that a repr shows, as received: no names, no tickets, nothing that no model knows."""
    names, out = {name: wire for wire, name in model.NAMES.items()}, dict[str, Any]()
    for field in attrs.fields(type(model)):
        if field.name in names and (field.repr or field.name in HARMLESS) and names[field.name] in model.raw:
            out[names[field.name]] = shown(getattr(model, field.name), model.raw[names[field.name]])
    return out


def shown(value: Any, raw: Any) -> Any:
    if isinstance(value, Received):
        return without_names(value)
    if isinstance(value, tuple):
        return [without_names(item) for item in cast("Sequence[Any]", value) if isinstance(item, Received)]
    return raw


def state_text(state: RefundState) -> str:
    return json.dumps(without_names(state), default=str)  # amounts as text, exact


def state_of(text: str, order: OrderRef) -> RefundState:
    data: Mapping[str, Any] = json.loads(text)
    return RefundState.from_dict(data, order=order)
