from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Self

import attrs

from .. import types as wire
from ..models.refund_status import RefundStatus


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RefundCompletedNotification(wire.Received):
    """Body of the order.refundComplete webhook (flat form)."""

    cid: str | None = attrs.field(default=None, repr=False)
    """ Identifies the client. Not a secret. """
    order_no: str | None = None
    """ Original order number. """
    currency: str | None = None
    """ 3-letter ISO code of all amounts. """
    original_total_fare: Decimal | None = None
    """ Fare paid without ancillaries. """
    original_total_ancillary_amount: Decimal | None = None
    """ Paid for ancillaries. """
    original_total_amount: Decimal | None = None
    """ Fare and ancillaries paid. """
    airline_penalty_amount_for_fare: Decimal | None = None
    """ Penalty for the fare. """
    airline_penalty_amount_for_ancillaries: Decimal | None = None
    """ Penalty for ancillaries. """
    airline_penalty_amount: Decimal | None = None
    """ The airline's whole penalty. """
    final_refund_amount: Decimal | None = None
    """ Amount given back. Documented as originalTotalAmount - airlinePenaltyAmount - transactionFee; the published
    samples do not add up. """
    transaction_fee: Decimal | None = None
    """ Fee deducted by Atlas. """
    refund_status: RefundStatus | None = None
    """ As RefundOrder.refundStatus. A string of digits in the form of 2022. """

    NAMES: ClassVar[dict[str, str]] = {
        "cid": "cid",
        "orderNo": "order_no",
        "currency": "currency",
        "originalTotalFare": "original_total_fare",
        "originalTotalAncillaryAmount": "original_total_ancillary_amount",
        "originalTotalAmount": "original_total_amount",
        "airlinePenaltyAmountForFare": "airline_penalty_amount_for_fare",
        "airlinePenaltyAmountForAncillaries": "airline_penalty_amount_for_ancillaries",
        "airlinePenaltyAmount": "airline_penalty_amount",
        "finalRefundAmount": "final_refund_amount",
        "transactionFee": "transaction_fee",
        "refundStatus": "refund_status",
    }
    PROMISED: ClassVar[frozenset[str]] = frozenset(
        (
            "orderNo",
            "refundStatus",
        )
    )

    @classmethod
    def from_dict(cls, src: Mapping[str, Any], **more: Any) -> Self:
        wire.expect_object(src, cls.NAMES)
        return cls(
            raw=src,
            cid=wire.get(src, "cid", wire.text),
            order_no=wire.get(src, "orderNo", wire.text, True),
            currency=wire.get(src, "currency", wire.text),
            original_total_fare=wire.get(src, "originalTotalFare", wire.number),
            original_total_ancillary_amount=wire.get(src, "originalTotalAncillaryAmount", wire.number),
            original_total_amount=wire.get(src, "originalTotalAmount", wire.number),
            airline_penalty_amount_for_fare=wire.get(src, "airlinePenaltyAmountForFare", wire.number),
            airline_penalty_amount_for_ancillaries=wire.get(src, "airlinePenaltyAmountForAncillaries", wire.number),
            airline_penalty_amount=wire.get(src, "airlinePenaltyAmount", wire.number),
            final_refund_amount=wire.get(src, "finalRefundAmount", wire.number),
            transaction_fee=wire.get(src, "transactionFee", wire.number),
            refund_status=wire.get(src, "refundStatus", RefundStatus.read, True),
            **more,
        )
