"""What next for a refund, without clock, database or engine."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest
from atlas_refunds_api.models import RefundFareAmount

from atlas_refunds import (
    Advice,
    AlreadySubmittedError,
    ApiError,
    AuthenticationError,
    ConfigurationError,
    InvalidRequestError,
    NoAnswerError,
    NotRefundableError,
    NotSentError,
    OrderNo,
    OutcomeUnknownError,
    PaymentMode,
    PollSchedule,
    QuoteExpiredError,
    RateLimitedError,
    Reconciliation,
    Refund,
    RefundState,
    RefundStatus,
    RefundToken,
    SubmissionInProgressError,
    SubmitResult,
    Verdict,
)
from atlas_refunds.calls import Submission
from atlas_refunds.tracking import Policy, Step, Tracked
from atlas_refunds.tracking import decisions as d
from atlas_refunds.tracking.personal import intent_text
from tests.chaos.procedure import PEOPLE

ORDER = OrderNo("A1")
NOW = datetime.fromtimestamp(1_800_000_000, UTC)
POLICY = Policy(schedule=PollSchedule.every(timedelta(hours=1)))
SUBJECT = Submission(order=ORDER, offer_id="offer", passengers=PEOPLE, display_currency=None)
INTENT = intent_text(SUBJECT, POLICY)
WAITING = Tracked(
    key="k",
    account="shop",
    order_no="A1",
    step=Step.WAITING,
    intent=INTENT,
    created_at=NOW,
    changed_at=NOW,
    look_at=NOW,
)
UNCLEAR = d.sending(WAITING, "me", NOW, POLICY)
TOKEN = RefundToken(order=ORDER, refund_code="R1")
FOLLOWED = d.exists(UNCLEAR, TOKEN, NOW, POLICY)
PATIENT = NOW + POLICY.patience
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def refund(code: str | None = "R1") -> Refund:
    return Refund(order=ORDER, submitted=NOW, refund_code=code)


def state(status: int | None, code: str = "R1") -> RefundState:
    return RefundState(order=ORDER, refund_code=code, refund_status=None if status is None else RefundStatus(status))


def refusal(kind: type[ApiError], advice: Advice, code: int) -> ApiError:
    return kind("refused", advice=advice, code=code, message=None, http_status=200)


def unknown(code: str | None = None) -> OutcomeUnknownError:
    return OutcomeUnknownError("seen", order=ORDER, offer_id="offer", passengers=PEOPLE, at=NOW, refund_code=code)


def test_a_submit_is_unclear_on_disk_before_it_begins() -> None:
    assert (UNCLEAR.step, UNCLEAR.sent_at, UNCLEAR.held_by, UNCLEAR.attempt) == (Step.UNCLEAR, NOW, "me", 1)


def test_what_may_have_been_sent_is_looked_for_before_it_is_sent() -> None:
    """A backup that is restored does not know what was sent after it."""
    refused = d.answered(UNCLEAR, refusal(RateLimitedError, Advice.RATE, 905), 1, NOW, POLICY)
    assert (refused.step, d.looks_first(refused, NOW, POLICY)) == (Step.WAITING, True)
    again = d.resubmitted(attrs.evolve(UNCLEAR, step=Step.REVIEW), NOW)
    assert not d.looks_first(again, NOW + POLICY.patience, POLICY)
    assert d.looks_first(again, NOW + POLICY.patience + SECOND, POLICY)


@pytest.mark.parametrize(
    ("result", "step"),
    [
        (refund(), Step.FOLLOWED),
        (NotSentError("not sent"), Step.WAITING),
        (unknown(), Step.UNCLEAR),
        (refusal(AlreadySubmittedError, Advice.DUPLICATE, 816), Step.UNCLEAR),
        (refusal(SubmissionInProgressError, Advice.WAIT, 814), Step.UNCLEAR),
        (refusal(RateLimitedError, Advice.RATE, 905), Step.WAITING),
        (refusal(AuthenticationError, Advice.AUTH, 900), Step.WAITING),
        (refusal(AuthenticationError, Advice.AUTH, 902), Step.WAITING),
        (refusal(NotRefundableError, Advice.NO, 821), Step.REFUSED),
    ],
)
def test_every_answer_to_a_submit_leads_somewhere(result: SubmitResult, step: Step) -> None:
    row = d.answered(UNCLEAR, result, 1, NOW, POLICY)
    assert row.step is step
    assert (row.intent is None) == (step in (Step.FOLLOWED, Step.REFUSED))  # the names are gone when nobody needs them
    assert (row.token == refund().token) == (step is Step.FOLLOWED)


def test_a_code_in_an_answer_that_is_not_trusted_is_something_to_look_for_and_no_proof() -> None:
    row = d.answered(UNCLEAR, unknown("R7"), 1, NOW, POLICY)
    assert row.token is not None
    assert row.token.refund_code == "R7"
    found = Reconciliation(verdict=Verdict.SUBMITTED, evidence="refused quote")
    assert d.reconciled(row, found, NOW, NOW, POLICY).step is Step.UNCLEAR
    assert d.reconciled(row, found, PATIENT, PATIENT, POLICY).step is Step.REVIEW


def test_a_person_chooses_among_refunds_that_may_be_this_one() -> None:
    both = (state(1, "R1"), state(1, "R2"))
    found = Reconciliation(verdict=Verdict.UNKNOWN, evidence="two may be it", candidates=both)
    assert d.reconciled(UNCLEAR, found, NOW, NOW, POLICY).step is Step.UNCLEAR
    row = d.reconciled(UNCLEAR, found, PATIENT, PATIENT, POLICY)
    assert (row.step, row.note) == (Step.REVIEW, "two may be it; their codes: R1, R2")


ABSENT = Reconciliation(verdict=Verdict.NOT_SUBMITTED, evidence="not listed, and a fresh quote is given")


@pytest.mark.parametrize(
    ("found", "asked", "resubmit", "step"),
    [
        (Reconciliation(verdict=Verdict.SUBMITTED, evidence="listed", state=state(1)), NOW, False, Step.FOLLOWED),
        (Reconciliation(verdict=Verdict.SUBMITTED, evidence="listed", state=state(2)), NOW, False, Step.FINAL),
        (Reconciliation(verdict=Verdict.SUBMITTED, evidence="refused quote"), NOW, False, Step.UNCLEAR),
        (Reconciliation(verdict=Verdict.SUBMITTED, evidence="refused quote"), PATIENT, False, Step.REVIEW),
        (ABSENT, PATIENT - SECOND, True, Step.UNCLEAR),
        (ABSENT, PATIENT, True, Step.WAITING),
        (ABSENT, PATIENT, False, Step.REVIEW),
        (Reconciliation(verdict=Verdict.UNKNOWN, evidence="no answer"), PATIENT, True, Step.UNCLEAR),
    ],
)
def test_a_search_for_a_submit(found: Reconciliation, asked: datetime, resubmit: bool, step: Step) -> None:
    policy = attrs.evolve(POLICY, resubmit=resubmit)
    assert d.reconciled(UNCLEAR, found, asked, asked + SECOND, policy).step is step


@pytest.mark.parametrize("step", [Step.WAITING, Step.UNCLEAR, Step.REVIEW, Step.REFUSED])
def test_a_refund_that_exists_is_believed_however_late(step: Step) -> None:
    late = d.answered(attrs.evolve(UNCLEAR, step=step, attempt=9), refund(), 1, PATIENT, POLICY)
    assert late.step is Step.FOLLOWED


ROWS = (
    d.sending(attrs.evolve(UNCLEAR, step=Step.WAITING), "other", PATIENT, POLICY),  # the second attempt is under way
    *(attrs.evolve(UNCLEAR, step=step) for step in Step if step is not Step.UNCLEAR),
)
ANSWERS = (
    NotSentError("not sent"),
    InvalidRequestError("bad"),
    unknown(),
    unknown("R7"),
    *(refusal(kind, advice, code) for kind, advice, code in (
        (AlreadySubmittedError, Advice.DUPLICATE, 816), (SubmissionInProgressError, Advice.WAIT, 814),
        (RateLimitedError, Advice.RATE, 905), (QuoteExpiredError, Advice.REQUOTE, 805),
        (NotRefundableError, Advice.NO, 821), (AuthenticationError, Advice.AUTH, 902),
    )),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("result", ANSWERS)
def test_any_other_answer_counts_only_for_the_attempt_that_it_is_about(row: Tracked, result: SubmitResult) -> None:
    """A partition or a frozen machine tells what came of attempt 1 when the row is about something else by now."""
    assert d.answered(row, result, 1, PATIENT, POLICY) == row


def test_two_refunds_are_somebodys_business() -> None:
    assert d.answered(FOLLOWED, refund("R1"), 1, NOW, POLICY) == FOLLOWED
    both = d.answered(FOLLOWED, refund("R2"), 1, NOW, POLICY)
    assert both.step is Step.REVIEW
    assert both.note == "two refunds exist: R1 and R2"


@pytest.mark.parametrize(
    ("status", "mode", "step"),
    [
        (0, None, Step.FOLLOWED),
        (2, None, Step.FINAL),
        (4, None, Step.FINAL),
        (5, PaymentMode.VCC, Step.FINAL),
        (5, PaymentMode.DEPOSIT, Step.FOLLOWED),
        (7, None, Step.FOLLOWED),
        (None, None, Step.FOLLOWED),
    ],
)
def test_what_ends_a_refund(status: int | None, mode: PaymentMode | None, step: Step) -> None:
    row = d.queried(attrs.evolve(FOLLOWED, payment_mode=mode), state(status), NOW, NOW, POLICY)
    assert row.step is step


def test_polls_follow_the_schedule_and_failures_do_not_end_them() -> None:
    row = d.queried(FOLLOWED, state(1), NOW, NOW, POLICY)
    assert row.look_at == NOW + HOUR
    for failures in range(1, 200):
        row = d.failed(row, NoAnswerError("no answer"), NOW, POLICY)
        assert row.step is Step.FOLLOWED
        assert row.tries == failures
        assert row.look_at is not None
        assert NOW < row.look_at <= NOW + HOUR
    assert d.queried(row, state(1), NOW, NOW, POLICY).tries == 0


def test_retries_grow_and_are_bounded() -> None:
    waits = [POLICY.retry(failures) for failures in range(12)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (5 * SECOND, HOUR)
    assert POLICY.retry(10**6) == HOUR


def test_a_hint_brings_the_next_look_closer_and_a_flood_of_them_changes_nothing_more() -> None:
    polled = attrs.evolve(d.queried(FOLLOWED, state(1), NOW, NOW, POLICY), held_by=None)
    woken = d.woken(polled, NOW, POLICY)
    assert woken.look_at == NOW + 60 * SECOND
    assert d.woken(woken, NOW + SECOND, POLICY) == woken
    assert d.woken(polled, NOW + 300 * SECOND, POLICY).look_at == NOW + 300 * SECOND


def test_a_hint_during_a_look_is_followed_after_it() -> None:
    looking = d.held(FOLLOWED, "w", NOW, POLICY)
    woken = d.woken(attrs.evolve(looking, look_at=NOW), NOW + SECOND, POLICY)
    assert d.woken(woken, NOW + 2 * SECOND, POLICY) == woken
    assert d.queried(woken, state(1), NOW, NOW + 2 * SECOND, POLICY).look_at == NOW + 60 * SECOND


def test_what_atlas_says_of_money_is_kept() -> None:
    fare = RefundFareAmount(currency="EUR", estimated_refund_amount=Decimal("12.50"))
    said = attrs.evolve(state(4), refund_fare_amount=fare, cancel_reason="Duplicate Refund Record")
    row = d.queried(FOLLOWED, said, NOW, NOW, POLICY)
    assert (row.amount, row.currency, row.cancel_reason) == (Decimal("12.50"), "EUR", "Duplicate Refund Record")


def test_a_person_may_look_again_or_submit_again() -> None:
    review = attrs.evolve(UNCLEAR, step=Step.REVIEW)
    assert d.rechecked(review, NOW).step is Step.UNCLEAR
    assert d.resubmitted(review, NOW).step is Step.WAITING
    for row in (FOLLOWED, UNCLEAR, attrs.evolve(review, intent=None)):
        with pytest.raises(InvalidRequestError, match="only a refund in review"):
            d.resubmitted(row, NOW)
    with pytest.raises(InvalidRequestError, match="names are forgotten"):
        d.rechecked(d.forgotten(review, NOW), NOW)
    with pytest.raises(InvalidRequestError, match="still being submitted"):
        d.forgotten(UNCLEAR, NOW)


def test_a_code_that_atlas_confirmed_is_taken_and_a_wrong_one_replaced() -> None:
    review = attrs.evolve(UNCLEAR, step=Step.REVIEW)
    assert d.named(review, state(2, "R9"), NOW, NOW, POLICY).step is Step.FINAL
    failing = d.failed(FOLLOWED, NoAnswerError("no"), NOW, POLICY)
    named = d.named(failing, state(1, "R9"), NOW, NOW, POLICY)
    assert named.token == RefundToken(order=ORDER, refund_code="R9")
    for row in (FOLLOWED, attrs.evolve(FOLLOWED, step=Step.FINAL)):
        with pytest.raises(InvalidRequestError, match="another is refused"):
            d.named(row, state(1, "R9"), NOW, NOW, POLICY)


@pytest.mark.parametrize(
    "bad",
    [
        {"hold": timedelta()},
        {"patience": timedelta(minutes=1)},
        {"polls_per_second": 0},
        {"handler_tries": 0},
        {"hint_pause": timedelta(seconds=-1)},
        {"leave": timedelta(seconds=-1)},
        {"seal": bytes},
    ],
)
def test_a_policy_that_cannot_work_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="tracking policy"):
        Policy(**bad)
