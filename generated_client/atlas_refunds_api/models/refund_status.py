from ..types import OpenEnum


class RefundStatus(OpenEnum):
    """The published values; an unknown value is kept, see OpenEnum. The fields of this type say what they mean."""

    ATLAS_PROCESSING = 0
    AIRLINE_PROCESSING = 1
    REFUNDED = 2
    AIRLINE_REFUNDING = 3
    REJECTED = 4
    FULFILLMENT_DONE = 5
    WITHDRAWN = 6
