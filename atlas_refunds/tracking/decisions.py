"""What next for this refund: pure functions over the stored row, without clock, database or engine.

    waiting ──sending──▶ unclear ──answered──▶ followed ──queried──▶ final
       ▲                    │  └──────────────▶ refused
       └───── provably ─────┴──reconciled────▶ followed, waiting or review

A row is `unclear` on disk before the first byte leaves, so whoever finds it so later looks and never sends.
"""

from datetime import datetime, timedelta

import attrs

from ..errors import (
    AlreadySubmittedError,
    ApiError,
    AtlasRefundsError,
    AuthenticationError,
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


def looks_first(row: Tracked, now: datetime, policy: Policy) -> bool:
    """Whether a waiting refund is looked for before it is sent: it was sent before, or the row is from another time.

    A restored backup, or a replica that lagged, does not know what was sent after it.
    """
    return row.sent_at is not None or (row.look_at is not None and now - row.look_at > policy.patience)


def held(row: Tracked, by: str, now: datetime, policy: Policy) -> Tracked:
    """Taken by one run of one worker."""
    return attrs.evolve(row, held_by=by, held_until=now + policy.hold, woken_at=None)


def sending(row: Tracked, by: str, now: datetime, policy: Policy) -> Tracked:
    """Written down before a submit begins."""
    row = attrs.evolve(held(row, by, now, policy), step=Step.UNCLEAR, sent_at=now, attempt=row.attempt + 1)
    return attrs.evolve(row, look_at=now)


def answered(row: Tracked, result: SubmitResult, attempt: int, now: datetime, policy: Policy) -> Tracked:
    """After a submit. A refund that exists is believed at any time; any other answer only while the row is about it."""
    if isinstance(result, Refund):
        return exists(row, result.token, now, policy)
    if row.step is not Step.UNCLEAR or row.attempt != attempt:
        return row
    match result:
        case NotSentError() | InvalidRequestError():  # checked when it was taken in: it is not the request that is bad
            return later(row, Step.WAITING, str(result), now, policy)
        case OutcomeUnknownError(refund_code=code):
            token = RefundToken(order=result.order, refund_code=code) if code else row.token
            note = "the outcome of the submit is unknown"
            return attrs.evolve(later(row, Step.UNCLEAR, note, now, policy), token=token)
        case AlreadySubmittedError() | SubmissionInProgressError():
            return later(row, Step.UNCLEAR, f"the submit was answered with code {result.code}", now, policy)
        # The account's trouble does not end a refund.
        case AuthenticationError() | RateLimitedError() | ApiError(retryable=True):
            return later(row, Step.WAITING, f"the submit was answered with code {result.code}", now, policy)
        case _:
            return attrs.evolve(row, step=Step.REFUSED, note=str(result), intent=None)


def reconciled(row: Tracked, found: Reconciliation, asked: datetime, now: datetime, policy: Policy) -> Tracked:
    """After a search for a submit without an outcome; `asked` is when the search began."""
    patient = asked - (row.sent_at or row.created_at) >= policy.patience
    if found.verdict is Verdict.SUBMITTED and found.state and found.token:
        return queried(exists(row, found.token, now, policy), found.state, asked, now, policy)
    if found.verdict is Verdict.SUBMITTED and patient:
        return attrs.evolve(row, step=Step.REVIEW, note=f"it exists, but its code is not known: {found.evidence}")
    if found.candidates and patient:
        codes = ", ".join(str(state.refund_code) for state in found.candidates)
        return attrs.evolve(row, step=Step.REVIEW, note=f"{found.evidence}; their codes: {codes}")
    if found.verdict is Verdict.NOT_SUBMITTED and patient:
        if policy.resubmit:
            return attrs.evolve(row, step=Step.WAITING, note=found.evidence, tries=0, look_at=now)
        return attrs.evolve(row, step=Step.REVIEW, note=f"it seems that it was never submitted: {found.evidence}")
    return later(row, row.step, found.evidence, now, policy)


def exists(row: Tracked, token: RefundToken, now: datetime, policy: Policy) -> Tracked:
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


def queried(
    row: Tracked, state: RefundState, asked: datetime, now: datetime, policy: Policy, roll: float = 0
) -> Tracked:
    """After a poll that was answered. A hint that came in meanwhile is followed soon."""
    if row.step is not Step.FOLLOWED:  # two refunds exist
        return row
    fare = state.refund_fare_amount
    row = attrs.evolve(
        row,
        step=Step.FINAL if is_final(state.refund_status, row.payment_mode) else Step.FOLLOWED,
        status=state.refund_status,
        amount=fare.estimated_refund_amount if fare else None,
        currency=fare.currency if fare else None,
        expected_confirmation_date=state.expected_confirmation_date,
        expected_refund_date=state.expected_refund_date,
        cancel_reason=state.cancel_reason,
        note=None,
        tries=0,
        looked_at=asked,
    )
    row = attrs.evolve(row, look_at=now + regular(row, now, policy, state=state, roll=roll))
    return row if row.woken_at is None else woken(row, now, policy)


def regular(
    row: Tracked,
    now: datetime,
    policy: Policy,
    *,
    state: RefundState | None = None,
    fast: bool = False,
    roll: float = 0,
) -> timedelta:
    """How long until the next poll by the schedule."""
    age = max(timedelta(), now - (row.sent_at or row.created_at))
    fast = fast or bool(row.token and row.token.fast)
    return policy.schedule.wait(age, roll, state=state, now=now, fast=fast, failures=row.tries)


def failed(row: Tracked, error: AtlasRefundsError, now: datetime, policy: Policy) -> Tracked:
    """After a poll or a search that failed, for whatever reason: it goes on, and the list shows it."""
    if not row.step.is_open:
        return row
    tried = later(row, row.step, str(error), now, policy)
    if row.step is not Step.FOLLOWED:
        return tried
    return attrs.evolve(tried, look_at=now + regular(tried, now, policy))


def later(row: Tracked, step: Step, note: str, now: datetime, policy: Policy) -> Tracked:
    """Not settled yet: try again after a while that grows."""
    return attrs.evolve(row, step=step, note=note, tries=row.tries + 1, look_at=now + policy.retry(row.tries))


def woken(row: Tracked, now: datetime, policy: Policy) -> Tracked:
    """After a hint. Hints in quick succession are one: the second changes nothing."""
    if row.look_at is None:
        return row
    soonest = max(now, row.looked_at + policy.hint_pause) if row.looked_at else now
    return attrs.evolve(row, woken_at=row.woken_at or now, look_at=min(row.look_at, soonest))


# ---- what a person decides -------------------------------------------------------------------------------------------
def rechecked(row: Tracked, now: datetime) -> Tracked:
    """A person wants to know now. A refund in review is looked for again. Raises InvalidRequestError without a name."""
    if row.step is Step.REVIEW:
        if not row.intent and not row.token:
            raise InvalidRequestError("check: the names are forgotten; give the refund code")
        return attrs.evolve(row, step=Step.UNCLEAR if row.intent else Step.FOLLOWED, tries=0, look_at=now)
    return attrs.evolve(row, look_at=now) if row.step.is_open else row


def named(row: Tracked, state: RefundState, asked: datetime, now: datetime, policy: Policy) -> Tracked:
    """A person gave the refund's code, and Atlas has that refund. Raises InvalidRequestError where it is known well."""
    code = row.token.refund_code if row.token else None
    if row.step is Step.FINAL or (row.step is Step.FOLLOWED and not row.tries and state.refund_code != code):
        raise InvalidRequestError(f"check: this refund is {row.step.value} by its code {code}; another is refused")
    found = exists(attrs.evolve(row, step=Step.REVIEW), state.token, now, policy)
    return queried(found, state, asked, now, policy)


def resubmitted(row: Tracked, now: datetime) -> Tracked:
    """A person has made sure that it does not exist. Raises InvalidRequestError unless it is in review for that."""
    if row.step is not Step.REVIEW or row.intent is None:
        raise InvalidRequestError("submit again: only a refund in review that was never found")
    return attrs.evolve(row, step=Step.WAITING, sent_at=None, tries=0, look_at=now)


def forgotten(row: Tracked, now: datetime) -> Tracked:
    """Without what names people. Raises InvalidRequestError while the names are needed."""
    if row.intent is not None and row.step is not Step.REVIEW:
        raise InvalidRequestError("forget: this refund is still being submitted; its names go by themselves")
    return attrs.evolve(row, intent=None, subject=None)
