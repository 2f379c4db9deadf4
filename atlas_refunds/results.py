"""What the calls return: the generated models with what only the layer knows added to them.

Each result is the generated model of its answer (all its fields, `raw`, `extra`), so a field that Atlas adds reaches
users by regenerating alone.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Protocol, TypeAlias, cast

import attrs
from atlas_refunds_api import types as wire
from atlas_refunds_api.models import (
    FastConfirmation,
    QueryRefundOrdersResponse,
    RefundOrder,
    RefundPassenger,
    RefundQuotationResponse,
    RefundResponse,
    RefundStatus,
)

from .errors import BadResponseError, InvalidRequestError, RefundNotCompletedError, RefundNotFoundError
from .orders import ORDER_NO, AirlinePnr, OrderNo, OrderRef, fits, names_another
from .statuses import is_final, is_refunded
from .tokens import RefundToken


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RefundQuote(RefundQuotationResponse):
    """What a refund would bring (refunds page, /refundQuotation.do). Valid for about two hours; Atlas decides (805).

    Amounts are Decimal in the currency beside them. `estimated_refund_amount` is before `service_fee`, and only a
    placeholder when `refund_quote_type` is CANNOT_QUOTE.
    """

    order: OrderRef
    passengers: tuple[RefundPassenger, ...]
    requested_currency: str | None = None
    """The display currency that was asked for; a submit of this quote asks for it again."""
    request_id: str | None = attrs.field(default=None, eq=False)
    """Atlas' id of the request, for its support, if the answer names one."""


class _Followed(Protocol):
    @property
    def refund_status(self) -> RefundStatus | None: ...


class _Outcome:
    """What a refund's status means, when the payment mode is not known (see statuses.py)."""

    __slots__ = ()

    @property
    def is_final(self: _Followed) -> bool:
        """Whether the refund will not change any more; an unknown status is not final."""
        return is_final(self.refund_status)

    @property
    def is_refunded(self: _Followed) -> bool:
        """Whether it ended with money."""
        return is_refunded(self.refund_status)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Refund(_Outcome, RefundResponse):
    """A submitted refund (refunds page, /refund.do). Submitted is not refunded: follow it."""

    order: OrderRef
    submitted: datetime
    """When, UTC, by this machine's clock."""
    quoted_fast: bool = False
    """Whether the quote announced a fast confirmation; the submit's own answer leaves it out."""
    request_id: str | None = attrs.field(default=None, eq=False)
    """Atlas' id of the request, for its support, if the answer names one."""

    @property
    def token(self) -> RefundToken:
        """Keep `str(refund.token)` in your database before anything else."""
        return RefundToken(
            order=best_ref(self.order, self.order_no),
            refund_code=self.refund_code,
            submitted=self.submitted,
            fast=self.quoted_fast or self.fast_confirmation == FastConfirmation.YES,
        )


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RefundState(_Outcome, RefundOrder):
    """Where a refund stands (refunds page, /queryRefundOrders.do)."""

    order: OrderRef
    request_id: str | None = attrs.field(default=None, eq=False)
    """Atlas' id of the request, for its support, if the answer names one."""

    @property
    def token(self) -> RefundToken:
        """To follow this refund; carries no age, unlike the token of the submit."""
        return RefundToken(order=best_ref(self.order, self.order_no), refund_code=self.refund_code)

    def raise_unless_refunded(self) -> None:
        """Raise RefundNotCompletedError unless the refund ended with money."""
        if not self.is_refunded:
            raise RefundNotCompletedError(self)


def best_ref(asked: OrderRef, order_no: str | None) -> OrderRef:
    """The order as it was asked for; Atlas' number in place of a PNR, which can match several orders."""
    return OrderNo(order_no) if isinstance(asked, AirlinePnr) and order_no and fits(ORDER_NO, order_no) else asked


Followable: TypeAlias = Refund | RefundState | RefundToken | str
"""What names a refund that is to be followed; text is that of a token."""


def token_of(refund: Followable) -> RefundToken:
    """Raises InvalidRequestError when it is none of these, or text that is no token."""
    match refund:
        case RefundToken():
            return refund
        case Refund() | RefundState():
            return refund.token
        case str():
            return RefundToken.parse(refund)
        case _:  # what type checkers exclude and callers do
            given = type(refund).__name__
            raise InvalidRequestError(f"refund: give a Refund, a RefundState, a RefundToken or its text, not {given}")


ENVELOPE_EXTRAS: Final = frozenset(("requestId", "clientRequestId", "uuid"))
"""What other endpoints' envelopes have too, and says nothing of refunds."""


def listed(answer: Mapping[str, Any], request_id: str | None, asked: OrderRef, *, strict: bool) -> list[RefundState]:
    """The refunds of a query's answer, each with its own order; `strict` refuses what may not be the whole list.

    Raises WireError.
    """
    if strict:
        check_whole(answer)

    def read(entry: dict[str, Any]) -> RefundState:
        state = RefundState.from_dict(entry, order=asked, request_id=request_id)
        if not state.order_no or not names_another(state.order_no, asked):
            return state
        if not fits(ORDER_NO, state.order_no):
            raise wire.WireError("an order number", "something else", "orderNo")
        return attrs.evolve(state, order=OrderNo(state.order_no))

    return list(wire.many(answer, "refundOrders", read))


def check_whole(answer: Mapping[str, Any]) -> None:
    """Raises WireError unless it is a success with a list of objects, and with nothing that no document knows."""
    status, entries = answer.get("status"), answer.get("refundOrders")
    if status.__class__ is not int:
        raise wire.WireError("a number", "something else", "status")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in cast("list[object]", entries)):
        raise wire.WireError("a list of objects", "something else", "refundOrders")
    if answer.keys() - QueryRefundOrdersResponse.NAMES.keys() - ENVELOPE_EXTRAS:
        raise wire.WireError("the documented members", "others too")


def only(states: list[RefundState], asked: OrderRef, refund_code: str | None) -> RefundState:
    """The one refund that was asked for; without a code there has to be exactly one. Another order's is none.

    Raises RefundNotFoundError, or BadResponseError when several fit, or only one of another order does.
    """
    fit = [state for state in states if refund_code in (None, state.refund_code)]
    found = [state for state in fit if not names_another(state.order_no, asked)]
    if not fit:
        raise RefundNotFoundError(order=asked, refund_code=refund_code)
    if len(found) != 1:
        problem = f"{len(states)} refunds are listed, {len(found)} of them fit"
        raise BadResponseError(problem, http_status=200, content=b"")
    return found[0]
