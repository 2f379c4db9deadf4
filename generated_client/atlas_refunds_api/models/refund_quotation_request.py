from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import attrs

from .. import types as wire
from ..models.refund_passenger import RefundPassenger


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RefundQuotationRequest(wire.Model):
    """RefundQuotationRequest, as on the refunds page."""

    PATH: ClassVar[str] = "/refundQuotation.do"
    order_no: str | None = attrs.field(validator=wire.of(str, null=True))
    """ Atlas original order number.  You can choose to request either orderNo or both airlinePNR and carrier. If you
    use `orderNo`, the `airlinePNR` and `carrier` fields may be null. """
    airline_pnr: str | None = attrs.field(validator=wire.of(str, null=True), repr=False)
    """ The record locator of the airline. You can choose to request either orderNo or both airlinePNR and carrier. If
    you use `airlinePNR` and `carrier`, the `orderNo`  field may be null. """
    carrier: str | None = attrs.field(validator=wire.of(str, null=True))
    """ 2 character IATA airline code. you can choose to request either orderNo or both airlinePNR and carrier. If you
    use `airlinePNR` and `carrier`, the `orderNo`  field may be null. """
    display_currency: str | None = attrs.field(
        default=None, validator=wire.of(str, null=True, pattern="^[A-Z]{3}$", words="3 capital letters, such as EUR")
    )
    """ 3-letter code of an alternative currency in which amounts are shown as well. """
    refund_request_list: Sequence[RefundPassenger] = attrs.field(
        validator=wire.of(RefundPassenger, many=True, min_items=1)
    )

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "refund_request_list", wire.fixed(self.refund_request_list))

    def to_dict(self) -> dict[str, Any]:
        out: dict[str, Any] = {}
        out["orderNo"] = wire.put(self.order_no)
        out["airlinePNR"] = wire.put(self.airline_pnr)
        out["carrier"] = wire.put(self.carrier)
        if self.display_currency is not None:
            out["displayCurrency"] = wire.put(self.display_currency)
        out["refundRequestList"] = wire.put(self.refund_request_list)
        return out
