from ..types import OpenEnum


class RefundableAncillary(OpenEnum):
    """The published values; an unknown value is kept, see OpenEnum. The fields of this type say what they mean."""

    STANDARD_CHECK_IN_BAGGAGE = "StandardCheckInBaggage"
    CABIN_BAGGAGE = "CabinBaggage"
    CABIN_BAGGAGE_UNDER_SEAT = "CabinBaggageUnderSeat"
    CABIN_BAGGAGE_OVERHEAD_LOCKER = "CabinBaggageOverheadLocker"
    ALL = "ALL"
