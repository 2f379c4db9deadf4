"""Which order is meant: an Atlas order number, or an airline's PNR plus the carrier. Never both, never neither."""

import re
from typing import TypeAlias

import attrs

from .errors import InvalidOrderRef

ORDER_NO = re.compile(r"[!-~]{1,64}")
PNR = re.compile(r"[A-Z0-9]{4,12}")
CARRIER = re.compile(r"[A-Z0-9]{2}")


@attrs.frozen
class OrderNo:
    """An order by Atlas' own number, that of the main ticket order (refunds page, orderNo; error table, 824).

    Raises InvalidOrderRef. Prefer it to AirlinePnr: one PNR can match several orders.
    """

    order_no: str

    def __attrs_post_init__(self) -> None:
        if not fits(ORDER_NO, self.order_no):
            raise InvalidOrderRef("order_no: give Atlas' order number, 1 to 64 characters without spaces")


@attrs.frozen
class AirlinePnr:
    """An order by the airline's record locator and the carrier's IATA code (refunds page, airlinePNR, carrier).

    The locator is the airline's, not the `pnrCode` that Atlas returns on booking. Raises InvalidOrderRef.
    """

    airline_pnr: str = attrs.field(repr=False)
    carrier: str = attrs.field(kw_only=True)

    def __attrs_post_init__(self) -> None:
        if not fits(PNR, self.airline_pnr):
            raise InvalidOrderRef("airline_pnr: give the airline's record locator, 4 to 12 capital letters and digits")
        if not fits(CARRIER, self.carrier):
            raise InvalidOrderRef("carrier: give the airline's 2-character IATA code, such as G9")


OrderRef: TypeAlias = OrderNo | AirlinePnr


def order_ref(*, order_no: str | None = None, airline_pnr: str | None = None, carrier: str | None = None) -> OrderRef:
    """The order that wire-shaped input means: `order_no`, or `airline_pnr` with `carrier`; unused ones None or "".

    Raises InvalidOrderRef when neither form or both are given, or when half of the second is missing.
    """
    order_no, airline_pnr, carrier = (None if value == "" else value for value in (order_no, airline_pnr, carrier))
    by_airline = airline_pnr is not None or carrier is not None
    if (order_no is not None) == by_airline:
        given = "both forms were" if by_airline else "neither form was"
        raise InvalidOrderRef(f"give order_no, or airline_pnr with carrier; {given} given")
    if order_no is not None:
        return OrderNo(order_no)
    if airline_pnr is None:
        raise InvalidOrderRef("carrier alone names no order: give airline_pnr too")
    if carrier is None:
        raise InvalidOrderRef("airline_pnr alone is ambiguous: give carrier too, such as G9")
    return AirlinePnr(airline_pnr, carrier=carrier)


def wire_keys(order: OrderRef) -> dict[str, str | None]:
    """The three identifier fields of every request; the unused ones are None and are sent as null."""
    keys: dict[str, str | None] = {"order_no": None, "airline_pnr": None, "carrier": None}
    match order:
        case OrderNo(order_no=order_no):
            return {**keys, "order_no": order_no}
        case AirlinePnr(airline_pnr=airline_pnr, carrier=carrier):
            return {**keys, "airline_pnr": airline_pnr, "carrier": carrier}
        case _:  # what type checkers exclude and callers do
            raise InvalidOrderRef(f"order: give OrderNo or AirlinePnr, not {type(order).__name__}")


def names_another(order_no: str | None, asked: OrderRef) -> bool:
    """Whether an answer names another order than the one that was asked about."""
    return isinstance(asked, OrderNo) and order_no not in (None, "", asked.order_no)


def fits(form: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None
