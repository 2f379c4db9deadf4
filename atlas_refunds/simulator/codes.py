"""The status codes that the simulator answers with, and the one way to answer with them."""

MESSAGES = {
    2: "System error",
    100: "Request body is not acceptable",
    801: "The order does not exist",
    802: "A child cannot travel alone after this refund",
    803: "A refund request for this passenger and segment has already been submitted",
    805: "refundOfferId is invalid or has expired, please quote again",
    807: "Passenger is not in the order",
    809: "The order has not been ticketed",
    810: "Invalid parameter",
    811: "The itinerary is incomplete: all segments have to be refunded together",
    812: "Passenger could not be matched to the order",
    814: "A refund submission for this order is being processed",
    815: "Ticket not found",
    816: "The refund request already exists",
    818: "A refund claim for this order already exists",
    820: "The ticket has been used",
    821: "The refund deadline has passed",
    822: "The void deadline has passed",
    823: "A void must cover all passengers of the order",
    824: "This is an ancillary order, the main order number is required",
    900: "Not authorised",
    902: "Access denied",
    905: "Submitting too often, please try again later",
    8041: "Segment is not in the order",
    9999: "Internal error",
}


class Refused(Exception):
    """The call ends with this status instead of an answer."""

    def __init__(self, code: int, detail: str = "") -> None:
        self.code = code
        self.message = f"{MESSAGES[code]}: {detail}" if detail else MESSAGES[code]
        super().__init__(f"{code} {self.message}")
