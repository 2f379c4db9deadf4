from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Self

import attrs

from .. import types as wire
from ..models.eligible_passenger import EligiblePassenger


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RefundVoucher(wire.Received):
    """Information about the voucher refund."""

    voucher_id: str | None = attrs.field(default=None, repr=False)
    """ A unique identifier of Atlas used to distinguish different vouchers. """
    voucher_code: str | None = attrs.field(default=None, repr=False)
    """ The voucherCode airline returned. """
    eligible_passengers: tuple[EligiblePassenger, ...] = ()
    """ The passenger information eligible to use this voucher. """
    airline: str | None = None
    """ The airline from which the voucher originates. """
    estimated_refund_amount: Decimal | None = None
    """ The amount value of the voucher. """
    currency: str | None = None
    """ The currency type of the voucher. """
    voucher_start_date: datetime.date | None = None
    """ The date on which the voucher can begin to be used. Defaults to the date when the refund status is set to
    "Refunded". The format is `yyyyMMdd`. """
    voucher_end_date: datetime.date | None = None
    """ The expiry date of the voucher. The format is `yyyyMMdd`. """
    travel_start_date: datetime.date | None = None
    """ The actual travel start date. The format is `yyyyMMdd`. """
    travel_end_date: datetime.date | None = None
    """ The actual travel end date. The format is `yyyyMMdd`. """
    note: str | None = attrs.field(default=None, repr=False)
    """ A brief description or usage rule explanation for the voucher. """

    NAMES: ClassVar[dict[str, str]] = {
        "voucherId": "voucher_id",
        "voucherCode": "voucher_code",
        "eligiblePassengers": "eligible_passengers",
        "airline": "airline",
        "estimatedRefundAmount": "estimated_refund_amount",
        "currency": "currency",
        "voucherStartDate": "voucher_start_date",
        "voucherEndDate": "voucher_end_date",
        "travelStartDate": "travel_start_date",
        "travelEndDate": "travel_end_date",
        "note": "note",
    }
    PROMISED: ClassVar[frozenset[str]] = frozenset(
        (
            "estimatedRefundAmount",
            "currency",
        )
    )

    @classmethod
    def from_dict(cls, src: Mapping[str, Any], **more: Any) -> Self:
        wire.expect_object(src, cls.NAMES)
        return cls(
            raw=src,
            voucher_id=wire.get(src, "voucherId", wire.text),
            voucher_code=wire.get(src, "voucherCode", wire.text),
            eligible_passengers=wire.many(src, "eligiblePassengers", EligiblePassenger.from_dict),
            airline=wire.get(src, "airline", wire.text),
            estimated_refund_amount=wire.get(src, "estimatedRefundAmount", wire.number, True),
            currency=wire.get(src, "currency", wire.text, True),
            voucher_start_date=wire.get(src, "voucherStartDate", wire.ymd),
            voucher_end_date=wire.get(src, "voucherEndDate", wire.ymd),
            travel_start_date=wire.get(src, "travelStartDate", wire.ymd),
            travel_end_date=wire.get(src, "travelEndDate", wire.ymd),
            note=wire.get(src, "note", wire.text),
            **more,
        )
