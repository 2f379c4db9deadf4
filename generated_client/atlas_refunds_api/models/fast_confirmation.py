from ..types import OpenEnum


class FastConfirmation(OpenEnum):
    """The published values; an unknown value is kept, see OpenEnum. The fields of this type say what they mean."""

    NO = 0
    YES = 1
