from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import attrs

from .. import types as wire
from ..models.refund_completed_notification import RefundCompletedNotification


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RefundCompletedEvent(wire.Received):
    """Body of the order.refundComplete webhook (enveloped form)."""

    cid: str | None = attrs.field(default=None, repr=False)
    """ Identifies the client. Not a secret. """
    type_: str | None = None
    """ "order.refundComplete" in the samples, "order.refundCompleted" in the text. """
    data: RefundCompletedNotification | None = None
    """ Body of the order.refundComplete webhook (flat form). """

    NAMES: ClassVar[dict[str, str]] = {
        "cid": "cid",
        "type": "type_",
        "data": "data",
    }
    PROMISED: ClassVar[frozenset[str]] = frozenset(
        (
            "type",
            "data",
        )
    )

    @classmethod
    def from_dict(cls, src: Mapping[str, Any], **more: Any) -> Self:
        wire.expect_object(src, cls.NAMES)
        return cls(
            raw=src,
            cid=wire.get(src, "cid", wire.text),
            type_=wire.get(src, "type", wire.text, True),
            data=wire.get(src, "data", RefundCompletedNotification.from_dict, True),
            **more,
        )
