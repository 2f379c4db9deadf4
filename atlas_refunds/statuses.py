"""The codes of a refund, and the only place that knows which of them are final.

Source: refunds page, refundStatus, and Atlas' refund guides. The numbers have had today's meaning since February
2025; never read stored numbers from before.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from atlas_refunds_api.models import RefundStatus


class PaymentMode(Enum):
    """How the order was paid. No answer of the API says so; who sold the ticket knows."""

    DEPOSIT = "deposit"
    """From the balance at Atlas, where the money returns to."""
    VCC = "vcc"
    """Virtual card passed through to the airline, which refunds the card itself."""


FINAL: Final[Mapping[PaymentMode | None, frozenset[RefundStatus]]] = {
    PaymentMode.DEPOSIT: frozenset({RefundStatus.REFUNDED, RefundStatus.REJECTED}),
    PaymentMode.VCC: frozenset({RefundStatus.REJECTED, RefundStatus.FULFILLMENT_DONE, RefundStatus.WITHDRAWN}),
    None: frozenset(
        {RefundStatus.REFUNDED, RefundStatus.REJECTED, RefundStatus.FULFILLMENT_DONE, RefundStatus.WITHDRAWN}
    ),
}
REFUNDED: Final = frozenset({RefundStatus.REFUNDED, RefundStatus.FULFILLMENT_DONE})


def is_final(status: RefundStatus | None, payment_mode: PaymentMode | None = None) -> bool:
    """Whether a refund with this status will not change any more; an unknown or missing status is never final."""
    return status in FINAL[payment_mode]


def is_refunded(status: RefundStatus | None) -> bool:
    """Whether the refund ended with money: credited to the deposit (2), or returned by the airline to the card (5)."""
    return status in REFUNDED
