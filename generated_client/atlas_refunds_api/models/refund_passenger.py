from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from .. import types as wire
from ..models.refund_reason import RefundReason
from ..models.refund_segment import RefundSegment


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RefundPassenger(wire.Model):
    """RefundPassenger, as on the refunds page."""

    last_name: str = attrs.field(validator=wire.of(str, pattern="\\S", words="text that is not blank"), repr=False)
    """ Last name of the passenger requesting a refund. """
    first_name: str = attrs.field(validator=wire.of(str, pattern="\\S", words="text that is not blank"), repr=False)
    """ First name of the passenger requesting a refund. """
    segments: Sequence[RefundSegment] = attrs.field(validator=wire.of(RefundSegment, many=True, min_items=1))

    refund_reason: RefundReason = attrs.field(validator=wire.of(RefundReason))
    """ Code representing the reason for the refund request.
    - 0: Involuntary
    - 1: Voluntary
    - 4: Void """

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "segments", wire.fixed(self.segments))

    def to_dict(self) -> dict[str, Any]:
        out: dict[str, Any] = {}
        out["lastName"] = wire.put(self.last_name)
        out["firstName"] = wire.put(self.first_name)
        out["segments"] = wire.put(self.segments)
        out["refundReason"] = wire.put(self.refund_reason)
        return out
