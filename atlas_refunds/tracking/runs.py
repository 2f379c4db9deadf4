"""One run: ask Atlas what the refund needs now, write down what came of it, tell the handler."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from uuid import uuid4

import attrs

from .. import polling
from ..client import AtlasRefunds
from ..errors import AtlasRefundsError, NotSentError, OutcomeUnknownError
from ..orders import OrderRef
from ..submitting import SubmitResult
from . import decisions
from .database import Database
from .decisions import Act
from .notices import Kind, Notices
from .policy import Policy
from .records import Change, Step, Tracked
from .store import Decision, Store

ChangeHandler: TypeAlias = Callable[[Change], Awaitable[object]]
LONG_AGO = datetime.fromtimestamp(0, UTC)


class Runs:
    """The work of a worker, whoever asks for it."""

    def __init__(
        self,
        atlas: AtlasRefunds,
        store: Store,
        database: Database,
        policy: Policy,
        handler: ChangeHandler | None,
        notices: Notices,
    ) -> None:
        self._atlas, self._store, self._database, self._policy = atlas, store, database, policy
        self._handler, self._notices = handler, notices
        self._limit = policy.hold.total_seconds() / 2  # of one call of Atlas, and of one of the handler

    async def look(self, key: str, job: int | None) -> None:
        """One job, or with None one look that a person asked for.

        Whatever Atlas or the handler do, the refund has a next job afterwards, if it needs one.
        """
        by, began = uuid4().hex, time.monotonic()
        try:
            taken = await self._database.surely(self._store.take, key, job, by)
            if taken is not None:
                row, act, asked = taken
                await self.ask(row, act, by, began, asked)
                if job is not None:  # who only asks has no handler, a worker has
                    await self._tell(key, by)
                await self._database.surely(self._store.release, key, by)
        except Exception as error:  # upkeep gives the refund another job
            self._notices(Kind.FAULT, type(error).__name__, key, error=error)

    async def submit(self, row: Tracked, by: str, began: float) -> Tracked:
        """The first submit of a row that was just inserted; handlers are left to a worker."""
        await self.ask(row, Act.SUBMIT, by, began, row.sent_at or row.created_at)
        return await self._database.surely(self._store.release, row.key, by) or row

    async def ask(self, row: Tracked, act: Act | None, by: str, began: float, asked: float) -> None:
        """`began`: when, by this process' own clock, it began to take the row."""
        if act is None:
            return
        try:
            decide = await self._asked(row, act, began, asked)
        except Exception as error:
            self._notices(Kind.FAULT, type(error).__name__, row.key, error=error)
            decide = self._failed(AtlasRefundsError(f"unforeseen: {type(error).__name__}"))
        written = await self._database.surely(self._store.write, row.key, by, decide, even_if_lost=act is Act.SUBMIT)
        if written is not None and written.step is Step.REVIEW:
            self._notices(Kind.REVIEW, written.note or "", row.key)

    async def _asked(self, row: Tracked, act: Act, began: float, asked: float) -> Decision:
        policy = self._policy
        if act is Act.SUBMIT:
            result = await self._submit(row, began)
            return lambda found, now: decisions.answered(found, result, now, policy)
        try:
            async with asyncio.timeout(self._limit):
                if act is Act.RECONCILE:
                    unknown = unsettled(row)
                    verdict = await self._atlas.reconcile(unknown, patience=timedelta())
                    return lambda found, now: decisions.reconciled(found, verdict, asked, now, policy)
                state = await self._atlas.get(*followed(row))
                return lambda found, now: decisions.queried(found, state, asked, now, policy, polling.roll())
        except AtlasRefundsError as error:
            return self._failed(error)
        except TimeoutError:
            return self._failed(AtlasRefundsError("no answer within the time of one run"))

    def _failed(self, error: AtlasRefundsError) -> Decision:
        return lambda found, now: decisions.failed(found, error, now, self._policy)

    async def _submit(self, row: Tracked, began: float) -> SubmitResult:
        subject = row.submission
        if time.monotonic() - began > self._limit:  # this process was frozen; somebody may look for it already
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

    async def _tell(self, key: str, by: str) -> None:
        """Call the handler for each change that is due, in order, until one fails."""
        while (change := await self._database.surely(self._store.next_change, key, by)) is not None:
            error: Exception | None = None
            try:
                if self._handler is not None:
                    async with asyncio.timeout(self._limit):
                        await self._handler(change)
            except Exception as failure:
                error = failure
            name = type(error).__name__ if error else None
            noted = await self._database.surely(self._store.handled, change, name)
            if error is not None:
                last = noted.retry_at is None
                kind = Kind.HANDLER_GAVE_UP if last else Kind.HANDLER_FAILED
                self._notices(kind, f"change {change.id}, call {noted.tries}: {name}", key)
                return


def unsettled(row: Tracked) -> OutcomeUnknownError:
    """The open question of an unclear row. Its age is not told: patience is the database's clock's business."""
    subject = row.submission
    return OutcomeUnknownError(
        row.note or "the process ended",
        order=subject.order,
        offer_id=subject.offer_id,
        passengers=subject.passengers,
        at=LONG_AGO,
        refund_code=row.token.refund_code if row.token else None,
    )


def followed(row: Tracked) -> tuple[OrderRef, str | None]:
    """What to ask Atlas about."""
    if row.token is None:
        raise LookupError("a refund that is followed has no token")
    return row.token.order, row.token.refund_code
