from __future__ import annotations

from typing import Any, ClassVar

import attrs

from .. import types as wire


@attrs.frozen(kw_only=True, eq=False, repr=False)
class QueryRefundOrdersRequest(wire.Model):
    """QueryRefundOrdersRequest, as on the refunds page."""

    PATH: ClassVar[str] = "/queryRefundOrders.do"
    refund_code: str | None = attrs.field(
        validator=wire.of(str, null=True, pattern="\\S", words="text that is not blank")
    )
    """ The code of the refund transaction received in the refund.do response. """
    order_no: str | None = attrs.field(validator=wire.of(str, null=True))
    """ Atlas original order number. You can choose to request either orderNo or both airlinePNR and carrier. If you use
    `orderNo`, the `airlinePNR` and `carrier` fields may be null. """
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

    def to_dict(self) -> dict[str, Any]:
        out: dict[str, Any] = {}
        out["refundCode"] = wire.put(self.refund_code)
        out["orderNo"] = wire.put(self.order_no)
        out["airlinePNR"] = wire.put(self.airline_pnr)
        out["carrier"] = wire.put(self.carrier)
        if self.display_currency is not None:
            out["displayCurrency"] = wire.put(self.display_currency)
        return out
