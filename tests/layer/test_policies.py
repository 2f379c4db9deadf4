"""When to repeat and when to ask again: pure functions, so properties."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas_refunds import (
    Advice,
    ApiError,
    BadResponseError,
    NoAnswerError,
    NotReadyError,
    NotSentError,
    PollSchedule,
    QuoteType,
    RateLimitedError,
    RefundState,
    RefundStatus,
    RetryPolicy,
    ServerError,
)
from atlas_refunds.codes import CODES
from atlas_refunds.polling import last_look

from .conftest import ORDER, START

ZERO, SECOND, DAY = timedelta(), timedelta(seconds=1), timedelta(days=1)
ROLLS = st.floats(0, 1, exclude_max=True)
WAITS = st.timedeltas(ZERO, DAY)
INTERVALS = st.timedeltas(SECOND, timedelta(days=30))
POLICIES = st.builds(
    RetryPolicy, attempts=st.integers(1, 100), base=WAITS, longest=WAITS, longest_asked=WAITS, deadline=WAITS
)
SCHEDULES = st.builds(
    PollSchedule,
    steps=st.lists(st.tuples(INTERVALS, INTERVALS), max_size=4).map(tuple),
    later=INTERVALS,
    jitter=st.floats(0, 0.99),
    floor=st.timedeltas(SECOND, timedelta(hours=1)),
    ceiling=st.timedeltas(timedelta(hours=1), timedelta(days=30)),
)


def api_error(kind: type[ApiError], advice: Advice, retry_after: timedelta | None = None) -> ApiError:
    return kind("text", advice=advice, code=1, message=None, http_status=200, retry_after=retry_after)


NOT_SENT = NotSentError("not sent")
ERRORS: dict[str, Exception] = {
    "not sent": NOT_SENT,
    "no answer": NoAnswerError("no answer"),
    "unreadable": BadResponseError("what", http_status=200, content=b""),
    "foreign": ZeroDivisionError(),
    **{f"code {code}": api_error(known.error, known.advice) for code, known in CODES.items()},
}
REPEATED = {"not sent", "no answer", *(f"code {code}" for code in (2, -1, 9999, 813, 814, 905, 429))}


def wait(policy: RetryPolicy, error: Exception, **more: Any) -> timedelta | None:
    return policy.wait(error, **{"once": False, "attempt": 1, "elapsed": ZERO, "roll": 0.5, **more})


@pytest.mark.parametrize("error", ERRORS)
def test_what_a_quote_or_a_query_repeats(error: str) -> None:
    assert (wait(RetryPolicy(), ERRORS[error]) is not None) is (error in REPEATED)


@given(POLICIES, st.sampled_from(sorted(ERRORS)), st.integers(1, 100), WAITS, ROLLS)
def test_a_submit_repeats_what_was_not_sent_and_nothing_else(
    policy: RetryPolicy, error: str, attempt: int, elapsed: timedelta, roll: float
) -> None:
    pause = wait(policy, ERRORS[error], once=True, attempt=attempt, elapsed=elapsed, roll=roll)
    if error != "not sent":
        assert pause is None


@given(POLICIES, st.integers(1, 200), WAITS, ROLLS)
def test_a_wait_has_its_bounds(policy: RetryPolicy, attempt: int, elapsed: timedelta, roll: float) -> None:
    pause = wait(policy, NOT_SENT, attempt=attempt, elapsed=elapsed, roll=roll)
    if pause is None:
        assert attempt >= policy.attempts or elapsed + policy.longest >= policy.deadline
        return
    assert attempt < policy.attempts
    assert ZERO <= pause <= policy.longest
    assert pause <= policy.base * 2 ** min(attempt - 1, 10) or attempt > 11
    assert elapsed + pause < policy.deadline


@given(POLICIES, st.integers(1, 99), ROLLS, ROLLS)
def test_a_higher_roll_is_a_longer_wait(policy: RetryPolicy, attempt: int, one: float, two: float) -> None:
    low, high = (wait(policy, NOT_SENT, attempt=attempt, roll=roll) for roll in sorted((one, two)))
    assert low is None or high is None or low <= high
    assert low is not None or high is None


def test_waits_double_up_to_the_longest() -> None:
    policy = RetryPolicy(attempts=100, base=SECOND, longest=10 * SECOND, deadline=DAY)
    pauses = [wait(policy, NOT_SENT, attempt=attempt, roll=0.5) for attempt in (1, 2, 3, 4, 5, 99)]
    assert pauses == [timedelta(seconds=s) for s in (0.5, 1, 2, 4, 5, 5)]


@given(POLICIES, WAITS, ROLLS, st.sampled_from([ServerError, RateLimitedError]))
def test_a_wait_that_atlas_asks_for_is_kept_or_the_error_is_raised(
    policy: RetryPolicy, asked: timedelta, roll: float, kind: type[ApiError]
) -> None:
    pause = wait(policy, api_error(kind, Advice.RATE, asked), roll=roll)
    if asked > policy.longest_asked:
        assert pause is None
    if pause is not None:
        assert asked <= pause <= max(asked, policy.longest)


def test_not_ticketed_yet_is_nothing_for_seconds() -> None:
    error = api_error(NotReadyError, Advice.WAIT)
    assert error.retryable
    assert wait(RetryPolicy(), error) is None


# ---- polls -----------------------------------------------------------------------------------------------------------
@given(SCHEDULES, st.timedeltas(-DAY, timedelta(days=400)), ROLLS)
def test_a_poll_comes_within_its_step(schedule: PollSchedule, age: timedelta, roll: float) -> None:
    pause = schedule.wait(age, roll)
    step = next((interval for below, interval in schedule.steps if age < below), schedule.later)
    interval = min(max(step, schedule.floor), schedule.ceiling)
    assert interval * (1 - schedule.jitter) <= pause + timedelta(microseconds=1)
    assert pause <= interval
    assert schedule.wait(age, 0) == interval


@given(
    SCHEDULES,
    st.timedeltas(ZERO, timedelta(days=400)),
    ROLLS,
    st.integers(0, 10_000),
    st.booleans(),
    st.none() | WAITS,
    st.sampled_from([None, *RefundStatus, RefundStatus(7)]),
    st.none() | st.dates(START.date(), START.date() + timedelta(days=400)),
)
def test_whatever_is_known_a_wait_keeps_its_bounds(
    schedule: PollSchedule,
    age: timedelta,
    roll: float,
    failures: int,
    fast: bool,
    asked: timedelta | None,
    status: RefundStatus | None,
    expected: date | None,
) -> None:
    state = RefundState(order=ORDER, refund_status=status, expected_refund_date=expected)
    pause = schedule.wait(age, roll, state=state, now=START + age, fast=fast, failures=failures, asked=asked)
    lowest = max(schedule.floor * (1 - schedule.jitter), asked or ZERO)
    assert lowest - timedelta(microseconds=1) <= pause <= max(schedule.ceiling, asked or ZERO)


MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
MANUAL = RefundState(order=ORDER, refund_quote_type=QuoteType.CANNOT_QUOTE)
PAYING = RefundState(order=ORDER, refund_status=RefundStatus.AIRLINE_REFUNDING)
EXPECTED = RefundState(order=ORDER, expected_refund_date=START.date() + timedelta(days=50))
SCHEDULED: dict[str, tuple[timedelta, dict[str, Any], timedelta]] = {
    "just submitted": (ZERO, {}, 20 * MINUTE),
    "a clock that is behind": (-5 * HOUR, {}, 20 * MINUTE),
    "after an hour": (HOUR, {}, 3 * HOUR),
    "after half a day": (12 * HOUR, {}, DAY),
    "after a week": (7 * DAY, {}, 2 * DAY),
    "after a year": (400 * DAY, {}, 2 * DAY),
    "announced as fast": (ZERO, {"fast": True}, 2 * MINUTE),
    "decided by hand": (ZERO, {"state": MANUAL}, 2 * HOUR),
    "while the airline pays": (2 * HOUR, {"state": PAYING}, DAY),
    "near the expected date": (50 * DAY, {"state": EXPECTED, "now": START + 50 * DAY}, 8 * HOUR),
    "far from the expected date": (30 * DAY, {"state": EXPECTED, "now": START + 30 * DAY}, 2 * DAY),
    "after a failure": (30 * DAY, {"failures": 1}, MINUTE),
    "after four failures": (30 * DAY, {"failures": 4}, 8 * MINUTE),
    "after countless failures": (30 * DAY, {"failures": 999}, 2 * DAY),
    "asked to wait": (ZERO, {"failures": 1, "asked": 3 * HOUR}, 3 * HOUR),
}


@pytest.mark.parametrize("known", SCHEDULED)
def test_the_default_schedule(known: str) -> None:
    age, more, interval = SCHEDULED[known]
    assert PollSchedule().wait(age, 0, **more) == interval


@given(INTERVALS, st.timedeltas(-DAY, timedelta(days=400)), ROLLS)
def test_a_schedule_for_demos_is_always_the_same(interval: timedelta, age: timedelta, roll: float) -> None:
    assert PollSchedule.every(interval).wait(age, roll) == interval


@given(st.timedeltas(ZERO, timedelta(days=10_000)))
def test_the_last_look_is_shortly_before_the_end(timeout: timedelta) -> None:
    assert ZERO <= last_look(timeout) <= min(timeout, 5 * SECOND)
