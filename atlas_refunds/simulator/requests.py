"""From a body to a request: the checks that need no order (9999 structure, 810 parameters)."""

import json
import re
from dataclasses import dataclass
from typing import cast

from .codes import Refused
from .money import RATES
from .scenarios import Segment

INVOLUNTARY, VOLUNTARY, VOID = "0", "1", "4"

Json = dict[str, object]


@dataclass(frozen=True)
class OrderKey:
    """orderNo, or airlinePNR with carrier."""

    order_no: str | None
    pnr: str | None
    carrier: str | None


@dataclass(frozen=True)
class PassengerRequest:
    last_name: str
    first_name: str
    segments: tuple[Segment, ...]
    reason: str


@dataclass(frozen=True)
class Request:
    order: OrderKey
    display_currency: str | None
    passengers: tuple[PassengerRequest, ...] = ()
    offer_id: str | None = None
    refund_code: str | None = None


def decode(raw: bytes) -> Json:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise Refused(100) from None
    return _object(body)


def parse_quote(body: Json) -> Request:
    passengers = _passengers(body)
    order = _order(body)
    if not passengers:
        raise Refused(810, "refundRequestList is required")
    return Request(order, _display_currency(body), passengers)


def parse_submit(body: Json) -> Request:
    passengers, offer_id = _passengers(body), _text(body, "refundOfferId")
    order = _order(body)
    if bool(passengers) == bool(offer_id):
        raise Refused(810, "either refundOfferId or refundRequestList is required")
    return Request(order, _display_currency(body), passengers, offer_id=offer_id)


def parse_query(body: Json) -> Request:
    order = _order(body)
    return Request(order, _display_currency(body), refund_code=_text(body, "refundCode"))


def _order(body: Json) -> OrderKey:
    key = OrderKey(_text(body, "orderNo"), _text(body, "airlinePNR"), _text(body, "carrier"))
    if key.order_no and (key.pnr or key.carrier):
        raise Refused(810, "either orderNo or airlinePNR and carrier, not both")
    if not key.order_no and not (key.pnr and key.carrier):
        raise Refused(810, "orderNo, or airlinePNR and carrier, is required")
    return key


def _display_currency(body: Json) -> str | None:
    currency = _text(body, "displayCurrency")
    if currency is not None and currency not in RATES:
        raise Refused(810, "displayCurrency is not a known currency")
    return currency


def _passengers(body: Json) -> tuple[PassengerRequest, ...]:
    """The structure of the whole list first, so that 9999 does not depend on the order of members."""
    entries = _objects(body, "refundRequestList")
    segments = [_objects(entry, "segments") for entry in entries]
    return tuple(_passenger(entry, flown) for entry, flown in zip(entries, segments, strict=True))


def _passenger(entry: Json, segments: list[Json]) -> PassengerRequest:
    last_name, first_name = _required(entry, "lastName"), _required(entry, "firstName")
    if not segments:
        raise Refused(810, "segments is required")
    if (reason := _required(entry, "refundReason")) not in {INVOLUNTARY, VOLUNTARY, VOID}:
        raise Refused(810, "refundReason is unknown")
    return PassengerRequest(last_name, first_name, tuple(map(_segment, segments)), reason)


def _segment(entry: Json) -> Segment:
    dep_date = _required(entry, "depDate")
    if not re.fullmatch(r"[0-9]{8}", dep_date):
        raise Refused(810, "depDate must have the format yyyyMMdd")
    return Segment(
        dep_date, _required(entry, "flightNo"), _required(entry, "depAirport"), _required(entry, "arrAirport")
    )


def _required(body: Json, name: str) -> str:
    if (value := _text(body, name)) is None:
        raise Refused(810, f"{name} is required")
    return value


def _text(body: Json, name: str) -> str | None:
    """Null, absent and empty are one and the same."""
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise Refused(810, f"{name} must be a string")
    return value or None


def _objects(body: Json, name: str) -> list[Json]:
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise Refused(9999)
    return [_object(entry) for entry in cast("list[object]", value)]


def _object(value: object) -> Json:
    if not isinstance(value, dict):
        raise Refused(9999)
    return cast("Json", value)
