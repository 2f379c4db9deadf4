from ..types import OpenEnum


class PassengerType(OpenEnum):
    """The published values; an unknown value is kept, see OpenEnum. The fields of this type say what they mean."""

    ADT = "ADT"
    CHD = "CHD"
    INF = "INF"
