from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Self

import attrs

from .. import types as wire


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ServiceFee(wire.Received):
    """Service fee of refund."""

    currency: str | None = None
    """ Currency used for the service fee.
    3-letter ISO currency code. """
    transaction_fee: Decimal | None = None
    """ Transaction Fee of refund. """
    display_transaction_fee: Decimal | None = None
    """ TransactionFee in display currency. """

    NAMES: ClassVar[dict[str, str]] = {
        "currency": "currency",
        "transactionFee": "transaction_fee",
        "displayTransactionFee": "display_transaction_fee",
    }
    PROMISED: ClassVar[frozenset[str]] = frozenset(
        (
            "currency",
            "transactionFee",
        )
    )

    @classmethod
    def from_dict(cls, src: Mapping[str, Any], **more: Any) -> Self:
        wire.expect_object(src, cls.NAMES)
        return cls(
            raw=src,
            currency=wire.get(src, "currency", wire.text, True),
            transaction_fee=wire.get(src, "transactionFee", wire.number, True),
            display_transaction_fee=wire.get(src, "displayTransactionFee", wire.number),
            **more,
        )
