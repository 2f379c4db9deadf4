from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import attrs

from .. import types as wire
from ..models.refund_passenger import RefundPassenger


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RefundRequest(wire.Model):
    """RefundRequest, as on the refunds page."""

    PATH: ClassVar[str] = "/refund.do"
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
    """ The alternative currency in which the fare and taxes amount needs to be displayed. The 3-letter currency code
    should be entered. """
    refund_offer_id: str | None = attrs.field(
        validator=wire.of(str, null=True, pattern="\\S", words="text that is not blank")
    )
    """ Get this from the refund quotation response. You can request with refundOfferId or refundRequestList. If you use
    `refundRequestList`, the field `refundOfferId` is null. """
    refund_request_list: Sequence[RefundPassenger] | None = attrs.field(
        validator=wire.of(RefundPassenger, null=True, many=True, min_items=1)
    )
    """ You can request with refundOfferId or refundRequestList. If you use `refundOfferId`, the field
    `refundRequestList` is null. """

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "refund_request_list", wire.fixed(self.refund_request_list))

    def to_dict(self) -> dict[str, Any]:
        out: dict[str, Any] = {}
        out["orderNo"] = wire.put(self.order_no)
        out["airlinePNR"] = wire.put(self.airline_pnr)
        out["carrier"] = wire.put(self.carrier)
        if self.display_currency is not None:
            out["displayCurrency"] = wire.put(self.display_currency)
        out["refundOfferId"] = wire.put(self.refund_offer_id)
        out["refundRequestList"] = wire.put(self.refund_request_list)
        return out
