"""Asyncio SDK for the refund API of Atlas (ATRIP): quote a refund, submit it once, follow it, act when it ends."""

import logging as _logging
import typing as _typing
from importlib import import_module as _import_module

from atlas_refunds_api.models import (
    FastConfirmation,
    PassengerType,
    PenaltyPercentBase,
    QuoteType,
    RefundableAncillary,
    RefundFareAmount,
    RefundMethod,
    RefundPassenger,
    RefundPostTicketingServiceAmount,
    RefundReason,
    RefundRule,
    RefundSegment,
    RefundStatus,
    RefundTicket,
    RefundVoucher,
    RuleType,
    ServiceFee,
)

from ._version import __version__
from .calls import Submission
from .client import AtlasRefunds
from .clocks import Clock
from .codes import Advice
from .errors import (
    AlreadySubmittedError,
    ApiError,
    AtlasRefundsError,
    AuthenticationError,
    BadResponseError,
    ConcurrentSubmitError,
    ConfigurationError,
    InvalidOrderRef,
    InvalidRequestError,
    InvalidRequestRejected,
    NoAnswerError,
    NotificationError,
    NotReadyError,
    NotRefundableError,
    NotSentError,
    OutcomeUnknownError,
    QuoteExpiredError,
    RateLimitedError,
    RefundNotCompletedError,
    RefundNotFoundError,
    ServerError,
    SubmissionInProgressError,
    WaitTimeoutError,
)
from .events import Attempt, Deviation, Event, Outcome, Pause, Settled, SubmitEnded
from .following import Follower, RefundChange
from .limits import RateLimit
from .orders import AirlinePnr, OrderNo, OrderRef, order_ref
from .reconciling import Reconciliation, Verdict
from .results import Refund, RefundQuote, RefundState
from .retries import RetryPolicy
from .schedule import PollSchedule
from .settings import SANDBOX_URL, Credentials, Timeouts
from .statuses import PaymentMode, is_final, is_refunded
from .submitting import SubmitGuard, SubmitResult
from .tokens import RefundToken

if _typing.TYPE_CHECKING:
    from .confirming import Confirmation
    from .notifications import UnverifiedNotification, parse_notification

__all__ = [
    "SANDBOX_URL",
    "Advice",
    "AirlinePnr",
    "AlreadySubmittedError",
    "ApiError",
    "AtlasRefunds",
    "AtlasRefundsError",
    "Attempt",
    "AuthenticationError",
    "BadResponseError",
    "Clock",
    "ConcurrentSubmitError",
    "ConfigurationError",
    "Confirmation",
    "Credentials",
    "Deviation",
    "Event",
    "FastConfirmation",
    "Follower",
    "InvalidOrderRef",
    "InvalidRequestError",
    "InvalidRequestRejected",
    "NoAnswerError",
    "NotReadyError",
    "NotRefundableError",
    "NotSentError",
    "NotificationError",
    "OrderNo",
    "OrderRef",
    "Outcome",
    "OutcomeUnknownError",
    "PassengerType",
    "Pause",
    "PaymentMode",
    "PenaltyPercentBase",
    "PollSchedule",
    "QuoteExpiredError",
    "QuoteType",
    "RateLimit",
    "RateLimitedError",
    "Reconciliation",
    "Refund",
    "RefundChange",
    "RefundFareAmount",
    "RefundMethod",
    "RefundNotCompletedError",
    "RefundNotFoundError",
    "RefundPassenger",
    "RefundPostTicketingServiceAmount",
    "RefundQuote",
    "RefundReason",
    "RefundRule",
    "RefundSegment",
    "RefundState",
    "RefundStatus",
    "RefundTicket",
    "RefundToken",
    "RefundVoucher",
    "RefundableAncillary",
    "RetryPolicy",
    "RuleType",
    "ServerError",
    "ServiceFee",
    "Settled",
    "Submission",
    "SubmissionInProgressError",
    "SubmitEnded",
    "SubmitGuard",
    "SubmitResult",
    "Timeouts",
    "UnverifiedNotification",
    "Verdict",
    "WaitTimeoutError",
    "__version__",
    "is_final",
    "is_refunded",
    "order_ref",
    "parse_notification",
]

_FOR_WEBHOOKS = {  # loaded when it is asked for
    "Confirmation": ".confirming",
    "UnverifiedNotification": ".notifications",
    "parse_notification": ".notifications",
}


def __dir__() -> list[str]:
    return sorted({*globals(), *_FOR_WEBHOOKS})


def __getattr__(name: str) -> object:
    if name in _FOR_WEBHOOKS:
        return getattr(_import_module(_FOR_WEBHOOKS[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


_logging.getLogger(__name__).addHandler(_logging.NullHandler())
