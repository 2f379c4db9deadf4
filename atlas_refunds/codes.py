"""Atlas' status codes: what each means, and which error it becomes.

Source: Atlas' published error tables of 2024 to 2026 (refund, void and general). `msg` plays no part: its wording
differs between the tables and the service, and is sometimes wrong.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple

from .errors import (
    AlreadySubmittedError,
    ApiError,
    AuthenticationError,
    InvalidRequestRejected,
    NotReadyError,
    NotRefundableError,
    QuoteExpiredError,
    RateLimitedError,
    ServerError,
    SubmissionInProgressError,
)


class Advice(Enum):
    """What a caller can do about a code; the value is the sentence that error texts end with."""

    FIX = "change the request"
    AUTH = "check credentials, account, environment and source address"
    RATE = "slow down"
    WAIT = "try later"
    REQUOTE = "quote again"
    DUPLICATE = "query the existing refund instead"
    LOOK = "look for the order's refunds before you submit again"
    NO = "this is final"
    TEMPORARY = "a passing fault"
    UNKNOWN = "not in any table"

    @property
    def retryable(self) -> bool:
        return self in (Advice.RATE, Advice.WAIT, Advice.TEMPORARY)

    @property
    def settles_submit(self) -> bool:
        """Whether a submit that was answered so is known not to have been executed by this call."""
        return self not in (Advice.TEMPORARY, Advice.UNKNOWN)

    @property
    def frees_order(self) -> bool:
        """Whether another submit of the order may follow at once: this one was not executed, and no other is known."""
        return self.settles_submit and self not in (Advice.DUPLICATE, Advice.LOOK)


class Code(NamedTuple):
    meaning: str
    advice: Advice
    error: type[ApiError]


SUCCESS: Final = 0
UNLISTED: Final = Code("code without a published meaning", Advice.UNKNOWN, ApiError)
CONTRADICTION: Final = Code("the answer says two things", Advice.UNKNOWN, ApiError)

_TEMPORARY = (Advice.TEMPORARY, ServerError)
_FIX = (Advice.FIX, InvalidRequestRejected)
_AUTH = (Advice.AUTH, AuthenticationError)
_RATE = (Advice.RATE, RateLimitedError)
_DUPLICATE = (Advice.DUPLICATE, AlreadySubmittedError)
_NO = (Advice.NO, NotRefundableError)

CODES: Final[Mapping[int, Code]] = {
    -1: Code("error without a better code", *_TEMPORARY),
    2: Code("system error", *_TEMPORARY),
    9999: Code("internal error, or a structurally wrong body", *_TEMPORARY),
    100: Code("a mandatory item is missing", *_FIX),
    107: Code("deposit balance below the threshold", *_FIX),
    429: Code("request limit reached", *_RATE),
    801: Code("order not known to the refund side", *_FIX),
    802: Code("a child would travel alone", *_FIX),
    803: Code("a refund request exists for this passenger and segment", *_DUPLICATE),
    804: Code("all segments of one PNR must go together", *_FIX),
    805: Code("the offer is no longer valid", Advice.REQUOTE, QuoteExpiredError),
    806: Code("the refund must be made directly with the airline", *_NO),
    807: Code("a passenger is not in the order", *_FIX),
    808: Code("not refundable", *_NO),
    809: Code("the order is not ticketed yet", Advice.WAIT, NotReadyError),
    810: Code("invalid parameter", *_FIX),
    811: Code("the itinerary is incomplete, or one sector was flown", *_FIX),
    812: Code("a passenger could not be matched", *_FIX),
    813: Code("refund information temporarily unavailable", *_TEMPORARY),
    814: Code("a submission for this order is in progress", Advice.WAIT, SubmissionInProgressError),
    815: Code("ticket not found", *_FIX),
    816: Code("a refund request exists", *_DUPLICATE),
    817: Code("a refund request exists as an Atlas refund", *_DUPLICATE),
    818: Code("a refund request exists as a claim made in the portal", *_DUPLICATE),
    820: Code("the ticket was used", *_NO),
    821: Code("past the refund deadline", *_NO),
    822: Code("past the void deadline", *_NO),
    823: Code("a void must cover every passenger", *_FIX),
    824: Code("this is an ancillary order, the main order is required", *_FIX),
    841: Code("no void for this payment method", *_NO),
    843: Code("no void for this airline or route", *_NO),
    8041: Code("a segment is not in the order", *_FIX),
    900: Code("not authorised", *_AUTH),
    901: Code("a mandatory item is missing", *_FIX),
    902: Code("access denied", *_AUTH),
    905: Code("submitting too often", *_RATE),
}

ON_SUBMIT: Final[Mapping[int, Code]] = {
    814: CODES[814]._replace(advice=Advice.LOOK),
    905: CODES[905]._replace(advice=Advice.LOOK),
}
"""Codes that tell a submit of another one, whose outcome is open: nothing to repeat later."""

HTTP: Final[Mapping[int, Code]] = {
    400: Code("bad request", *_FIX),
    401: Code("unauthorised", *_AUTH),
    403: Code("forbidden", *_AUTH),
    404: Code("no such endpoint; check the host and the path of base_url", *_FIX),
    405: Code("method not allowed", *_FIX),
    413: Code("request too large", *_FIX),
    415: Code("media type not accepted", *_FIX),
    429: Code("too many requests", *_RATE),
}
"""HTTP statuses that say clearly that the request was not executed; no source shows one for the refund calls."""


NAMES_WHAT_IS_WRONG: Final = frozenset({100, 810, 901})
"""Codes whose `msg` names the parameter that is wrong or missing."""


def http_code(http_status: int) -> Code:
    """What an HTTP status outside 2xx means when the body says nothing."""
    if http_status in HTTP:
        return HTTP[http_status]
    if http_status >= 500:
        return Code("server or gateway fault", *_TEMPORARY)
    if http_status // 100 == 3:
        return Code("a redirect, which is never followed; check base_url", Advice.UNKNOWN, ApiError)
    return Code("unexpected HTTP status", Advice.UNKNOWN, ApiError)
