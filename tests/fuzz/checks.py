"""What must hold for each body, whatever it is, against a reading of its text of our own."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

import attrs
from atlas_refunds_api import types as wire

from atlas_refunds import AtlasRefundsError, OrderNo, Refund, RefundQuote, RefundState, parse_notification
from atlas_refunds.caller import Read, understood
from atlas_refunds.deviations import MOST_AT_ONCE, notes
from atlas_refunds.envelope import Answer
from atlas_refunds.notifications import UnverifiedNotification
from atlas_refunds.transport import Request

from .mutations import Token

NOW = datetime(2025, 5, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ORDER = OrderNo("TESTA20250512100600259")
READERS: dict[str, Read[object]] = {
    "quote": lambda body, _: RefundQuote.from_dict(body, order=ORDER, passengers=()),
    "submit": lambda body, _: Refund.from_dict(body, order=ORDER, submitted=NOW),
    "query": lambda body, _: wire.many(body, "refundOrders", lambda one: RefundState.from_dict(one, order=ORDER)),
}
REQUESTS = {
    name: Request(
        name=name, path="/", headers={}, content=b"", timeout=SECOND, connect_timeout=SECOND, once=name == "submit"
    )
    for name in READERS
}


class Wrong(Exception):
    """Something that must never be."""


def answer(content: bytes, operation: str, http_status: int, headers: dict[str, str], seen: Counter[str]) -> None:
    """Read it as the answer to a call. Raises Wrong, or whatever the package should not have raised."""
    try:
        found = understood(Answer(http_status, headers, content), REQUESTS[operation], READERS[operation], NOW)
    except AtlasRefundsError as error:
        f"{error} {error!r}"
        seen[type(error).__name__] += 1
        return
    seen["read"] += 1
    repr(found)
    list(islice(notes(found), MOST_AT_ONCE))
    body = read_anew(content)
    statuses = [value for key, value in body if key == "status"]
    if http_status // 100 != 2 or not is_zero(statuses[-1]) or (operation == "submit" and len(statuses) > 1):
        raise Wrong("believed successful")
    last = dict(body)
    compare(found, last.get("refundOrders") if operation == "query" else body, seen)


def webhook(content: bytes, headers: dict[str, str], seen: Counter[str]) -> None:
    """Read it as a webhook."""
    try:
        event = parse_notification(content, headers)
    except AtlasRefundsError as error:
        f"{error} {error!r}"
        seen[type(error).__name__] += 1
        return
    seen["event" if event.refund is None else "refund event"] += 1
    repr(event)
    again: UnverifiedNotification = parse_notification(content, headers)
    if again.dedupe_key != event.dedupe_key or event.adds_up is not again.adds_up:
        raise Wrong("read otherwise a second time")
    if event.refund is not None:
        body = dict(read_anew(content))
        data = body.get("data")
        compare(event.refund, data if isinstance(data, Pairs) else Pairs(body.items()), seen)


# ---- the other reading -----------------------------------------------------------------------------------------------
class Pairs(list[tuple[str, Any]]):
    """The members of an object, in order."""


def read_anew(content: bytes) -> Pairs:
    text = content.decode().removeprefix("\ufeff").removeprefix("\ufeff")
    body: Pairs = json.loads(text, parse_float=Token, parse_int=Token, object_pairs_hook=Pairs)
    return body


def is_zero(value: Any) -> bool:
    return isinstance(value, str) and Decimal(value.strip()) == 0  # a Token or text


def compare(model: object, sent: Any, seen: Counter[str]) -> None:
    """Every amount of the model is what the text says, digit by digit, and none is missing."""
    if isinstance(model, tuple):
        items = [item for item in (sent if type(sent) is list else [sent]) if item is not None and item != ""]
        if len(items) != len(model):
            raise Wrong("another number of items")
        for one, item in zip(model, items, strict=True):
            compare(one, item, seen)
    elif isinstance(model, wire.Received):
        members = dict(sent)
        for key, name, is_amount in amounts(type(model)):
            value, token = getattr(model, name), members.get(key)
            if not is_amount:
                if isinstance(value, wire.Received) or (isinstance(value, tuple) and value and is_model(value)):
                    compare(value, token, seen)
            elif value is None:
                if token is not None and token != "":
                    raise Wrong(f"{key}: an amount is lost")
            else:
                seen["amounts"] += 1
                anew = Decimal(str(token).strip())
                if anew != value or anew.as_tuple()[1:] != value.as_tuple()[1:]:  # but -0 is 0
                    raise Wrong(f"{key}: an amount is altered")


def is_model(items: tuple[object, ...]) -> bool:
    return isinstance(items[0], wire.Received)


FIELDS: dict[type, list[tuple[str, str, bool]]] = {}


def amounts(model: type[wire.Received]) -> list[tuple[str, str, bool]]:
    """The members of a model: name in the text, attribute, whether it is an amount."""
    if model not in FIELDS:
        types = {field.name: str(field.type) for field in fields_of(model)}
        FIELDS[model] = [(key, name, "Decimal" in types[name]) for key, name in model.NAMES.items()]
    return FIELDS[model]


def fields_of(model: type[wire.Received]) -> Iterator["attrs.Attribute[Any]"]:
    yield from attrs.fields(model)
