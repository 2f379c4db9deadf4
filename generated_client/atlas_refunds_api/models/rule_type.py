from ..types import OpenEnum


class RuleType(OpenEnum):
    """The published values; an unknown value is kept, see OpenEnum. The fields of this type say what they mean."""

    INVOLUNTARY = "0"
    VOLUNTARY = "1"
    TAX = "2"
    SPECIAL = "3"
    VOID = "4"
