"""What can go wrong, by what the caller can do about it.

    AtlasRefundsError
    ├─ InvalidRequestError          nothing was sent; the text says what to give
    │  ├─ InvalidOrderRef
    │  ├─ ConfigurationError
    │  └─ ConcurrentSubmitError     another submit of the order came first
    ├─ NotSentError                 provably never reached Atlas; safe to repeat
    ├─ NoAnswerError                a quote or query was sent, no answer came; safe to repeat
    ├─ OutcomeUnknownError          a submit may or may not have happened; do not repeat it
    ├─ BadResponseError             an answer came that cannot be read
    ├─ RefundNotFoundError          Atlas lists no refund with this code
    ├─ ApiError                     Atlas refused
    │  ├─ AuthenticationError, RateLimitedError, ServerError, NotReadyError, QuoteExpiredError,
    │  └─ AlreadySubmittedError, SubmissionInProgressError, NotRefundableError, InvalidRequestRejected
    ├─ WaitTimeoutError             the refund is not final yet
    ├─ RefundNotCompletedError      only from raise_unless_refunded()
    └─ NotificationError            a webhook body that cannot be read

Texts and reprs hold no credential, no passenger name, no PNR and nothing else that Atlas wrote, but for a sentence on a
wrong parameter that names nobody (words.py); what Atlas wrote is in the attributes.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from atlas_refunds_api.types import AtlasRefundsError, InvalidRequestError, harmless

if TYPE_CHECKING:
    from atlas_refunds_api.models import RefundPassenger

    from .codes import Advice
    from .orders import OrderRef
    from .results import Refund, RefundState
    from .tokens import RefundToken

__all__ = ["AtlasRefundsError", "InvalidRequestError"]  # defined beside the models, whose checks raise them


class InvalidOrderRef(InvalidRequestError):
    """Not exactly one order was named. Nothing was sent."""


class ConfigurationError(InvalidRequestError):
    """A client cannot be made, or used, with these settings. Nothing was sent."""


class ConcurrentSubmitError(InvalidRequestError):
    """Another submit for the same order ran while this one waited, and may have been executed. Nothing was sent.

    `first` is what became of the other: its Refund, or its error. Look at it before you submit again.
    """

    def __init__(self, first: "Refund | AtlasRefundsError") -> None:
        became = "failed" if isinstance(first, AtlasRefundsError) else f"made refund {harmless(first.refund_code)}"
        super().__init__(f"another submit for this order ran at the same time and {became}; this one was not sent")
        self.first = first


class NotSentError(AtlasRefundsError):
    """The request provably never reached Atlas (name look-up, connection, TLS). Safe to repeat, submits too."""

    retryable = True


class NoAnswerError(AtlasRefundsError):
    """The request may have reached Atlas, but no whole answer came (time-out, connection lost).

    Raised by quote and query, which are safe to repeat. A submit raises OutcomeUnknownError instead. `content` has the
    bytes of the body that had come.
    """

    def __init__(self, text: str, *, content: bytes = b"") -> None:
        super().__init__(text)
        self.content = content


class OutcomeUnknownError(AtlasRefundsError):
    """A submit may or may not have been executed. Do not repeat it: find out, then decide.

    `seen` says in words what was observed, `__cause__` is the failure behind it. After a restart make one yourself,
    with `at` = now: nothing of a process that has ended is sent later.
    """

    retryable = False

    def __init__(
        self,
        seen: str,
        *,
        order: "OrderRef",
        offer_id: str | None,
        passengers: "tuple[RefundPassenger, ...]",
        at: datetime,
        left: datetime | None = None,
        left_monotonic: float | None = None,
        order_no: str | None = None,
        refund_code: str | None = None,
        content: bytes = b"",
    ) -> None:
        super().__init__(f"the submit may or may not have been executed: {seen}. Do not repeat it before you know")
        self.seen = seen
        self.order = order
        self.offer_id = offer_id
        self.passengers = passengers
        self.at = at
        """When the submit was started, UTC."""
        self.left = left or at
        """The moment after which nothing of it can have left any more, UTC: its last attempt was given up."""
        self.left_monotonic = left_monotonic
        """The same moment by this process' monotonic clock, in seconds; None in a copy and in another process."""
        self.order_no: str | None = order_no or getattr(order, "order_no", None)
        """Atlas' number of the order, also where it was named by its PNR and a quote has shown the number."""
        self.refund_code = refund_code
        """A refund code that stood in an answer which cannot be trusted: something to look for, no proof."""
        self.content = content
        """The answer's bytes, if one came."""

    def __reduce__(self) -> tuple[Any, ...]:
        restore, (kind, args, state) = super().__reduce__()
        return restore, (kind, args, {**state, "left_monotonic": None})


class BadResponseError(AtlasRefundsError):
    """An answer came that cannot be read. `content` has its bytes (a text never does), `http_status` its status."""

    def __init__(self, problem: str, *, http_status: int, content: bytes) -> None:
        super().__init__(f"the answer (HTTP {http_status}, {len(content)} bytes) cannot be read: {problem}")
        self.problem = problem
        self.http_status = http_status
        self.content = content


class RefundNotFoundError(AtlasRefundsError):
    """Atlas answered, and lists no refund of `order` with `refund_code`; with None it lists none at all.

    The code is mistyped or of another account, or the refund was submitted a moment ago: `wait` asks some more times.
    """

    def __init__(self, *, order: "OrderRef", refund_code: str | None) -> None:
        code = "" if refund_code is None else f" with code {refund_code}"
        named = getattr(order, "order_no", "named by PNR")
        super().__init__(f"Atlas lists no refund of order {named}{code}")
        self.order = order
        self.refund_code = refund_code


class ApiError(AtlasRefundsError):
    """Atlas answered that it did not do what was asked. Also the class of a code that is in no table.

    `code` is Atlas' status code (None: the HTTP status alone says it), `message` Atlas' own words, for people and
    sometimes wrong, `request_id` for support, `advice` the class of the code, `raw` the decoded body.
    """

    def __init__(
        self,
        text: str,
        *,
        advice: "Advice",
        code: int | None,
        message: str | None,
        http_status: int,
        request_id: str | None = None,
        retry_after: timedelta | None = None,
        raw: Any = None,
    ) -> None:
        super().__init__(text)
        self.advice = advice
        self.code = code
        self.message = message
        self.http_status = http_status
        self.request_id = request_id
        self.retry_after = retry_after
        """How long Atlas asks to wait, if it does."""
        self.raw = raw

    @property
    def retryable(self) -> bool:
        """Whether the same call can succeed later, and is safe to repeat then; on a submit too."""
        return self.advice.retryable


class AuthenticationError(ApiError):
    """Wrong credentials, wrong environment, inactive account, somebody else's order, or an unlisted source address."""


class RateLimitedError(ApiError):
    """Too many calls. Slow down; where a submit got code 905, look for the order's refunds before another one."""


class ServerError(ApiError):
    """A passing fault on Atlas' side."""


class NotReadyError(ApiError):
    """Not yet, for instance because the order is not ticketed. Try again in minutes, not in seconds."""


class QuoteExpiredError(ApiError):
    """The offer is no longer valid. Quote again, show the new amount, submit again only with consent."""


class AlreadySubmittedError(ApiError):
    """A refund request exists already. Query it instead of submitting again."""


class SubmissionInProgressError(ApiError):
    """A submit of this order is being processed right now. Wait, then look for its refund; do not submit again."""


class NotRefundableError(ApiError):
    """A permanent refusal for business reasons."""


class InvalidRequestRejected(ApiError):
    """Atlas found the request wrong: change it."""


class WaitTimeoutError(AtlasRefundsError):
    """The deadline of a wait passed. The refund goes on; `token` resumes following it, now or in weeks."""

    def __init__(self, *, last_state: "RefundState | None", token: "RefundToken") -> None:
        status = "never seen" if last_state is None else f"status {harmless(last_state.refund_status)}"
        code = harmless(token.refund_code)
        super().__init__(f"refund {code} is not final yet ({status}); follow it on with the token")
        self.last_state = last_state
        self.token = token


class RefundNotCompletedError(AtlasRefundsError):
    """The refund is rejected, withdrawn or not final; `state` says which."""

    def __init__(self, state: "RefundState") -> None:
        code, status = harmless(state.refund_code), harmless(state.refund_status)
        super().__init__(f"refund {code} is not refunded, its status is {status}")
        self.state = state


class NotificationError(AtlasRefundsError, ValueError):
    """A webhook body that cannot be read."""
