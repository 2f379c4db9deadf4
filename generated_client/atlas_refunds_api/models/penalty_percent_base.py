from ..types import OpenEnum


class PenaltyPercentBase(OpenEnum):
    """The published values; an unknown value is kept, see OpenEnum. The fields of this type say what they mean."""

    FARE = "fare"
    FARE_AND_TAX = "fare+tax"
