from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import attrs

from .. import types as wire
from ..models.quote_type import QuoteType
from ..models.refund_fare_amount import RefundFareAmount
from ..models.refund_method import RefundMethod
from ..models.refund_post_ticketing_service_amount import (
    RefundPostTicketingServiceAmount,
)
from ..models.refund_rule import RefundRule
from ..models.refund_status import RefundStatus
from ..models.refund_ticket import RefundTicket
from ..models.refund_voucher import RefundVoucher
from ..models.service_fee import ServiceFee


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RefundOrder(wire.Received):
    """RefundOrder, as on the refunds page."""

    order_no: str | None = None
    """ Original order number """
    refund_code: str | None = None
    """ Refund order number generated for this refund request """
    display_currency: str | None = None
    """ The alternative currency in which the fare and taxes amount needs to be displayed. The 3-letter currency code
    should be entered. """
    expected_confirmation_date: datetime.date | None = None
    """ Expected date of getting airline refund confirmation. The format is `yyyyMMdd`. """
    expected_refund_date: datetime.date | None = None
    """ Expected date of getting refund. The format is `yyyyMMdd`. """
    refund_quote_type: QuoteType | None = None
    """ Type of refund quote:
    AccurateQuote：quotation based on the calculated amount.
    CannotQuote: quotation is unknown and will be according to the airline's rates """
    refund_tickets: tuple[RefundTicket, ...] = ()
    """ The refund calculation for each of the passengers whose refund quote has been requested """
    refund_post_ticketing_service_amounts: tuple[RefundPostTicketingServiceAmount, ...] = ()
    """ The refund calculation for Post-ticketing Servrice, including baggage etc. Each post-ticketing order will be
    present as an object. """
    refund_vouchers: tuple[RefundVoucher, ...] = ()
    """ If `refundMethod` is Voucher,  the `refundVouchers` field is not null. """
    service_fee: ServiceFee | None = None
    """ Service fee of refund. """
    refund_rules: tuple[RefundRule, ...] = ()
    """ The refund rules for the fare whose refund quote has been requested. """
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
    cancel_reason: str | None = attrs.field(default=None, repr=False)
    """ The reason why the refund was cancelled.
    The refund reasons are:
    Does not match airline policy.
    There is no schedule change from the airline side. \\nPlease refer the ticket Fare Rules available in ATRIP
    flight deck for cancellation charges.
    Voluntary Cancellation - Non-Refundable
    As per airline policy, only voucher refund is available for the ticket
    Refund request cancelled by the user
    Travel has been completed by the passenger.
    Refund not yet received from the airline. Please try again later.
    The order is paid by your VCC. please refund by yourself
    It's issued via your B2B account, please refund by yourself
    Refund is availalbe through airline's B2C website. Please refund by yourself.
    The refund claim voucher is invalid.
    Duplicate Refund Record
    Need to provide more materials that meet airline requirements
    Actual refund amount less than service fee. Will reject it. """
    refund_offer_id: str | None = None
    """ Refund offer id for this quotation which can be used for the coming refund call. """
    refund_method: RefundMethod | None = None
    """ Refund method: CashBackToOriginalPayment or Voucher """
    refund_fare_amount: RefundFareAmount | None = None
    """ Fare and in-flow ancillaries. Not null if refundMethod is CashBackToOriginalPayment. """

    NAMES: ClassVar[dict[str, str]] = {
        "orderNo": "order_no",
        "refundCode": "refund_code",
        "displayCurrency": "display_currency",
        "expectedConfirmationDate": "expected_confirmation_date",
        "expectedRefundDate": "expected_refund_date",
        "refundQuoteType": "refund_quote_type",
        "refundTickets": "refund_tickets",
        "refundPostTicketingServiceAmounts": "refund_post_ticketing_service_amounts",
        "refundVouchers": "refund_vouchers",
        "serviceFee": "service_fee",
        "refundRules": "refund_rules",
        "refundStatus": "refund_status",
        "cancelReason": "cancel_reason",
        "refundOfferId": "refund_offer_id",
        "refundMethod": "refund_method",
        "refundFareAmount": "refund_fare_amount",
    }
    PROMISED: ClassVar[frozenset[str]] = frozenset(
        (
            "orderNo",
            "refundCode",
            "refundQuoteType",
            "refundTickets",
            "serviceFee",
            "refundRules",
            "refundStatus",
            "refundOfferId",
            "refundMethod",
        )
    )

    @classmethod
    def from_dict(cls, src: Mapping[str, Any], **more: Any) -> Self:
        wire.expect_object(src, cls.NAMES)
        return cls(
            raw=src,
            order_no=wire.get(src, "orderNo", wire.text, True),
            refund_code=wire.get(src, "refundCode", wire.text, True),
            display_currency=wire.get(src, "displayCurrency", wire.text),
            expected_confirmation_date=wire.get(src, "expectedConfirmationDate", wire.ymd),
            expected_refund_date=wire.get(src, "expectedRefundDate", wire.ymd),
            refund_quote_type=wire.get(src, "refundQuoteType", QuoteType.read, True),
            refund_tickets=wire.many(src, "refundTickets", RefundTicket.from_dict, True),
            refund_post_ticketing_service_amounts=wire.many(
                src, "refundPostTicketingServiceAmounts", RefundPostTicketingServiceAmount.from_dict
            ),
            refund_vouchers=wire.many(src, "refundVouchers", RefundVoucher.from_dict),
            service_fee=wire.get(src, "serviceFee", ServiceFee.from_dict, True),
            refund_rules=wire.many(src, "refundRules", RefundRule.from_dict, True),
            refund_status=wire.get(src, "refundStatus", RefundStatus.read, True),
            cancel_reason=wire.get(src, "cancelReason", wire.text),
            refund_offer_id=wire.get(src, "refundOfferId", wire.text, True),
            refund_method=wire.get(src, "refundMethod", RefundMethod.read, True),
            refund_fare_amount=wire.get(src, "refundFareAmount", RefundFareAmount.from_dict),
            **more,
        )
