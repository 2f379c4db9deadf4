"""How fast one client calls, and how one call's rate limit holds back its siblings."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas_refunds import (
    AtlasRefunds,
    ConfigurationError,
    Event,
    Pause,
    RateLimit,
    RateLimitedError,
)
from atlas_refunds.limits import Pace

from .conftest import CODE, CREDENTIALS, ONCE, ORDER, SUBMITTED, HandClock, queried
from .wire_server import WireServer, answers, refuses

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
        sent.append(now + pace.reserve(now, once=False))
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
