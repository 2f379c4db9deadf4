"""A submit, at most once: guarded per order, sent once, and never left without an outcome."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeAlias

import attrs

from .caller import Caller
from .calls import Submission
from .clocks import Clock
from .envelope import readable_refund_code
from .errors import (
    ApiError,
    AtlasRefundsError,
    BadResponseError,
    ConcurrentSubmitError,
    InvalidRequestError,
    NoAnswerError,
    NotSentError,
    OutcomeUnknownError,
)
from .events import Deviation, Emitter, Settled, SubmitEnded, log
from .loops import PerLoop
from .orders import AirlinePnr, OrderNo, OrderRef, names_another
from .results import Refund
from .transport import Request

SubmitResult: TypeAlias = Refund | AtlasRefundsError
"""What became of a submit: the refund, a clear error (NotSentError, ApiError), or OutcomeUnknownError."""

REMEMBERED: Final = 100_000
"""Open questions that a client keeps, with more it does not submit; and PNRs whose order number it remembers."""


class SubmitGuard(Protocol):
    """Stands around every submit. Put your own durable lock or ledger here (`AtlasRefunds(..., guard=...)`)."""

    async def before(self, submission: Submission) -> None:
        """Called before anything is sent. Whatever it raises reaches the caller, and nothing is sent."""
        ...

    async def after(self, submission: Submission, result: SubmitResult) -> None:
        """Called once for each `before` that returned, and run to its end in a task of its own: cancelling the submit
        does not cancel it, the CancelledError goes on when it has ended.

        A cancelled submit that may have left comes as OutcomeUnknownError. What this raises is logged, not raised: the
        refund must reach the caller.
        """
        ...


class OrderLocks:
    """The default guard: one submit at a time for an order, and who waited learns what became of the first."""

    def __init__(self) -> None:
        self._loops = PerLoop(dict[OrderRef, asyncio.Future[SubmitResult]])

    async def before(self, submission: Submission) -> None:
        here = self._loops.here()
        for loop, there in self._loops.elsewhere():
            if loop.is_running() and not submission.names.isdisjoint(there):
                raise InvalidRequestError("submit: one for this order runs in another event loop; nothing was sent")
        while running := [here[name] for name in submission.names if name in here]:
            result = await asyncio.shield(running[0])
            if not frees_order(result):
                raise ConcurrentSubmitError(result)
        here.update(dict.fromkeys(submission.names, asyncio.get_running_loop().create_future()))

    async def after(self, submission: Submission, result: SubmitResult) -> None:
        here = self._loops.here()
        (mine,) = {here.pop(name) for name in submission.names}
        mine.set_result(result)


class Submitter:
    """Sends submissions and remembers those without an outcome in `unsettled`, in the order of their ends."""

    def __init__(self, caller: Caller, guard: SubmitGuard, clock: Clock, emit: Emitter) -> None:
        self._caller, self._guard, self._clock, self._emit = caller, guard, clock, emit
        self.unsettled: dict[OutcomeUnknownError, None] = {}
        self._numbers: dict[AirlinePnr, str] = {}

    def learn(self, order: AirlinePnr, order_no: str) -> None:
        """A quote has shown the number of an order that was named by its PNR."""
        while len(self._numbers) >= REMEMBERED:
            self._numbers.pop(next(iter(self._numbers)))
        self._numbers[order] = order_no

    def recognised(self, submission: Submission) -> Submission:
        """With the number of its order, if a quote has shown it."""
        order = submission.order
        if submission.order_no or not isinstance(order, AirlinePnr) or order not in self._numbers:
            return submission
        return attrs.evolve(submission, order_no=self._numbers[order])

    async def submit(self, submission: Submission, request: Request) -> Refund:
        if len(self.unsettled) >= REMEMBERED:
            raise InvalidRequestError(f"submit: {REMEMBERED} submits are unsettled; reconcile them first")
        await self._guard.before(submission)
        started = self._clock.now()

        def read(answer: dict[str, Any], request_id: str | None) -> Refund:
            known = {"order": submission.order, "submitted": started, "quoted_fast": submission.fast}
            return Refund.from_dict(answer, **known, request_id=request_id)

        try:
            refund = await self._caller.call(request, read)
        except BaseException as error:
            result = self._judged(error, submission, started, request)
            await self._end(submission, result, started)
            if isinstance(error, Exception) and isinstance(result, OutcomeUnknownError):
                raise result from error
            raise
        await self._end(submission, refund, started)
        return refund

    def settled(self, unknown: OutcomeUnknownError, patience: timedelta, *, exists: bool) -> None:
        """Forget what was reconciled: this submit, and those of the same offer for which the verdict holds too."""
        latest = self._clock.monotonic() - patience.total_seconds()
        for other in list(self.unsettled):
            is_late = not exists and (other.left_monotonic is None or other.left_monotonic > latest)
            if other is unknown or (same_submit(other, unknown) and not is_late):
                del self.unsettled[other]

    async def _end(self, submission: Submission, result: SubmitResult, started: datetime) -> None:
        """Tell everybody; whatever the handlers do, the guard hears of it.

        Meanwhile the submit is in `unsettled`, for a caller who is cut off; unless nothing of the order can be open.
        """
        now, undelivered = self._clock.now(), self._undelivered(result, submission, started)
        if undelivered is not None:
            self.unsettled[undelivered] = None
        try:
            self._emit(ended(submission, result, now))
            if isinstance(result, Refund) and names_another(result.order_no, submission.order):
                self._emit(Deviation(at=now, operation="submit", place="orderNo", kind="another order"))
        finally:
            await to_its_end(self._after(submission, result))
        if undelivered is not None and undelivered is not result:
            self.unsettled.pop(undelivered, None)  # from here nothing keeps the result from its caller

    def _undelivered(
        self, result: SubmitResult, submission: Submission, started: datetime
    ) -> OutcomeUnknownError | None:
        if isinstance(result, OutcomeUnknownError):
            return result
        if frees_order(result) or not isinstance(result, Refund | ApiError):
            return None
        unknown = self._unknown("its caller was interrupted when the answer had come", submission, started)
        if isinstance(result, Refund):
            unknown.refund_code = result.refund_code
        return unknown

    async def _after(self, submission: Submission, result: SubmitResult) -> None:
        try:
            await self._guard.after(submission, result)
        except (Exception, asyncio.CancelledError):
            log.exception("the submit guard failed after a submit; its result stands")

    def _judged(
        self, error: BaseException, submission: Submission, started: datetime, request: Request
    ) -> AtlasRefundsError:
        """What a failure says about the submit itself."""
        if isinstance(error, NotSentError) or (isinstance(error, ApiError) and error.advice.settles_submit):
            return error
        if not request.trail.may_have_left:
            if isinstance(error, AtlasRefundsError):
                return error
            return NotSentError("submit: interrupted before it was sent")
        seen = str(error) if isinstance(error, AtlasRefundsError) else "interrupted while it was on its way"
        unknown = self._unknown(seen, submission, started)
        if isinstance(error, AtlasRefundsError):
            unknown.attempts = error.attempts
        if isinstance(error, BadResponseError | NoAnswerError):
            unknown.content = error.content
        elif not isinstance(error, ApiError):
            unknown.content = bytes(request.trail.received)
        unknown.refund_code = success_under_an_error(error) or readable_refund_code(unknown.content)
        return unknown

    def _unknown(self, seen: str, submission: Submission, started: datetime) -> OutcomeUnknownError:
        return OutcomeUnknownError(
            seen,
            order=submission.order,
            order_no=submission.order_no,
            offer_id=submission.offer_id,
            passengers=submission.passengers,
            at=started,
            left=self._clock.now(),
            left_monotonic=self._clock.monotonic(),
        )


async def to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Run it in a task of its own, and pass a cancellation on only when it has ended."""
    task, cancelled = asyncio.ensure_future(work), None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    task.result()


def success_under_an_error(error: BaseException) -> str | None:
    """The refund code of a body that says success although its HTTP status says failure."""
    code = error.raw.get("refundCode") if isinstance(error, ApiError) and error.code is None else None
    return code if isinstance(code, str) else None


def same_submit(one: OutcomeUnknownError, other: OutcomeUnknownError) -> bool:
    by_offer = one.offer_id or other.offer_id
    return one.order == other.order and (
        one.offer_id == other.offer_id if by_offer else one.passengers == other.passengers
    )


def frees_order(result: SubmitResult) -> bool:
    """Whether another submit of the same order may go ahead."""
    return isinstance(result, NotSentError) or (isinstance(result, ApiError) and result.advice.frees_order)


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
