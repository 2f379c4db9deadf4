from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Self

import attrs

from .. import types as wire


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RefundFareAmount(wire.Received):
    """RefundFareAmount, as on the refunds page."""

    currency: str | None = None
    """ The refund calculation for flight fare and inflow ancillaries.
    3-letter ISO currency code. """
    original_fare_amount: Decimal | None = None
    """ Original fare of the flight. """
    estimated_refund_amount: Decimal | None = None
    """ Estimated amount which can be got back for this refund of flight. """
    display_original_fare_amount: Decimal | None = None
    """ Original Fare Amount in display currency. """
    display_estimated_refund_amount: Decimal | None = None
    """ EstimatedRefundAmount in display currency. """

    NAMES: ClassVar[dict[str, str]] = {
        "currency": "currency",
        "originalFareAmount": "original_fare_amount",
        "estimatedRefundAmount": "estimated_refund_amount",
        "displayOriginalFareAmount": "display_original_fare_amount",
        "displayEstimatedRefundAmount": "display_estimated_refund_amount",
    }
    PROMISED: ClassVar[frozenset[str]] = frozenset(
        (
            "currency",
            "originalFareAmount",
            "estimatedRefundAmount",
        )
    )

    @classmethod
    def from_dict(cls, src: Mapping[str, Any], **more: Any) -> Self:
        wire.expect_object(src, cls.NAMES)
        return cls(
            raw=src,
            currency=wire.get(src, "currency", wire.text, True),
            original_fare_amount=wire.get(src, "originalFareAmount", wire.number, True),
            estimated_refund_amount=wire.get(src, "estimatedRefundAmount", wire.number, True),
            display_original_fare_amount=wire.get(src, "displayOriginalFareAmount", wire.number),
            display_estimated_refund_amount=wire.get(src, "displayEstimatedRefundAmount", wire.number),
            **more,
        )
