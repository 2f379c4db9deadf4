from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Self

import attrs

from .. import types as wire
from ..models.passenger_type import PassengerType
from ..models.penalty_percent_base import PenaltyPercentBase
from ..models.refund_method import RefundMethod
from ..models.refundable_ancillary import RefundableAncillary
from ..models.rule_type import RuleType


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RefundRule(wire.Received):
    """RefundRule, as on the refunds page."""

    airline: str | None = None
    """ Airline code for which the refund rule applies.
     2-letter IATA airline code. """
    rule_type: RuleType | None = None
    """ Rule type.
    0: Involuntary Refund
    1: Voluntary Refund
    2: Tax Refund
    3: Special Refund
    4: Void Refund """
    passenger_type: PassengerType | None = None
    """ Passenger type for which the refund rule applies.
    Can be ADT (Adult), CHD (Child), INF (Infant). """
    penalty_amount: str | None = None
    """ The penalty amount charged for the refund.
    Monetary value with currency code. """
    penalty_percent: Decimal | None = None
    """ The percentage of the fare charged as penalty. """
    penalty_percent_base: PenaltyPercentBase | None = None
    """ The calculation on which the penalty percentage is based.
    Can be fare, fare+tax. """
    airline_fee: str | None = None
    """ Additional airline fee for processing the refund.
     Monetary value with currency code. """
    tax_refundable: bool | None = None
    """ Indicates whether the tax is refundable is available.
    true or false """
    fare_refundable: bool | None = None
    """ Indicates whether the ticket is refundable.
    true or false. """
    refundable_ancillaries: tuple[RefundableAncillary, ...] = ()
    """ List of refundable ancillary services, if any. """
    start_minute: int | None = None
    """ Starting time of rule application.
    Positive numbers represent XXX minutes before departure.
    Negative numbers represent XXX minutes after departure. """
    end_minute: int | None = None
    """ Ending time of rule application.
    Positive numbers represent XXX minutes before departure.
    Negative numbers represent XXX minutes after departure. """
    refund_method: RefundMethod | None = None
    """ Refund method:
    CashBackToOriginalPayment or Voucher.
    - CashBackToOriginalPayment: Refund cash back to the original form of payment
    - Voucher: Refund in the form of a voucher """

    NAMES: ClassVar[dict[str, str]] = {
        "airline": "airline",
        "ruleType": "rule_type",
        "passengerType": "passenger_type",
        "penaltyAmount": "penalty_amount",
        "penaltyPercent": "penalty_percent",
        "penaltyPercentBase": "penalty_percent_base",
        "airlineFee": "airline_fee",
        "taxRefundable": "tax_refundable",
        "fareRefundable": "fare_refundable",
        "refundableAncillaries": "refundable_ancillaries",
        "startMinute": "start_minute",
        "endMinute": "end_minute",
        "refundMethod": "refund_method",
    }
    PROMISED: ClassVar[frozenset[str]] = frozenset(
        (
            "airline",
            "ruleType",
        )
    )

    @classmethod
    def from_dict(cls, src: Mapping[str, Any], **more: Any) -> Self:
        wire.expect_object(src, cls.NAMES)
        return cls(
            raw=src,
            airline=wire.get(src, "airline", wire.text, True),
            rule_type=wire.get(src, "ruleType", RuleType.read, True),
            passenger_type=wire.get(src, "passengerType", PassengerType.read),
            penalty_amount=wire.get(src, "penaltyAmount", wire.text),
            penalty_percent=wire.get(src, "penaltyPercent", wire.number),
            penalty_percent_base=wire.get(src, "penaltyPercentBase", PenaltyPercentBase.read),
            airline_fee=wire.get(src, "airlineFee", wire.text),
            tax_refundable=wire.get(src, "taxRefundable", wire.boolean),
            fare_refundable=wire.get(src, "fareRefundable", wire.boolean),
            refundable_ancillaries=wire.many(src, "refundableAncillaries", RefundableAncillary.read),
            start_minute=wire.get(src, "startMinute", wire.integer),
            end_minute=wire.get(src, "endMinute", wire.integer),
            refund_method=wire.get(src, "refundMethod", RefundMethod.read),
            **more,
        )
