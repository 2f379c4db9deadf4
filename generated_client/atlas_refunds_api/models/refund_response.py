from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import attrs

from .. import types as wire
from ..models.fast_confirmation import FastConfirmation
from ..models.quote_type import QuoteType
from ..models.refund_fare_amount import RefundFareAmount
from ..models.refund_method import RefundMethod
from ..models.refund_post_ticketing_service_amount import (
    RefundPostTicketingServiceAmount,
)
from ..models.refund_reason import RefundReason
from ..models.refund_rule import RefundRule
from ..models.refund_status import RefundStatus
from ..models.refund_ticket import RefundTicket
from ..models.refund_voucher import RefundVoucher
from ..models.service_fee import ServiceFee


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RefundResponse(wire.Received):
    """RefundResponse, as on the refunds page."""

    status: int | None = None
    """ Status code. 0 for Success, 2 for System error. """
    msg: str | None = attrs.field(default=None, repr=False)
    """ Error message
    The ‘msg’ element is for description of the results. Please do not use this field to check the success or
    failure of the request. Only use the ‘status’ code to check the result. """
    display_currency: str | None = None
    """ The alternative currency in which the fare and taxes amount needs to be displayed. The 3-letter currency code
    should be entered. """
    fast_confirmation: FastConfirmation | None = None
    """ Fast confirmation depends on whether the airline supports auto fulfillment.
    0 for False, 1 for True. """
    expected_confirmation_date: datetime.date | None = None
    """ Expected date of getting airline refund confirmation. The format is `yyyyMMdd`. """
    expected_refund_date: datetime.date | None = None
    """ Expected date of getting refund. The format is `yyyyMMdd`. """
    refund_quote_type: QuoteType | None = None
    """ Type of refund quote:
    - AccurateQuote：quotation based on the calculated amount.
    - CannotQuote: quotation is unknown and will be according to the airline's rates """
    refund_offer_id: str | None = None
    """ Refund offer id for this quotation which can be used for the coming refund call. """
    refund_method: RefundMethod | None = None
    """ Refund method: CashBackToOriginalPayment or Voucher.
    - CashBackToOriginalPayment: Refund cash back to the original form of payment.
    - Voucher: Refund in the form of a voucher. """
    refund_tickets: tuple[RefundTicket, ...] = ()
    """ The refund calculation for each of the passengers whose refund quote has been requested """
    refund_vouchers: tuple[RefundVoucher, ...] = ()
    """ If `refundMethod` is Voucher, the `refundVouchers` is not null. """
    service_fee: ServiceFee | None = None
    """ Service fee of refund. """
    refund_rules: tuple[RefundRule, ...] = ()
    """ The refund rules for the fare whose refund quote has been requested. """
    order_no: str | None = None
    """ Original order number """
    is_refundable: bool | None = None
    """ True : Refundable False: Non-Refundable
    true or false """
    refund_status: RefundStatus | None = None
    """ The present status of the refund.
    The options are:
    0: Atlas Processing
    1: Airline Processing (Submitted to airline by Atlas)
    2: Refunded
    3: Airline Refunding
    4: Rejected
    5: Fullfillment Done
    6: Withdrew
    If the ticket is paid by deposit: the status can be 0,1,2,3,4
    If the ticket is paid by VCC pass through: the status can be 0,1,4,5,6
    Withdrew is only in the refund claim """
    refund_code: str | None = None
    """ Refund order number generated for this refund request """
    cancel_reason: str | None = attrs.field(default=None, repr=False)
    """ The reason why the refund was cancelled.
    The refund reasons are:
    Does not match airline policy
    There is no schedule change from the airline side. Please refer the ticket Fare Rules available in ATRIP flight
    deck for cancellation charges.
    Voluntary Cancellation - Non-Refundable
    As per airline policy, only voucher refund is available for the ticket
    Refund request cancelled by the user
    Travel has been completed by the passenger
    Refund not yet received from the airline. Please try again later. """
    refund_reason: RefundReason | None = None
    """ Refund reason
    0: Involuntary
    1: Voluntary
    4: Void """
    refund_post_ticketing_service_amounts: tuple[RefundPostTicketingServiceAmount, ...] = ()
    """ Refund calculation of post-ticketing services such as baggage, one entry a post-ticketing order. """
    refund_fare_amount: RefundFareAmount | None = None
    """ Fare and in-flow ancillaries. Not null if refundMethod is CashBackToOriginalPayment. """

    NAMES: ClassVar[dict[str, str]] = {
        "status": "status",
        "msg": "msg",
        "displayCurrency": "display_currency",
        "fastConfirmation": "fast_confirmation",
        "expectedConfirmationDate": "expected_confirmation_date",
        "expectedRefundDate": "expected_refund_date",
        "refundQuoteType": "refund_quote_type",
        "refundOfferId": "refund_offer_id",
        "refundMethod": "refund_method",
        "refundTickets": "refund_tickets",
        "refundVouchers": "refund_vouchers",
        "serviceFee": "service_fee",
        "refundRules": "refund_rules",
        "orderNo": "order_no",
        "isRefundable": "is_refundable",
        "refundStatus": "refund_status",
        "refundCode": "refund_code",
        "cancelReason": "cancel_reason",
        "refundReason": "refund_reason",
        "refundPostTicketingServiceAmounts": "refund_post_ticketing_service_amounts",
        "refundFareAmount": "refund_fare_amount",
    }
    PROMISED: ClassVar[frozenset[str]] = frozenset(
        (
            "status",
            "expectedConfirmationDate",
            "expectedRefundDate",
            "refundQuoteType",
            "refundOfferId",
            "refundMethod",
            "refundTickets",
            "serviceFee",
            "orderNo",
            "isRefundable",
            "refundStatus",
            "refundCode",
        )
    )

    @classmethod
    def from_dict(cls, src: Mapping[str, Any], **more: Any) -> Self:
        wire.expect_object(src, cls.NAMES)
        return cls(
            raw=src,
            status=wire.get(src, "status", wire.integer, True),
            msg=wire.get(src, "msg", wire.text),
            display_currency=wire.get(src, "displayCurrency", wire.text),
            fast_confirmation=wire.get(src, "fastConfirmation", FastConfirmation.read),
            expected_confirmation_date=wire.get(src, "expectedConfirmationDate", wire.ymd, True),
            expected_refund_date=wire.get(src, "expectedRefundDate", wire.ymd, True),
            refund_quote_type=wire.get(src, "refundQuoteType", QuoteType.read, True),
            refund_offer_id=wire.get(src, "refundOfferId", wire.text, True),
            refund_method=wire.get(src, "refundMethod", RefundMethod.read, True),
            refund_tickets=wire.many(src, "refundTickets", RefundTicket.from_dict, True),
            refund_vouchers=wire.many(src, "refundVouchers", RefundVoucher.from_dict),
            service_fee=wire.get(src, "serviceFee", ServiceFee.from_dict, True),
            refund_rules=wire.many(src, "refundRules", RefundRule.from_dict),
            order_no=wire.get(src, "orderNo", wire.text, True),
            is_refundable=wire.get(src, "isRefundable", wire.boolean, True),
            refund_status=wire.get(src, "refundStatus", RefundStatus.read, True),
            refund_code=wire.get(src, "refundCode", wire.text, True),
            cancel_reason=wire.get(src, "cancelReason", wire.text),
            refund_reason=wire.get(src, "refundReason", RefundReason.read),
            refund_post_ticketing_service_amounts=wire.many(
                src, "refundPostTicketingServiceAmounts", RefundPostTicketingServiceAmount.from_dict
            ),
            refund_fare_amount=wire.get(src, "refundFareAmount", RefundFareAmount.from_dict),
            **more,
        )
