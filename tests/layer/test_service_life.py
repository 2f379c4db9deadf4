"""What a service sets per call and over time: time limits, rotated secrets, request ids, a shutdown."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from atlas_refunds import (
    AtlasRefunds,
    AuthenticationError,
    ConfigurationError,
    Credentials,
    NoAnswerError,
    NotSentError,
    OutcomeUnknownError,
    RateLimit,
    RetryPolicy,
    ServerError,
    Timeouts,
)

from .conftest import CODE, CREDENTIALS, ONCE, ORDER, SUBMITTED, ZHAO, HandClock, queried
from .wire_server import WireServer, answers, never_answers, refuses

OLD, NEW = Credentials("client-4711", "old-secret"), Credentials("client-4711", "new-secret")
CALLS: dict[str, Callable[[AtlasRefunds], Awaitable[Any]]] = {
    "quote": lambda atlas: atlas.quote(ORDER, [ZHAO]),
    "query": lambda atlas: atlas.query(ORDER, CODE),
    "get": lambda atlas: atlas.get(ORDER, CODE),
}


# ---- credentials -----------------------------------------------------------------------------------------------------
class Rotating:
    """Says one pair after the other, the last one for ever."""

    def __init__(self, *pairs: Credentials) -> None:
        self._pairs = list(pairs)
        self.asked = 0

    def __call__(self) -> Credentials:
        self.asked += 1
        return self._pairs.pop(0) if len(self._pairs) > 1 else self._pairs[0]

    async def later(self) -> Credentials:
        await asyncio.sleep(0)
        return self()


def secrets(wire: WireServer) -> list[str]:
    return [dict(call.headers)["x-atlas-client-secret"] for call in wire.calls]


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("call", CALLS)
async def test_a_rotated_secret_is_asked_for_and_the_call_repeated_once(
    call: str, is_async: bool, wire: WireServer, clock: HandClock
) -> None:
    rotating = Rotating(OLD, NEW)
    source = rotating.later if is_async else rotating
    fine = answers(queried(2))
    wire.plays(fine, refuses(900), fine, fine)
    async with AtlasRefunds(source, base_url=wire.url, clock=clock) as atlas:
        for _ in range(3):
            await CALLS[call](atlas)
    assert secrets(wire) == ["old-secret", "old-secret", "new-secret", "new-secret"]
    assert rotating.asked == 2


async def test_calls_that_are_refused_together_ask_once(wire: WireServer, clock: HandClock) -> None:
    rotating = Rotating(OLD, NEW)

    async def by_the_secret(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        act = answers(queried(2)) if secrets(wire)[-1] == "new-secret" else refuses(900)
        await act(reader, writer)

    wire.plays(by_the_secret)
    async with AtlasRefunds(rotating.later, base_url=wire.url, clock=clock) as atlas:
        await asyncio.gather(*(atlas.get(ORDER, CODE) for _ in range(5)))
    assert rotating.asked == 2


async def test_a_second_refusal_and_the_same_pair_again_are_raised(wire: WireServer, clock: HandClock) -> None:
    wire.plays(refuses(900))
    async with AtlasRefunds(Rotating(OLD, NEW), base_url=wire.url, clock=clock) as atlas:
        with pytest.raises(AuthenticationError) as caught:
            await atlas.get(ORDER, CODE)
        assert len(caught.value.attempts) == len(wire.calls) == 2
        with pytest.raises(AuthenticationError):  # asked anew, and told the same
            await atlas.get(ORDER, CODE)
    assert secrets(wire) == ["old-secret", "new-secret", "new-secret"]


@pytest.mark.parametrize("code", [902, 801, 810])
async def test_other_refusals_ask_nobody(code: int, wire: WireServer, clock: HandClock) -> None:
    rotating = Rotating(OLD, NEW)
    wire.plays(refuses(code))
    async with AtlasRefunds(rotating, base_url=wire.url, clock=clock) as atlas:
        with pytest.raises(Exception, match=str(code)):
            await atlas.get(ORDER, CODE)
    assert (rotating.asked, len(wire.calls)) == (1, 1)


async def test_a_submit_is_not_repeated_and_the_next_call_has_the_new_secret(
    wire: WireServer, clock: HandClock
) -> None:
    wire.plays(refuses(900), answers(SUBMITTED))
    async with AtlasRefunds(Rotating(OLD, NEW), base_url=wire.url, clock=clock) as atlas:
        with pytest.raises(AuthenticationError):
            await atlas.submit(ORDER, offer_id="q_1")
        assert len(wire.calls) == 1
        await atlas.submit(ORDER, offer_id="q_1")
    assert secrets(wire) == ["old-secret", "new-secret"]


async def test_what_the_function_raises_or_returns_wrongly_is_said_and_nothing_is_sent(
    wire: WireServer, clock: HandClock
) -> None:
    def fails() -> Credentials:
        raise LookupError("no such secret")

    submits: Callable[[AtlasRefunds], Awaitable[Any]] = lambda atlas: atlas.submit(ORDER, offer_id="q_1")
    wrong: Any = lambda: ("client-4711", "secret-0815")
    for source, error in ((fails, LookupError), (wrong, ConfigurationError)):
        atlas = AtlasRefunds(source, base_url=wire.url, clock=clock)
        for call in (*CALLS.values(), submits):
            with pytest.raises(error) as caught:
                await call(atlas)
            assert "0815" not in str(caught.value)
        assert atlas.unsettled == ()
    assert wire.connections == 0


# ---- time limits -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("limit", [0.05, timedelta(seconds=0.05)])
async def test_a_call_may_have_less_time_than_others(limit: Any, wire: WireServer) -> None:
    """Repeats included: the client's own limits would allow three minutes."""
    wire.plays(never_answers)
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url) as atlas:
        for call in (
            lambda: atlas.quote(ORDER, [ZHAO], timeout=limit),
            lambda: atlas.query(ORDER, CODE, timeout=limit),
            lambda: atlas.get(ORDER, CODE, timeout=limit),
        ):
            with pytest.raises(NoAnswerError):
                async with asyncio.timeout(5):
                    await call()


async def test_a_call_may_have_more_time_than_others(wire: WireServer) -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await first_is_over.wait()
        await answers(queried(2))(reader, writer)

    first_is_over = asyncio.Event()
    wire.plays(slow)
    limits = Timeouts(query=timedelta(seconds=0.05))
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, timeouts=limits, retry=ONCE) as atlas:
        patient = asyncio.create_task(atlas.get(ORDER, CODE, timeout=30))
        with pytest.raises(NoAnswerError):
            await atlas.get(ORDER, CODE)
        first_is_over.set()
        assert (await patient).is_refunded


async def test_the_time_of_a_call_bounds_its_repeats(wire: WireServer, clock: HandClock) -> None:
    """Each answer takes four seconds, so the third attempt has but two left, and there is no fourth."""

    async def busy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clock.seconds += 4
        await refuses(2)(reader, writer)

    wire.plays(busy)
    policy = RetryPolicy(attempts=9, base=timedelta())
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock, retry=policy) as atlas:
        with pytest.raises(ServerError):
            await atlas.get(ORDER, CODE, timeout=10)
    assert len(wire.calls) == 3


async def test_a_repeat_has_the_time_that_is_left(wire: WireServer, clock: HandClock) -> None:
    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clock.seconds += 9.95
        await refuses(2)(reader, writer)

    wire.plays(late, never_answers)
    policy = RetryPolicy(attempts=2, base=timedelta())
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock, retry=policy) as atlas:
        with pytest.raises(NoAnswerError):
            async with asyncio.timeout(5):
                await atlas.get(ORDER, CODE, timeout=10)
    assert len(wire.calls) == 2


async def test_a_call_whose_turn_does_not_come_in_time_is_not_sent(wire: WireServer) -> None:
    wire.plays(never_answers)
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, limit=RateLimit(in_flight=1)) as atlas:
        first = asyncio.create_task(atlas.get(ORDER, CODE))
        await wire.was_called()
        with pytest.raises(NotSentError, match="turn"):
            await atlas.get(ORDER, CODE, timeout=0.05)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        wire.plays(answers(queried(2)))
        assert (await atlas.get(ORDER, CODE)).is_refunded  # the turn is free again
    assert len(wire.calls) == 2


# ---- request ids -----------------------------------------------------------------------------------------------------
async def test_the_id_of_the_request_is_on_results_and_plays_no_part_in_equality(
    wire: WireServer, atlas: AtlasRefunds
) -> None:
    wire.plays(
        answers({**SUBMITTED, "requestId": "r-1"}),
        answers(SUBMITTED, 200, X_Request_ID="r-2"),
        answers(queried(2), 200, X_Request_ID="r-3"),
        answers(queried(2), 200, X_Request_ID="not an id"),
    )
    quote = await atlas.quote(ORDER, [ZHAO])
    refund = await atlas.submit(ORDER, offer_id="q_1")
    state, again = await atlas.get(ORDER, CODE), await atlas.get(ORDER, CODE)
    assert [result.request_id for result in (quote, refund, state, again)] == ["r-1", "r-2", "r-3", None]
    assert state == again
    assert hash(state) == hash(again)


# ---- shutting down ---------------------------------------------------------------------------------------------------
async def test_drain_waits_for_a_submit_in_flight_and_not_for_later_calls(
    wire: WireServer, atlas: AtlasRefunds
) -> None:
    free, freed = asyncio.Event(), asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await free.wait()
        await answers(SUBMITTED)(reader, writer)

    async def slower(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await freed.wait()
        await answers(queried(2))(reader, writer)

    wire.plays(slow, slower)
    assert await atlas.drain(0)  # nothing is in flight
    submitting = asyncio.create_task(atlas.submit(ORDER, offer_id="q_1"))
    await wire.was_called()
    assert not await atlas.drain(timedelta(seconds=0.01))
    draining = asyncio.create_task(atlas.drain(30))
    await asyncio.sleep(0)
    later = asyncio.create_task(atlas.get(ORDER, CODE))
    free.set()
    assert await draining
    assert (await submitting).refund_code == CODE
    assert not later.done()
    freed.set()
    await later
    assert await atlas.drain(0)


async def test_drain_waits_for_a_submit_that_fails(wire: WireServer, clock: HandClock) -> None:
    wire.plays(never_answers)
    limits = Timeouts(submit=timedelta(seconds=0.05))
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, timeouts=limits, clock=clock) as atlas:
        submitting = asyncio.create_task(atlas.submit(ORDER, offer_id="q_1"))
        await wire.was_called()
        assert await atlas.drain(10)
        with pytest.raises(OutcomeUnknownError):
            await submitting
