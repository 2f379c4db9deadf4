"""How fast one client calls, and how one call's rate limit holds back its siblings."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas_refunds import (
    AtlasRefunds,
    ConfigurationError,
    Event,
    NoAnswerError,
    NotSentError,
    Pause,
    RateLimit,
    RateLimitedError,
    Timeouts,
)
from atlas_refunds.limits import Pace

from .conftest import CODE, CREDENTIALS, ONCE, ORDER, SUBMITTED, ZHAO, HandClock, queried
from .wire_server import WireServer, answers, never_answers, refuses

LISTED = answers(queried(0))
OTHER_LIMIT = {"code": 429, "message": "slow", "limitType": "x", "limit": 1, "retryAfter": 20}


def limited(wire: WireServer, clock: HandClock, limit: RateLimit, events: list[Event] | None = None) -> AtlasRefunds:
    handler = None if events is None else events.append
    return AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock, retry=ONCE, limit=limit, on_event=handler)


async def test_calls_beyond_the_burst_wait_for_their_token(wire: WireServer, clock: HandClock) -> None:
    wire.plays(LISTED)
    events: list[Event] = []
    async with limited(wire, clock, RateLimit(per_second=2, burst=3), events) as atlas:
        for _ in range(5):
            await atlas.query(ORDER, "202505-0012")
    assert clock.sleeps == [0.5, 0.5]
    assert [(pause.reason, pause.seconds) for pause in events if isinstance(pause, Pause)] == [("limit", 0.5)] * 2


@given(
    st.floats(0.1, 1000), st.integers(1, 50), st.lists(st.floats(0, 10), min_size=1, max_size=60)
)  # rate, burst, gaps between the calls
def test_no_window_holds_more_than_burst_and_rate_allow(per_second: float, burst: int, gaps: list[float]) -> None:
    pace = Pace(RateLimit(per_second=per_second, burst=burst), HandClock())
    now, sent = 0.0, []
    for gap in gaps:
        now += gap
        sent.append(now + pace.reserve(now, "query", once=False))
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            assert last - first + 1 <= burst + (sent[last] - sent[first]) * per_second + 1e-6


async def test_calls_in_flight_are_bounded(wire: WireServer, clock: HandClock) -> None:
    pair = asyncio.Barrier(2)  # each answer waits for a second call, so two are in flight at least
    in_flight = peak = 0

    async def answers_in_pairs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal in_flight, peak
        in_flight += 1
        peak = max(peak, in_flight)
        await pair.wait()
        in_flight -= 1
        await LISTED(reader, writer)

    wire.plays(answers_in_pairs)
    async with limited(wire, clock, RateLimit(in_flight=2)) as atlas:
        await asyncio.gather(*(atlas.query(ORDER, f"202505-000{n}") for n in range(8)))
    assert peak == 2


@pytest.mark.parametrize(("call", "other"), [("quote", "query"), ("query", "quote"), ("submit", "query")])
async def test_waiting_for_a_slot_counts_into_the_deadline(
    wire: WireServer, clock: HandClock, call: str, other: str
) -> None:
    """And what did not get its turn was not sent."""
    wire.plays(never_answers)
    short: dict[str, Any] = {call: timedelta(seconds=0.2)}
    limit = RateLimit(in_flight=1)
    async with AtlasRefunds(
        CREDENTIALS, base_url=wire.url, clock=clock, limit=limit, timeouts=Timeouts(**short)
    ) as atlas:
        calls: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {
            "quote": lambda: atlas.quote(ORDER, [ZHAO]),
            "query": lambda: atlas.query(ORDER, "R-1"),
            "submit": lambda: atlas.submit(ORDER, offer_id="q_1"),
        }
        first = asyncio.create_task(calls[other]())
        await wire.was_called()
        with pytest.raises(NotSentError, match="turn"):
            await calls[call]()
        assert len(wire.calls) == 1
        assert not atlas.unsettled
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        wire.plays(answers({**SUBMITTED, "refundOrders": []}))
        await calls[other]()  # the slot is free again


async def test_wait_for_a_token_that_is_longer_than_the_call_may_take_is_not_begun(
    wire: WireServer, clock: HandClock
) -> None:
    wire.plays(LISTED)
    async with limited(wire, clock, RateLimit(per_second=0.01, burst=1)) as atlas:
        await atlas.query(ORDER, "R-1")
        for _ in range(3):  # and takes no token
            with pytest.raises(NotSentError, match=r"turn comes in 100\.0 s"):
                await atlas.query(ORDER, "R-1")
        clock.seconds += 100
        await atlas.query(ORDER, "R-1")
    assert not clock.sleeps


async def test_waiting_takes_from_the_time_that_is_left(wire: WireServer, clock: HandClock) -> None:
    """A submit leaves half of it for its answer."""
    wire.plays(LISTED, never_answers)
    timeouts = Timeouts(query=timedelta(seconds=10.2), submit=timedelta(seconds=19))
    settings: dict[str, Any] = {"limit": RateLimit(per_second=0.1, burst=1), "timeouts": timeouts, "retry": ONCE}
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock, **settings) as atlas:
        await atlas.query(ORDER, "R-1")
        with pytest.raises(NotSentError):
            await atlas.submit(ORDER, offer_id="q_1")
        with pytest.raises(NoAnswerError):  # within 0.2 s of real time
            await atlas.query(ORDER, "R-1")
    assert clock.sleeps == [10]


async def test_429_holds_back_siblings_as_long_as_atlas_asks(wire: WireServer, clock: HandClock) -> None:
    wire.plays(answers(OTHER_LIMIT), LISTED)
    async with limited(wire, clock, RateLimit()) as atlas:
        with pytest.raises(RateLimitedError):
            await atlas.query(ORDER, "202505-0012")
        await atlas.query(ORDER, "202505-0012")
    assert clock.sleeps == [20.0]


async def test_905_holds_back_submits_and_not_queries(wire: WireServer, clock: HandClock) -> None:
    wire.plays(refuses(905), LISTED, answers(SUBMITTED))
    async with limited(wire, clock, RateLimit(after_too_many_submits=timedelta(seconds=30))) as atlas:
        with pytest.raises(RateLimitedError):
            await atlas.submit(ORDER, offer_id="q_1")
        await atlas.query(ORDER, "202505-0012")
        assert not clock.sleeps
        await atlas.submit(ORDER, offer_id="q_1")
    assert clock.sleeps == [30.0]


@pytest.mark.parametrize("asked", ["999999999", "Fri, 01 Jan 2999 00:00:00 GMT", "11"])
@pytest.mark.parametrize("code", [429, 905])
async def test_no_answer_holds_calls_back_for_long(wire: WireServer, clock: HandClock, asked: str, code: int) -> None:
    wire.plays(answers({"status": code}, Retry_After=asked), answers(SUBMITTED))
    async with limited(wire, clock, RateLimit(longest_hold=timedelta(seconds=10))) as atlas:
        with pytest.raises(RateLimitedError):
            await atlas.query(ORDER, "202505-0012")
        assert (await atlas.submit(ORDER, offer_id="q_1")).refund_code == CODE
    assert clock.sleeps == [10.0]


@pytest.mark.parametrize(
    "settings", [{"per_second": 0}, {"burst": 0}, {"in_flight": 0}, {"longest_hold": timedelta(seconds=-1)}]
)
def test_limits_that_cannot_work_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        RateLimit(**settings)  # type: ignore[arg-type]
