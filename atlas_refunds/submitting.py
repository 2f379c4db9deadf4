"""A submit, at most once: guarded per order, sent once, and never left without an outcome."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from .caller import Caller
from .calls import Submission
from .clocks import Clock
from .envelope import readable_refund_code
from .errors import (
    AlreadySubmittedError,
    ApiError,
    AtlasRefundsError,
    BadResponseError,
    ConcurrentSubmitError,
    NoAnswerError,
    NotSentError,
    OutcomeUnknownError,
)
from .events import Emitter, Settled, SubmitEnded, log
from .orders import OrderNo, OrderRef
from .results import Refund
from .transport import Request

SubmitResult: TypeAlias = Refund | AtlasRefundsError
"""What became of a submit: the refund, a clear error (NotSentError, ApiError), or OutcomeUnknownError."""


class SubmitGuard(Protocol):
    """Stands around every submit. Put your own durable lock or ledger here (`AtlasRefunds(..., guard=...)`)."""

    async def before(self, submission: Submission) -> None:
        """Called before anything is sent. Whatever it raises reaches the caller, and nothing is sent."""
        ...

    async def after(self, submission: Submission, result: SubmitResult) -> None:
        """Called once for each `before` that returned, also when the task was cancelled.

        A cancelled submit that may have left comes as OutcomeUnknownError. What this raises is logged, not raised: the
        refund must reach the caller.
        """
        ...


class OrderLocks:
    """The default guard: one submit at a time for an order, and who waited learns what became of the first."""

    def __init__(self) -> None:
        self._running: dict[OrderRef, asyncio.Future[SubmitResult]] = {}

    async def before(self, submission: Submission) -> None:
        while (first := self._running.get(submission.order)) is not None:
            result = await asyncio.shield(first)
            if not proves_nothing_submitted(result):
                raise ConcurrentSubmitError(result)
        self._running[submission.order] = asyncio.get_running_loop().create_future()

    async def after(self, submission: Submission, result: SubmitResult) -> None:
        self._running.pop(submission.order).set_result(result)


class Submitter:
    """Sends submissions and remembers those without an outcome in `unsettled`."""

    REMEMBERED = 1000

    def __init__(self, caller: Caller, guard: SubmitGuard, clock: Clock, emit: Emitter) -> None:
        self._caller, self._guard, self._clock, self._emit = caller, guard, clock, emit
        self.unsettled: dict[OrderRef, OutcomeUnknownError] = {}

    async def submit(self, submission: Submission, request: Request) -> Refund:
        await self._guard.before(submission)
        started = self._clock.now()

        def read(answer: dict[str, Any], request_id: str | None) -> Refund:
            known = {"order": submission.order, "submitted": started, "quoted_fast": submission.fast}
            return Refund.from_dict(answer, **known, request_id=request_id)

        try:
            refund = await self._caller.call(request, read)
        except BaseException as error:
            result = judged(error, submission, started, may_have_left=request.trail.may_have_left)
            await self._end(submission, result)
            if isinstance(error, AtlasRefundsError) and result is not error:
                raise result from error
            raise
        await self._end(submission, refund)
        return refund

    async def _end(self, submission: Submission, result: SubmitResult) -> None:
        if isinstance(result, OutcomeUnknownError):
            while len(self.unsettled) >= self.REMEMBERED:
                self.unsettled.pop(next(iter(self.unsettled)))
            self.unsettled[submission.order] = result
        self._emit(ended(submission, result, self._clock.now()))
        try:
            await self._guard.after(submission, result)
        except Exception:
            log.exception("the submit guard failed after a submit; its result stands")


def judged(
    error: BaseException, submission: Submission, started: datetime, *, may_have_left: bool
) -> AtlasRefundsError:
    """What a failure says about the submit itself."""
    if isinstance(error, NotSentError) or (isinstance(error, ApiError) and error.advice.settles_submit):
        return error
    if not may_have_left:
        return error if isinstance(error, AtlasRefundsError) else NotSentError("submit: interrupted before it was sent")
    content = error.content if isinstance(error, BadResponseError | NoAnswerError) else b""
    unknown = OutcomeUnknownError(
        str(error) if isinstance(error, AtlasRefundsError) else "interrupted while it was on its way",
        order=submission.order,
        offer_id=submission.offer_id,
        passengers=submission.passengers,
        at=started,
        refund_code=success_under_an_error(error) or readable_refund_code(content),
        content=content,
    )
    unknown.attempts = error.attempts if isinstance(error, AtlasRefundsError) else ()
    return unknown


def success_under_an_error(error: BaseException) -> str | None:
    """The refund code of a body that says success although its HTTP status says failure."""
    body: Mapping[str, Any] = error.raw if isinstance(error, ApiError) and error.code is None else {}
    code = body.get("refundCode") if body.get("status") in (0, "0") else None
    return code if isinstance(code, str) else None


def proves_nothing_submitted(result: SubmitResult) -> bool:
    """Whether another submit of the same order may go ahead."""
    if isinstance(result, ApiError):
        return result.advice.settles_submit and not isinstance(result, AlreadySubmittedError)
    return isinstance(result, NotSentError)


def ended(submission: Submission, result: SubmitResult, at: datetime) -> SubmitEnded:
    match result:
        case Refund(refund_code=code):
            outcome, refund_code = Settled.SUBMITTED, code
        case OutcomeUnknownError(refund_code=code):
            outcome, refund_code = Settled.UNKNOWN, code
        case NotSentError():
            outcome, refund_code = Settled.NOT_SENT, None
        case _:
            outcome, refund_code = Settled.REFUSED, None
    order_no = submission.order.order_no if isinstance(submission.order, OrderNo) else None
    return SubmitEnded(at=at, outcome=outcome, order_no=order_no, refund_code=refund_code)
