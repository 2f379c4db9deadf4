"""One run: ask Atlas what the refund needs now, write down what came of it; and one call of the handler."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import attrs

from .. import polling
from ..client import AtlasRefunds
from ..errors import AtlasRefundsError, AuthenticationError, NotSentError, OutcomeUnknownError
from ..orders import OrderNo, OrderRef
from ..reconciling import Reconciliation, Verdict
from ..results import RefundState
from ..submitting import SubmitResult
from . import decisions
from .database import Database
from .engine import Batch
from .listing import Listing
from .notices import Kind, Notices
from .personal import intent_of
from .policy import Policy
from .records import Change, Step, Tracked
from .store import Decision, Ended, Settled, Store

ChangeHandler: TypeAlias = Callable[[Change], Awaitable[object] | None]
LONG_AGO: Final = datetime.fromtimestamp(0, UTC)
TOO_OFTEN: Final = (8, 16, 32, 64, 128, 256, 512)
"""Failures in a row at which an operator is told: hours by the defaults, then more and more seldom. Searches for a
submit and submits that do not leave begin at the second, for they are tried sooner."""


class Runs:
    """The work of a worker, whoever asks for it."""

    def __init__(
        self,
        atlas: AtlasRefunds,
        store: Store,
        listing: Listing,
        database: Database,
        policy: Policy,
        handler: ChangeHandler | None,
        notices: Notices,
    ) -> None:
        self._atlas, self._store, self._listing = atlas, store, listing
        self._database, self._policy = database, policy
        self._handler, self._notices = handler, notices
        self._limit = policy.hold.total_seconds() / 2  # of one call of Atlas, and of one of the handler
        self._refused = False
        self._batch = Batch(database, store.settle)

    # ---- Atlas --------------------------------------------------------------------------------------------------
    async def look(self, row: Tracked, by: str, asked: datetime) -> Tracked:
        """One run for a row that `by` holds since `asked`. Whatever Atlas does, the row is let go, and due again.

        Returns the row as it is then.
        """
        try:
            match row.step:
                case Step.WAITING:
                    return await self._send(row, by, asked)
                case Step.UNCLEAR:
                    found = await self._search(row)
                    return await self._settle(row, by, self._reconciled(found, asked), found.state)
                case _:
                    async with asyncio.timeout(self._limit):
                        state = await self._atlas.get(self.order(row), row.token.refund_code if row.token else None)
                    self._answered()
                    policy, roll = self._policy, polling.roll()
                    return await self._settle(
                        row, by, lambda old, now: decisions.queried(old, state, asked, now, policy, roll), state
                    )
        except AtlasRefundsError as error:
            return await self._failed(row, by, error)
        except TimeoutError:
            return await self._failed(row, by, AtlasRefundsError("no answer within the time of one run"))
        except Exception as error:
            return await self._fault(row, by, error)

    async def submit(self, row: Tracked, by: str, began: float) -> Tracked:
        """Send a row that is `unclear` on disk since `began` (by `uptime`)."""
        attempt, policy = row.attempt, self._policy
        try:
            result = await self._submitted(row, began)
            self._answered(result)
            return await self._settle(
                row, by, lambda old, now: decisions.answered(old, result, attempt, now, policy), even_if_lost=True
            )
        except Exception as error:
            return await self._fault(row, by, error)

    async def _send(self, row: Tracked, by: str, asked: datetime) -> Tracked:
        """Submit a waiting refund, but look for it where it may have been sent."""
        if decisions.looks_first(row, asked, self._policy):
            found = await self._search(row)
            if found.verdict is not Verdict.NOT_SUBMITTED:
                return await self._settle(row, by, self._reconciled(found, asked), found.state)
        began = uptime()
        sent = await self._database.surely(self._store.sending, row.key, by, row.attempt + 1)
        return row if sent is None else await self.submit(sent, by, began)

    async def _submitted(self, row: Tracked, began: float) -> SubmitResult:
        subject = intent_of(row.intent, self._policy)
        if uptime() - began > self._limit:  # this machine was frozen; somebody may look for it already
            return NotSentError("submit: this worker was held up before it could send")
        try:
            async with asyncio.timeout(self._limit):
                refund = await self._atlas.submit(
                    subject.order, offer_id=subject.offer_id or "", display_currency=subject.display_currency
                )
                return attrs.evolve(refund, quoted_fast=subject.fast)
        except AtlasRefundsError as error:
            return error
        except TimeoutError:  # the client knows whether it can have left
            left = (unknown for unknown in self._atlas.unsettled if unknown.order == subject.order)
            return next(left, NotSentError("submit: its turn did not come in time"))

    async def _search(self, row: Tracked) -> Reconciliation:
        """What became of the submit. How long ago it was is not told: patience is the database's clock's business."""
        subject = intent_of(row.intent, self._policy)
        others = await self._database.surely(self._listing.codes_beside, row)
        unknown = OutcomeUnknownError(
            row.note or "the process ended",
            order=subject.order,
            offer_id=subject.offer_id,
            passengers=subject.passengers,
            at=LONG_AGO,
            order_no=subject.order_no or row.order_no,
            refund_code=row.token.refund_code if row.token else None,
        )
        async with asyncio.timeout(self._limit):
            found = await self._atlas.reconcile(unknown, patience=timedelta(), known=others)
        if found.state is None or found.state.refund_code not in others:
            return found
        why = "Atlas lists a refund that is tracked under another key"
        return Reconciliation(verdict=Verdict.UNKNOWN, evidence=why, candidates=(found.state,))

    async def named(self, row: Tracked, refund_code: str) -> RefundState:
        """The refund of this code, asked of Atlas. Raises as `AtlasRefunds.get`."""
        async with asyncio.timeout(self._limit):
            return await self._atlas.get(self.order(row), refund_code)

    def order(self, row: Tracked) -> OrderRef:
        if row.token is not None:
            return row.token.order
        if row.step is Step.FOLLOWED:
            raise LookupError("a refund that is followed has no token")
        return OrderNo(row.order_no) if row.order_no else intent_of(row.intent, self._policy).order

    def _reconciled(self, found: Reconciliation, asked: datetime) -> Decision:
        return lambda row, now: decisions.reconciled(row, found, asked, now, self._policy)

    # ---- what came of it ------------------------------------------------------------------------------------------
    async def _failed(self, row: Tracked, by: str, error: AtlasRefundsError) -> Tracked:
        self._answered(error)
        return await self._settle(row, by, lambda old, now: decisions.failed(old, error, now, self._policy))

    async def _fault(self, row: Tracked, by: str, error: Exception) -> Tracked:
        self._notices(Kind.FAULT, type(error).__name__, row.key, error=error)
        unforeseen = AtlasRefundsError(f"unforeseen: {type(error).__name__}")
        return await self._settle(row, by, lambda old, now: decisions.failed(old, unforeseen, now, self._policy))

    async def _settle(
        self, row: Tracked, by: str, decide: Decision, state: RefundState | None = None, *, even_if_lost: bool = False
    ) -> Tracked:
        ended = Ended(key=row.key, by=by, decide=decide, state=state, even_if_lost=even_if_lost)
        settled: Settled = await self._batch(ended)
        if settled.fault is not None:
            raise settled.fault
        new = settled.row or row
        if settled.applied and new.step is Step.REVIEW:
            self._notices(Kind.REVIEW, new.note or "", row.key)
        many = TOO_OFTEN if new.step is Step.FOLLOWED else TOO_OFTEN[1:]
        if settled.applied and new.tries in many and new.tries > row.tries:
            self._notices(Kind.POLLS_FAIL, f"{new.tries} times by now: {new.note}", row.key)
        return new

    def _answered(self, result: SubmitResult | None = None) -> None:
        """Tell once that the account is refused, and once that it is not any more."""
        if isinstance(result, AuthenticationError):
            if not self._refused:
                self._notices(Kind.ACCOUNT_REFUSED, f"code {result.code}, HTTP {result.http_status}; its refunds wait")
            self._refused = True
        elif self._refused and not isinstance(result, AtlasRefundsError):
            self._notices(Kind.ACCOUNT_BACK, "Atlas answers it again")
            self._refused = False

    # ---- handlers -----------------------------------------------------------------------------------------------
    async def tell(self, change: Change, by: str, _: datetime) -> None:
        """Call the handler once, for half a hold at the most, whatever it does."""
        error = await self._called(change)
        noted = await self._database.surely(self._store.handled, change, by, error)
        if noted is not None and error is not None:
            kind = Kind.HANDLER_GAVE_UP if noted.retry_at is None else Kind.HANDLER_FAILED
            self._notices(kind, f"change {change.id}, call {noted.tries}: {error}", change.key)

    async def _called(self, change: Change) -> str | None:
        """The class of what the handler raised. It runs as a task of its own: a cancellation from within is its own."""

        async def call() -> None:
            if self._handler is not None and inspect.isawaitable(done := self._handler(change)):
                await done

        task = asyncio.create_task(call())
        try:
            await asyncio.wait((task,), timeout=self._limit)
        finally:
            task.cancel()
        if not task.done():
            return "TimeoutError"
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        return None if error is None else type(error).__name__


def uptime() -> float:
    """Seconds that go on while the machine is suspended, unlike those of `time.monotonic` on Linux and macOS."""
    clock = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC_RAW", None))
    return time.monotonic() if clock is None else time.clock_gettime(clock)
