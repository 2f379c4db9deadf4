from ..types import OpenEnum


class QuoteType(OpenEnum):
    """The published values; an unknown value is kept, see OpenEnum. The fields of this type say what they mean."""

    ACCURATE_QUOTE = "AccurateQuote"
    CANNOT_QUOTE = "CannotQuote"
