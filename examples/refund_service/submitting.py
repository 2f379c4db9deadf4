"""Around every submit: the intent is in the table before, the outcome after. Handed to the client as its `guard`."""

import logging
import time
from datetime import timedelta

from atlas_refunds import (
    Advice,
    ApiError,
    NotSentError,
    OutcomeUnknownError,
    QuoteExpiredError,
    Refund,
    RefundToken,
    Submission,
    SubmitResult,
)

from .database import Taken
from .store import NEVER, QUOTE_KEPT, Step, Store

log = logging.getLogger("refund_service")


class AlreadyOnItsWay(Exception):
    """Somebody else submits this quote, or another refund of this order, right now. Nothing was sent."""


class Intents:
    """A `SubmitGuard` that holds across processes and restarts."""

    def __init__(self, store: Store, lease: timedelta) -> None:
        """`lease` is longer than a submit can take; an intent that is older than that is settled by the follower."""
        self._store, self._lease = store, lease

    async def before(self, submission: Submission) -> None:
        try:
            begun = await self._store.begin_submit(str(submission.offer_id), self._lease)
        except Taken as taken:
            raise AlreadyOnItsWay from taken
        if begun is None:
            raise AlreadyOnItsWay

    async def after(self, submission: Submission, result: SubmitResult) -> None:
        row = await self._store.by_offer(str(submission.offer_id))
        if row is not None:
            step, columns = outcome(result, row.submitted)
            await self._store.move(row.key, [Step.SUBMITTING], step, **{"lease": 0.0, **columns})
            log.info("submit ended", extra={"facts": {"key": row.key, "order_no": row.order_no, "step": step}})


def outcome(result: SubmitResult, submitted: float) -> tuple[Step, dict[str, object]]:
    """What a submit's end means for the row."""
    now = time.time()
    later = now + QUOTE_KEPT
    match result:
        case Refund():
            known = {"token": str(result.token), "status": str(result.refund_status), "passengers": ""}
            return Step.SUBMITTED, {**known, "note": "", "due": now}
        case OutcomeUnknownError(refund_code=str(code)):  # to be looked for, it is no proof
            token = RefundToken(order=result.order, refund_code=code, submitted=result.at)
            return Step.UNCLEAR, {"token": str(token), "due": now, "note": result.seen}
        case OutcomeUnknownError():
            return Step.UNCLEAR, {"due": now, "note": result.seen}
        case ApiError(advice=Advice.DUPLICATE | Advice.LOOK):  # perhaps by us: the request may arrive twice
            return Step.UNCLEAR, {"due": now, "note": f"Atlas answered with code {result.code}"}
        case QuoteExpiredError():
            return Step.QUOTED, {"due": later, "note": "the quote has expired"}
        case NotSentError():
            return Step.QUOTED, {"due": later, "note": "not sent"}
        case ApiError(retryable=True):
            return Step.QUOTED, {"due": later, "note": f"not now, code {result.code}"}
        case _:
            why = f"code {result.code}" if isinstance(result, ApiError) else type(result).__name__
            return Step.REFUSED, {"due": NEVER, "note": f"refused, {why}", "passengers": ""}
