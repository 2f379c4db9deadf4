"""What next for this refund: pure functions over the stored row, without clock, database or engine.

    waiting ──hold──▶ unclear ──answered──▶ followed ──queried──▶ final
       ▲                 │  └──────────────▶ refused
       └──── provably ───┴──reconciled────▶ followed, waiting or review

A row is `unclear` on disk before the first byte leaves, so whoever finds it so later looks and never sends.
"""

from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

import attrs

from ..errors import (
    AlreadySubmittedError,
    ApiError,
    AtlasRefundsError,
    InvalidRequestError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    SubmissionInProgressError,
)
from ..reconciling import Reconciliation, Verdict
from ..results import Refund, RefundState
from ..statuses import is_final
from ..submitting import SubmitResult
from ..tokens import RefundToken
from .policy import Policy
from .records import Step, Tracked

EARLY: Final = 600.0
"""Seconds. A wake-up that comes this much too early is served: machines' clocks differ, and sending it back would
only bring it again at once."""


class Act(Enum):
    """What Atlas is to be asked."""

    SUBMIT = "submit"
    RECONCILE = "reconcile"
    QUERY = "query"


ACTS: Final = {Step.WAITING: Act.SUBMIT, Step.UNCLEAR: Act.RECONCILE, Step.FOLLOWED: Act.QUERY}


def next_act(row: Tracked, now: float) -> Act | None:
    """What this refund needs now, if anything."""
    return ACTS.get(row.step) if row.look_at <= now + EARLY else None


def held(row: Tracked, act: Act | None, by: str, now: float, policy: Policy) -> Tracked:
    """Taken by one run of one worker. A submit is written down as unclear before it begins."""
    row = attrs.evolve(still_held(row, now, policy), held_by=by, woken_at=None)
    return attrs.evolve(row, step=Step.UNCLEAR, sent_at=now) if act is Act.SUBMIT else row


def still_held(row: Tracked, now: float, policy: Policy) -> Tracked:
    """Its holder gave a sign of life."""
    return attrs.evolve(row, held_until=now + policy.hold.total_seconds())


def answered(row: Tracked, result: SubmitResult, now: float, policy: Policy) -> Tracked:
    """After a submit. A refund is believed at any time, also when it comes after others have looked for it."""
    match result:
        case Refund():
            return exists(row, result.token, now, policy)
        case (
            NotSentError() | InvalidRequestError()
        ):  # checked when it was taken in, so it is not the request that is bad
            return later(row, Step.WAITING, str(result), now, policy)
        case OutcomeUnknownError(refund_code=code):
            token = RefundToken(order=row.submission.order, refund_code=code) if code else row.token
            note = "the outcome of the submit is unknown"
            return attrs.evolve(later(row, Step.UNCLEAR, note, now, policy), token=token)
        case AlreadySubmittedError() | SubmissionInProgressError():
            return later(row, Step.UNCLEAR, f"the submit was answered with code {result.code}", now, policy)
        case RateLimitedError() | ApiError(retryable=True):
            return later(row, Step.WAITING, f"the submit was answered with code {result.code}", now, policy)
        case _:
            return attrs.evolve(row, step=Step.REFUSED, note=str(result), intent=None)


def reconciled(row: Tracked, found: Reconciliation, asked: float, now: float, policy: Policy) -> Tracked:
    """After a search for a submit without an outcome; `asked` is when the search began."""
    patient = asked - (row.sent_at or asked) >= policy.patience.total_seconds()
    if found.verdict is Verdict.SUBMITTED and found.state:
        return queried(exists(row, found.state.token, now, policy), found.state, asked, now, policy)
    if found.verdict is Verdict.SUBMITTED and row.token:
        return exists(row, row.token, now, policy)
    if found.verdict is Verdict.SUBMITTED and patient:
        return attrs.evolve(row, step=Step.REVIEW, note=f"it exists, but its code is not known: {found.evidence}")
    if found.verdict is Verdict.NOT_SUBMITTED and patient:
        if policy.resubmit:
            return attrs.evolve(row, step=Step.WAITING, note=found.evidence, tries=0, look_at=now)
        return attrs.evolve(row, step=Step.REVIEW, note=f"it seems that it was never submitted: {found.evidence}")
    return later(row, Step.UNCLEAR, found.evidence, now, policy)


def exists(row: Tracked, token: RefundToken, now: float, policy: Policy) -> Tracked:
    """Atlas has the refund. Nobody needs the passengers any more."""
    if row.step in (Step.FOLLOWED, Step.FINAL):
        known = row.token.refund_code if row.token else None
        if token.refund_code in (None, known):
            return row
        return attrs.evolve(row, step=Step.REVIEW, note=f"two refunds exist: {known} and {token.refund_code}")
    return attrs.evolve(
        row,
        step=Step.FOLLOWED,
        token=token,
        order_no=getattr(token.order, "order_no", row.order_no),
        intent=None,
        note=None,
        tries=0,
        look_at=now + regular(row, now, policy, fast=token.fast),
    )


def queried(row: Tracked, state: RefundState, asked: float, now: float, policy: Policy, roll: float = 0) -> Tracked:
    """After a poll that was answered. A hint that came in meanwhile is followed soon."""
    step = Step.FINAL if is_final(state.refund_status, row.payment_mode) else Step.FOLLOWED
    row = attrs.evolve(row, step=step, status=state.refund_status, note=None, tries=0, looked_at=asked)
    row = attrs.evolve(row, look_at=now + regular(row, now, policy, state=state, roll=roll))
    return row if row.woken_at is None else woken(row, now, policy)


def regular(
    row: Tracked, now: float, policy: Policy, *, state: RefundState | None = None, fast: bool = False, roll: float = 0
) -> float:
    """Seconds until the next poll by the schedule."""
    age = timedelta(seconds=max(0.0, now - (row.sent_at or row.created_at)))
    fast, at = fast or bool(row.token and row.token.fast), datetime.fromtimestamp(now, UTC)
    wait = policy.schedule.wait(age, roll, state=state, now=at, fast=fast, failures=row.tries)
    return wait.total_seconds()


def failed(row: Tracked, error: AtlasRefundsError, now: float, policy: Policy) -> Tracked:
    """After a poll or a search that failed, for whatever reason: it goes on, and the list shows it."""
    tried = later(row, row.step, str(error), now, policy)
    if row.step is not Step.FOLLOWED:
        return tried
    return attrs.evolve(tried, look_at=now + regular(tried, now, policy))


def later(row: Tracked, step: Step, note: str, now: float, policy: Policy) -> Tracked:
    """Not settled yet: try again after a while that grows."""
    return attrs.evolve(row, step=step, note=note, tries=row.tries + 1, look_at=now + policy.retry(row.tries))


def woken(row: Tracked, now: float, policy: Policy) -> Tracked:
    """After a hint. Hints in quick succession are one."""
    soonest = (row.looked_at or 0) + policy.hint_pause.total_seconds()
    return attrs.evolve(row, woken_at=now, look_at=min(row.look_at, max(now, soonest)))


def rechecked(row: Tracked, refund_code: str | None, now: float, policy: Policy) -> Tracked:
    """A person wants to know now, or has learnt the refund's code. A refund in review is looked for again."""
    if refund_code is not None and row.step in (Step.REVIEW, Step.UNCLEAR):
        order = row.token.order if row.token else row.submission.order
        row = exists(row, RefundToken(order=order, refund_code=refund_code), now, policy)
    elif row.step is Step.REVIEW:
        row = attrs.evolve(row, step=Step.UNCLEAR if row.intent else Step.FOLLOWED, tries=0)
    return attrs.evolve(row, look_at=now)


def resubmitted(row: Tracked, now: float) -> Tracked:
    """A person has made sure that it does not exist. Raises InvalidRequestError unless it is in review for that."""
    if row.step is not Step.REVIEW or row.intent is None:
        raise InvalidRequestError("submit again: only a refund in review that was never found")
    return attrs.evolve(row, step=Step.WAITING, tries=0, look_at=now)
