"""Quote and query are repeated when that can help, and when it cannot do harm."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from atlas_refunds import (
    ApiError,
    AtlasRefunds,
    AtlasRefundsError,
    AuthenticationError,
    BadResponseError,
    InvalidRequestRejected,
    NoAnswerError,
    NotReadyError,
    NotSentError,
    RateLimitedError,
    RetryPolicy,
    ServerError,
    Timeouts,
)

from .conftest import CREDENTIALS, ORDER, ZHAO, HandClock, free_port
from .wire_server import (
    Act,
    WireServer,
    answers,
    answers_gzipped,
    answers_html,
    closes_before_answer,
    closes_mid_body,
    drips,
    never_answers,
    refuses,
    talks_nonsense,
)

FINE = {"status": 0, "refundOrders": []}
CALLS: dict[str, Callable[[AtlasRefunds], Awaitable[object]]] = {
    "quote": lambda atlas: atlas.quote(ORDER, [ZHAO]),
    "query": lambda atlas: atlas.query(ORDER, "202505-0012"),
}

PASSING: dict[str, tuple[Act, type[AtlasRefundsError]]] = {
    "never answered": (never_answers, NoAnswerError),
    "answered too slowly": (drips(FINE, forever=True), NoAnswerError),
    "closed before the answer": (closes_before_answer, NoAnswerError),
    "closed in the answer": (closes_mid_body(FINE), NoAnswerError),
    "no HTTP": (talks_nonsense, NoAnswerError),
    "HTTP 429": (answers_html(429), RateLimitedError),
    **{f"HTTP {status}": (answers_html(status), ServerError) for status in (500, 502, 503, 504, 520, 522)},
    **{f"code {code}": (refuses(code), ServerError) for code in (2, 813)},
    "code 905": (refuses(905), RateLimitedError),
    "a request limit": (answers({"code": 429, "limitType": "QPM", "retryAfter": 5}), RateLimitedError),
}

LASTING: dict[str, tuple[Act, type[AtlasRefundsError]]] = {
    **{f"code {code}": (refuses(code), InvalidRequestRejected) for code in (100, 801, 810)},
    "code 809": (refuses(809), NotReadyError),
    "code 900": (refuses(900), AuthenticationError),
    "code 777": (refuses(777), ApiError),
    "HTTP 301": (answers(b"", 301, Location="/refundQuotation.do"), ApiError),
    "HTTP 401": (answers_html(401), AuthenticationError),
    "HTTP 404": (answers_html(404), InvalidRequestRejected),
    "HTML": (answers_html(200), BadResponseError),
    "truncated JSON": (answers(b'{"status": 0'), BadResponseError),
    "no status": (answers({"msg": "success"}), BadResponseError),
    "broken compression": (answers_gzipped(FINE, broken=True), BadResponseError),
    "too much": (answers(b" " * 9_000_000), BadResponseError),
    "too much when unpacked": (answers_gzipped(b" " * 9_000_000), BadResponseError),
    "a wait that is too long": (answers(b"", 503, Retry_After="61"), ServerError),
}


def needs_a_clock(fault: str) -> bool:
    return fault in ("never answered", "answered too slowly")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", PASSING)
async def test_a_passing_fault_is_endured(call: str, fault: str, wire: WireServer, clock: HandClock) -> None:
    act, _ = PASSING[fault]
    wire.plays(act, act, answers(FINE))
    timeouts = Timeouts(**{call: timedelta(seconds=0.25)}) if needs_a_clock(fault) else None
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock, timeouts=timeouts) as atlas:
        await CALLS[call](atlas)
    assert len(wire.calls) == 3
    assert len({(sent.path, sent.headers, sent.body) for sent in wire.calls}) == 1


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", PASSING)
async def test_a_fault_that_does_not_pass_is_raised_after_the_last_attempt(
    call: str, fault: str, wire: WireServer, clock: HandClock
) -> None:
    act, error = PASSING[fault]
    wire.plays(act)
    timeouts = Timeouts(**{call: timedelta(seconds=0.25)}) if needs_a_clock(fault) else None
    policy = RetryPolicy(attempts=2)
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock, timeouts=timeouts, retry=policy) as atlas:
        with pytest.raises(error) as caught:
            await CALLS[call](atlas)
    assert type(caught.value) is error
    assert len(wire.calls) == 2


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", LASTING)
async def test_what_will_not_pass_is_not_repeated(
    call: str, fault: str, wire: WireServer, atlas: AtlasRefunds, clock: HandClock
) -> None:
    act, error = LASTING[fault]
    wire.plays(act)
    with pytest.raises(error) as caught:
        await CALLS[call](atlas)
    assert type(caught.value) is error
    assert len(wire.calls) == 1
    assert clock.sleeps == []


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("code", [-1, 9999])
async def test_what_atlas_calls_worth_one_more_try_gets_one(
    call: str, code: int, wire: WireServer, atlas: AtlasRefunds
) -> None:
    wire.plays(refuses(code))
    with pytest.raises(ServerError):
        await CALLS[call](atlas)
    assert len(wire.calls) == 2


@pytest.mark.parametrize("call", CALLS)
async def test_not_sent_is_repeated_to_the_end(call: str, clock: HandClock) -> None:
    async with AtlasRefunds(CREDENTIALS, base_url=f"http://127.0.0.1:{free_port()}", clock=clock) as atlas:
        with pytest.raises(NotSentError):
            await CALLS[call](atlas)
    assert len(clock.sleeps) == 2


async def test_an_unreadable_answer_keeps_its_bytes(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers_html(200))
    with pytest.raises(BadResponseError, match="HTTP 200, 41 bytes") as caught:
        await atlas.query(ORDER, None)
    assert caught.value.content == b"<html><body>Gateway says no</body></html>"


async def test_nothing_is_begun_after_the_deadline_of_the_policy(wire: WireServer, clock: HandClock) -> None:
    wire.plays(answers(b"", 503, Retry_After="50"))
    policy = RetryPolicy(attempts=100, deadline=timedelta(seconds=120))
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock, retry=policy) as atlas:
        with pytest.raises(ServerError):
            await atlas.query(ORDER, None)
    assert clock.sleeps == [50, 50]
    assert len(wire.calls) == 3


async def test_the_clock_of_the_machine_is_the_default(wire: WireServer) -> None:
    wire.plays(answers(b"", 503), answers(FINE))
    policy = RetryPolicy(base=timedelta(milliseconds=1))
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, retry=policy) as atlas:
        await atlas.query(ORDER, None)
    assert len(wire.calls) == 2
