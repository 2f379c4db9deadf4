from __future__ import annotations

import datetime
from typing import Any

import attrs

from .. import types as wire


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RefundSegment(wire.Model):
    """RefundSegment, as on the refunds page."""

    dep_date: datetime.date = attrs.field(validator=wire.of(datetime.date))
    """ Departure date of the segment which the passenger wants to refund. the format is `yyyyMMdd`. """
    flight_no: str = attrs.field(
        validator=wire.of(
            str, pattern="^[A-Z0-9]{3,8}$", words="3 to 8 capital letters and digits without a space, such as U22437"
        )
    )
    """ Flight number of the segment which the passenger wants to refund. """
    dep_airport: str = attrs.field(validator=wire.of(str, pattern="^[A-Z]{3}$", words="3 capital letters, such as LTN"))
    """ 3-letter IATA code of the departure airport. """
    arr_airport: str = attrs.field(validator=wire.of(str, pattern="^[A-Z]{3}$", words="3 capital letters, such as LTN"))
    """ 3-letter IATA code of the arrival airport. """

    def to_dict(self) -> dict[str, Any]:
        out: dict[str, Any] = {}
        out["depDate"] = wire.put(self.dep_date)
        out["flightNo"] = wire.put(self.flight_no)
        out["depAirport"] = wire.put(self.dep_airport)
        out["arrAirport"] = wire.put(self.arr_airport)
        return out
