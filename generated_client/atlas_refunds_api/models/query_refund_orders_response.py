from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import attrs

from .. import types as wire
from ..models.refund_order import RefundOrder


@attrs.frozen(kw_only=True, eq=False, repr=False)
class QueryRefundOrdersResponse(wire.Received):
    """QueryRefundOrdersResponse, as on the refunds page."""

    refund_orders: tuple[RefundOrder, ...] = ()

    status: int | None = None
    """ Status code. 0 for Success, 2 for System error. """
    msg: str | None = attrs.field(default=None, repr=False)
    """ Error message """

    NAMES: ClassVar[dict[str, str]] = {
        "refundOrders": "refund_orders",
        "status": "status",
        "msg": "msg",
    }
    PROMISED: ClassVar[frozenset[str]] = frozenset(
        (
            "refundOrders",
            "status",
        )
    )

    @classmethod
    def from_dict(cls, src: Mapping[str, Any], **more: Any) -> Self:
        wire.expect_object(src, cls.NAMES)
        return cls(
            raw=src,
            refund_orders=wire.many(src, "refundOrders", RefundOrder.from_dict, True),
            status=wire.get(src, "status", wire.integer, True),
            msg=wire.get(src, "msg", wire.text),
            **more,
        )
