"""The three calls as the requests that are sent: input checked, models filled, bytes and headers made. No I/O."""

import json
from collections.abc import Iterable
from enum import Enum
from typing import Final, TypeAlias

import attrs
from atlas_refunds_api.models import (
    FastConfirmation,
    QueryRefundOrdersRequest,
    RefundPassenger,
    RefundQuotationRequest,
    RefundRequest,
)
from atlas_refunds_api.types import Model

from ._version import __version__
from .errors import InvalidRequestError
from .orders import OrderNo, OrderRef, names_another, wire_keys
from .results import RefundQuote
from .settings import Credentials, Timeouts
from .transport import Request

Sent: TypeAlias = RefundQuotationRequest | RefundRequest | QueryRefundOrdersRequest


class Operation(Enum):
    """The three calls, by the name that logs, time limits and errors give them."""

    QUOTE = "quote"
    SUBMIT = "submit"
    QUERY = "query"


STANDARD_HEADERS: Final = {
    "Accept": "application/json",
    "Content-Type": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": f"atlas-refunds/{__version__}",
}
COMPACT: Final = json.JSONEncoder(separators=(",", ":"))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Submission(Model):
    """What one submit is about; what an unclear outcome has to be settled with."""

    order: OrderRef
    offer_id: str | None
    passengers: tuple[RefundPassenger, ...] = attrs.field(repr=False)
    display_currency: str | None
    fast: bool = False
    """Whether the quote announced a fast confirmation."""
    order_no: str | None = None
    """Atlas' number of an order that is named by its PNR, where a quote has shown it."""

    @property
    def names(self) -> frozenset[OrderRef]:
        """By which other submits can mean the same order."""
        return frozenset((self.order, OrderNo(self.order_no)) if self.order_no else (self.order,))

    def body(self) -> RefundRequest:
        return RefundRequest(
            **wire_keys(self.order),
            display_currency=self.display_currency,
            refund_offer_id=self.offer_id,
            refund_request_list=None if self.offer_id else self.passengers,
        )


def quote_body(order: OrderRef, passengers: Iterable[RefundPassenger], currency: str | None) -> RefundQuotationRequest:
    keys = wire_keys(order)
    return RefundQuotationRequest(**keys, display_currency=currency, refund_request_list=everyone(passengers))


def query_body(order: OrderRef, refund_code: str | None, currency: str | None) -> QueryRefundOrdersRequest:
    return QueryRefundOrdersRequest(**wire_keys(order), refund_code=refund_code, display_currency=currency)


def submission(
    what: RefundQuote | OrderRef,
    *,
    offer_id: str | None,
    passengers: Iterable[RefundPassenger] | None,
    display_currency: str | None,
    even_if_not_refundable: bool,
) -> Submission:
    """Check the three ways to submit: a quote, an order with an offer id, an order with passengers."""
    if not isinstance(what, RefundQuote):
        wire_keys(what)
        if (offer_id is None) == (passengers is None):
            raise InvalidRequestError("submit: give a quote, or an order with either offer_id or passengers")
        people = () if passengers is None else everyone(passengers)
        return Submission(order=what, offer_id=offer_id, passengers=people, display_currency=display_currency)
    if offer_id is not None or passengers is not None:
        raise InvalidRequestError("submit: a quote has its own offer and passengers, give nothing beside it")
    if names_another(what.order_no, what.order):
        raise InvalidRequestError("submit: this quote is about another order than the one that was asked for")
    if not what.refund_offer_id:
        raise InvalidRequestError("submit: this quote has no offer id; quote again")
    if what.is_refundable is not True and not even_if_not_refundable:
        raise InvalidRequestError(
            "submit: Atlas quoted this as not refundable; to submit all the same, pass even_if_not_refundable=True"
        )
    return Submission(
        order=what.order,
        offer_id=what.refund_offer_id,
        passengers=what.passengers,
        display_currency=display_currency or what.requested_currency,
        fast=what.fast_confirmation == FastConfirmation.YES,
        order_no=what.order_no,
    )


def everyone(passengers: Iterable[RefundPassenger]) -> tuple[RefundPassenger, ...]:
    people = tuple(passengers) if isinstance(passengers, Iterable) else ()  # pyright: ignore[reportUnnecessaryIsInstance]
    if not people or not all(isinstance(person, RefundPassenger) for person in people):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidRequestError("passengers: give at least one RefundPassenger, and nothing else")
    return people


def prepare(
    operation: Operation,
    body: Sent,
    credentials: Credentials,
    timeouts: Timeouts,
) -> Request:
    """The bytes and headers of a call, as the published requests have them."""
    return Request(
        name=operation.value,
        path=body.PATH,
        headers={
            **STANDARD_HEADERS,
            "x-atlas-client-id": credentials.client_id,
            "x-atlas-client-secret": credentials.client_secret,
        },
        content=COMPACT.encode(body.to_dict()).encode(),
        timeout=getattr(timeouts, operation.value),
        connect_timeout=timeouts.connect,
        once=operation is Operation.SUBMIT,
    )
