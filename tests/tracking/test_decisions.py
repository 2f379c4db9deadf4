"""What next for a refund, without clock, database or engine."""

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from atlas_refunds import (
    Advice,
    AlreadySubmittedError,
    ApiError,
    ConfigurationError,
    InvalidRequestError,
    NoAnswerError,
    NotRefundableError,
    NotSentError,
    OrderNo,
    OutcomeUnknownError,
    PaymentMode,
    PollSchedule,
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
from atlas_refunds.tracking.decisions import Act
from atlas_refunds.tracking.intents import intent_text
from tests.chaos.procedure import PEOPLE

ORDER = OrderNo("A1")
NOW = 1_800_000_000.0
POLICY = Policy(schedule=PollSchedule.every(timedelta(hours=1)))
INTENT = intent_text(Submission(order=ORDER, offer_id="offer", passengers=PEOPLE, display_currency=None))
WAITING = Tracked(key="k", order_no="A1", step=Step.WAITING, intent=INTENT, created_at=NOW, changed_at=NOW, look_at=NOW)
UNCLEAR = d.held(WAITING, Act.SUBMIT, "me", NOW, POLICY)
TOKEN = RefundToken(order=ORDER, refund_code="R1")
FOLLOWED = d.exists(UNCLEAR, TOKEN, NOW, POLICY)
PATIENT = NOW + POLICY.patience.total_seconds()


def refund(code: str | None = "R1") -> Refund:
    return Refund(order=ORDER, submitted=datetime.fromtimestamp(NOW, UTC), refund_code=code)


def state(status: int | None, code: str = "R1") -> RefundState:
    return RefundState(order=ORDER, refund_code=code, refund_status=None if status is None else RefundStatus(status))


def refusal(kind: type[ApiError], advice: Advice, code: int) -> ApiError:
    return kind("refused", advice=advice, code=code, message=None, http_status=200)


def unknown(code: str | None = None) -> OutcomeUnknownError:
    at = datetime.fromtimestamp(NOW, UTC)
    return OutcomeUnknownError("seen", order=ORDER, offer_id="offer", passengers=PEOPLE, at=at, refund_code=code)


@pytest.mark.parametrize(
    ("step", "act"),
    [
        (Step.WAITING, Act.SUBMIT),
        (Step.UNCLEAR, Act.RECONCILE),
        (Step.FOLLOWED, Act.QUERY),
        (Step.FINAL, None),
        (Step.REFUSED, None),
        (Step.REVIEW, None),
    ],
)
def test_each_step_has_one_act(step: Step, act: Act | None) -> None:
    assert d.next_act(attrs.evolve(WAITING, step=step), NOW) is act


def test_nothing_is_asked_long_before_its_time_but_slightly_early_is_served() -> None:
    assert d.next_act(attrs.evolve(FOLLOWED, look_at=NOW + d.EARLY - 1), NOW) is Act.QUERY
    assert d.next_act(attrs.evolve(FOLLOWED, look_at=NOW + d.EARLY + 1), NOW) is None


def test_a_submit_is_unclear_on_disk_before_it_begins() -> None:
    assert (UNCLEAR.step, UNCLEAR.sent_at, UNCLEAR.held_by) == (Step.UNCLEAR, NOW, "me")
    assert d.next_act(UNCLEAR, NOW) is Act.RECONCILE


@pytest.mark.parametrize(
    ("result", "step"),
    [
        (refund(), Step.FOLLOWED),
        (NotSentError("not sent"), Step.WAITING),
        (unknown(), Step.UNCLEAR),
        (refusal(AlreadySubmittedError, Advice.DUPLICATE, 816), Step.UNCLEAR),
        (refusal(SubmissionInProgressError, Advice.WAIT, 814), Step.UNCLEAR),
        (refusal(RateLimitedError, Advice.RATE, 905), Step.WAITING),
        (refusal(NotRefundableError, Advice.NO, 821), Step.REFUSED),
    ],
)
def test_every_answer_to_a_submit_leads_somewhere(result: SubmitResult, step: Step) -> None:
    row = d.answered(UNCLEAR, result, NOW, POLICY)
    assert row.step is step
    assert (row.intent is None) == (step in (Step.FOLLOWED, Step.REFUSED))  # the names are gone when nobody needs them
    assert (row.token == refund().token) == (step is Step.FOLLOWED)


def test_a_code_in_half_an_answer_is_kept_and_is_enough() -> None:
    row = d.answered(UNCLEAR, unknown("R7"), NOW, POLICY)
    found = Reconciliation(verdict=Verdict.SUBMITTED, evidence="named")
    row = d.reconciled(row, found, NOW, NOW, POLICY)
    assert row.step is Step.FOLLOWED
    assert row.token is not None
    assert row.token.refund_code == "R7"


ABSENT = Reconciliation(verdict=Verdict.NOT_SUBMITTED, evidence="not listed, and a fresh quote is given")


@pytest.mark.parametrize(
    ("found", "asked", "resubmit", "step"),
    [
        (Reconciliation(verdict=Verdict.SUBMITTED, evidence="listed", state=state(1)), NOW, False, Step.FOLLOWED),
        (Reconciliation(verdict=Verdict.SUBMITTED, evidence="listed", state=state(2)), NOW, False, Step.FINAL),
        (Reconciliation(verdict=Verdict.SUBMITTED, evidence="refused quote"), NOW, False, Step.UNCLEAR),
        (Reconciliation(verdict=Verdict.SUBMITTED, evidence="refused quote"), PATIENT, False, Step.REVIEW),
        (ABSENT, PATIENT - 1, True, Step.UNCLEAR),
        (ABSENT, PATIENT, True, Step.WAITING),
        (ABSENT, PATIENT, False, Step.REVIEW),
        (Reconciliation(verdict=Verdict.UNKNOWN, evidence="no answer"), PATIENT, True, Step.UNCLEAR),
    ],
)
def test_a_search_for_a_submit(found: Reconciliation, asked: float, resubmit: bool, step: Step) -> None:
    policy = attrs.evolve(POLICY, resubmit=resubmit)
    assert d.reconciled(UNCLEAR, found, asked, asked + 1, policy).step is step


@pytest.mark.parametrize("step", [Step.WAITING, Step.UNCLEAR, Step.REVIEW, Step.REFUSED])
def test_a_refund_that_exists_is_believed_however_late(step: Step) -> None:
    late = d.answered(attrs.evolve(UNCLEAR, step=step), refund(), PATIENT, POLICY)
    assert late.step is Step.FOLLOWED


def test_two_refunds_are_somebodys_business() -> None:
    assert d.answered(FOLLOWED, refund("R1"), NOW, POLICY) == FOLLOWED
    both = d.answered(FOLLOWED, refund("R2"), NOW, POLICY)
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
    assert row.look_at == NOW + 3600
    for failures in range(1, 200):
        row = d.failed(row, NoAnswerError("no answer"), NOW, POLICY)
        assert row.step is Step.FOLLOWED
        assert row.tries == failures
        assert NOW < row.look_at <= NOW + 3600
    assert d.queried(row, state(1), NOW, NOW, POLICY).tries == 0


def test_retries_grow_and_are_bounded() -> None:
    waits = [POLICY.retry(failures) for failures in range(12)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (5, 3600)
    assert POLICY.retry(10**6) == 3600


def test_a_hint_brings_the_next_look_closer_and_a_flood_of_them_no_more() -> None:
    polled = d.queried(FOLLOWED, state(1), NOW, NOW, POLICY)
    assert d.woken(polled, NOW, POLICY).look_at == NOW + 60
    assert d.woken(polled, NOW + 300, POLICY).look_at == NOW + 300
    during = d.queried(d.woken(polled, NOW + 300, POLICY), state(1), NOW + 299, NOW + 301, POLICY)
    assert during.look_at == NOW + 359


def test_a_person_may_look_name_a_code_or_submit_again() -> None:
    review = attrs.evolve(UNCLEAR, step=Step.REVIEW)
    assert d.rechecked(review, None, NOW, POLICY).step is Step.UNCLEAR
    named = d.rechecked(review, "R9", NOW, POLICY)
    assert named.step is Step.FOLLOWED
    assert named.token == RefundToken(order=ORDER, refund_code="R9")
    assert d.resubmitted(review, NOW).step is Step.WAITING
    for row in (FOLLOWED, UNCLEAR, attrs.evolve(review, intent=None)):
        with pytest.raises(InvalidRequestError, match="only a refund in review"):
            d.resubmitted(row, NOW)


@pytest.mark.parametrize(
    "bad",
    [
        {"hold": timedelta()},
        {"patience": timedelta(minutes=1)},
        {"polls_per_second": 0},
        {"handler_tries": 0},
        {"hint_pause": timedelta(seconds=-1)},
    ],
)
def test_a_policy_that_cannot_work_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="tracking policy"):
        Policy(**bad)
