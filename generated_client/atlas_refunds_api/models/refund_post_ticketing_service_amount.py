from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Self

import attrs

from .. import types as wire


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RefundPostTicketingServiceAmount(wire.Received):
    """The refund calculation for Post-ticketing Servrice, including baggage"""

    post_ticketing_order_no: str | None = None
    """ Unique order number for the post-ticketing service. """
    currency: str | None = None
    """ Currency used for post-ticketing service calculations.
    3-letter ISO currency code. """
    original_post_ticketing_service_amount: Decimal | None = None
    """ The original amount charged for the post-ticketing service. """
    estimated_refund_amount: Decimal | None = None
    """ Estimated amount which can be got back for this refund of Ancillaries. """
    display_post_ticketing_service_amount: Decimal | None = None
    """ The original post-ticketing service amount in the display currency. """
    display_estimated_refund_amount: Decimal | None = None
    """ The estimated refund amount displayed in the display currency. """

    NAMES: ClassVar[dict[str, str]] = {
        "postTicketingOrderNo": "post_ticketing_order_no",
        "currency": "currency",
        "originalPostTicketingServiceAmount": "original_post_ticketing_service_amount",
        "estimatedRefundAmount": "estimated_refund_amount",
        "displayPostTicketingServiceAmount": "display_post_ticketing_service_amount",
        "displayEstimatedRefundAmount": "display_estimated_refund_amount",
    }
    PROMISED: ClassVar[frozenset[str]] = frozenset(
        (
            "postTicketingOrderNo",
            "currency",
            "originalPostTicketingServiceAmount",
            "estimatedRefundAmount",
        )
    )

    @classmethod
    def from_dict(cls, src: Mapping[str, Any], **more: Any) -> Self:
        wire.expect_object(src, cls.NAMES)
        return cls(
            raw=src,
            post_ticketing_order_no=wire.get(src, "postTicketingOrderNo", wire.text, True),
            currency=wire.get(src, "currency", wire.text, True),
            original_post_ticketing_service_amount=wire.get(
                src, "originalPostTicketingServiceAmount", wire.number, True
            ),
            estimated_refund_amount=wire.get(src, "estimatedRefundAmount", wire.number, True),
            display_post_ticketing_service_amount=wire.get(src, "displayPostTicketingServiceAmount", wire.number),
            display_estimated_refund_amount=wire.get(src, "displayEstimatedRefundAmount", wire.number),
            **more,
        )
