"""A submit is sent at most once, and what is not a clear answer is an open outcome."""

import asyncio
import gzip
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import aiohttp
import httpcore
import httpx
import pytest

from atlas_refunds import (
    AlreadySubmittedError,
    ApiError,
    AtlasRefunds,
    AtlasRefundsError,
    InvalidRequestError,
    NotSentError,
    OrderNo,
    OutcomeUnknownError,
    Refund,
    RefundQuote,
    RetryPolicy,
    Timeouts,
)
from atlas_refunds.codes import CODES
from atlas_refunds.sockets import AsyncioNetwork

from .conftest import CODE, CREDENTIALS, ORDER, QIAN, START, SUBMITTED, ZHAO, HandClock, free_port
from .wire_server import (
    Act,
    WireServer,
    answers,
    answers_gzipped,
    answers_html,
    claims_length,
    closes_before_answer,
    closes_mid_body,
    drips,
    encoded,
    never_answers,
    refuses,
    sends,
    talks_nonsense,
    wire_server,
)

EAGER = RetryPolicy(attempts=5)
CUT_OFF = encoded(SUBMITTED)[:-20]
SHORT = Timeouts(submit=timedelta(seconds=0.3))
UNCLEAR_CODES = [2, -1, 9999, 813]
CLEAR_CODES = sorted(set(CODES) - set(UNCLEAR_CODES))

UNCLEAR: dict[str, tuple[Act, bytes, str | None]] = {
    "closed before the answer": (closes_before_answer, b"", None),
    "never answered": (never_answers, b"", None),
    "answered too slowly": (drips(SUBMITTED, forever=True), encoded(SUBMITTED), CODE),
    "no HTTP": (talks_nonsense, b"", None),
    "HTML with HTTP 200": (answers_html(200), b"<html><body>Gateway says no</body></html>", None),
    "nothing with HTTP 200": (answers(b""), b"", None),
    "a redirect": (answers(b"", 302, Location="/refund.do"), b"", None),
    **{f"HTTP {status}": (answers_html(status), b"", None) for status in (500, 502, 503, 504, 520, 522)},
    "success with HTTP 500": (answers(SUBMITTED, 500), b"", CODE),
    **{f"code {code}": (refuses(code), b"", None) for code in [*UNCLEAR_CODES, 777, 1]},
    "a status that is no number": (answers({**SUBMITTED, "status": None}), b'{"status": null,', CODE),
    "truncated JSON": (answers(CUT_OFF), CUT_OFF, CODE),
    "truncated JSON without a code": (answers(b'{"status": 0, "refu'), b'{"status": 0, "refu', None),
    "a length that is too short": (claims_length(len(CUT_OFF), SUBMITTED, then_close=True), CUT_OFF, CODE),
    "a member that cannot be read": (answers({**SUBMITTED, "refundTickets": "?"}), b'{"status": 0', CODE),
    "broken compression": (answers_gzipped(SUBMITTED, broken=True), b"", None),
}


def watch_for_doubles(wire: WireServer) -> None:
    assert [call.path for call in wire.calls] == ["/refund.do"]


@pytest.mark.parametrize("fault", UNCLEAR)
async def test_whatever_is_not_a_clear_answer_leaves_the_outcome_open(
    fault: str, wire: WireServer, clock: HandClock
) -> None:
    act, content, refund_code = UNCLEAR[fault]
    wire.plays(act)
    timeouts = SHORT if act is never_answers or "slowly" in fault else None
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock, retry=EAGER, timeouts=timeouts) as atlas:
        with pytest.raises(OutcomeUnknownError, match="may or may not") as caught:
            await atlas.submit(ORDER, passengers=(person for person in [ZHAO, QIAN]))
    watch_for_doubles(wire)
    unknown = caught.value
    assert (unknown.order, unknown.offer_id, unknown.passengers, unknown.at) == (ORDER, None, (ZHAO, QIAN), START)
    assert unknown.content.startswith(content)
    assert bool(unknown.content) == bool(content)
    assert unknown.refund_code == refund_code
    assert isinstance(unknown.__cause__, AtlasRefundsError)
    assert unknown.seen in str(unknown)


async def test_an_answer_cut_off_by_the_connection_leaves_the_outcome_open(
    wire: WireServer, atlas: AtlasRefunds
) -> None:
    wire.plays(closes_mid_body({"refundCode": CODE, "padding": " " * 200, **SUBMITTED}))
    with pytest.raises(OutcomeUnknownError) as caught:
        await atlas.submit(ORDER, offer_id="q_1")
    watch_for_doubles(wire)
    assert caught.value.refund_code == CODE  # what had come was read


async def test_an_answer_too_large_leaves_the_outcome_open(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers({**SUBMITTED, "padding": " " * 9_000_000}))
    with pytest.raises(OutcomeUnknownError, match="too large"):
        await atlas.submit(ORDER, offer_id="q_1")
    watch_for_doubles(wire)


async def test_the_outcome_of_a_quote_knows_its_offer_and_its_passengers(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(refuses(9999))
    quote = RefundQuote.from_dict({"isRefundable": True, "refundOfferId": "q_7"}, order=ORDER, passengers=(QIAN,))
    with pytest.raises(OutcomeUnknownError) as caught:
        await atlas.submit(quote)
    assert (caught.value.offer_id, caught.value.passengers) == ("q_7", (QIAN,))


@pytest.mark.parametrize("code", CLEAR_CODES)
async def test_a_clear_refusal_is_raised_as_what_it_is_and_never_repeated(
    code: int, wire: WireServer, clock: HandClock
) -> None:
    exists = {"refundCode": CODE} if CODES[code].error is AlreadySubmittedError else {"refundCode": None}
    wire.plays(refuses(code, refundOfferId="q_1", **exists))
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock, retry=EAGER) as atlas:
        with pytest.raises(CODES[code].error) as caught:
            await atlas.submit(ORDER, passengers=[ZHAO])
    assert type(caught.value) is CODES[code].error
    assert (caught.value.code, clock.sleeps) == (code, [])
    watch_for_doubles(wire)


NOT_ALL = {
    "names a refund": refuses(801, refundCode=CODE),
    "is a whole success beside its code": answers({**SUBMITTED, "status": 809}),
    "names one deeper": refuses(801, data={"status": 0}),
    "names one in text": refuses(801, msg=json.dumps({"refundCode": CODE})),
    "lists refunds": refuses(809, refundOrders=[{"refundStatus": 0}]),
    "HTTP speaks of a fault": answers({"status": 801, "msg": None}, 500),
    "HTTP speaks of a time-out": answers({"status": 900, "msg": None}, 504),
    "HTTP speaks of a redirect": answers({"status": 809, "msg": None}, 307),
    "HTTP speaks of another success": answers({"status": 801, "msg": None}, 202),
    "cut off": sends(b'HTTP/1.0 403 Forbidden\r\nContent-Type: application/json\r\n\r\n{"sta', then_close=True),
    "cut off, packed": answers(gzip.compress(b'{"status": 801}')[:9], 403, Content_Encoding="gzip"),
    "packed, with more behind": answers(
        gzip.compress(b'{"status": 801}') + gzip.compress(json.dumps(SUBMITTED).encode()), Content_Encoding="gzip"
    ),
}


@pytest.mark.parametrize("answer", NOT_ALL.values(), ids=NOT_ALL)
async def test_a_refusal_that_may_not_be_all_leaves_the_outcome_open(
    answer: Act, wire: WireServer, atlas: AtlasRefunds
) -> None:
    wire.plays(answer)
    with pytest.raises(OutcomeUnknownError):
        await atlas.submit(ORDER, passengers=[ZHAO])
    watch_for_doubles(wire)


async def test_what_comes_before_the_request_is_no_answer_to_it(wire: WireServer) -> None:
    wire.greeting = b"HTTP/1.1 429 Slow\r\nContent-Length: 2\r\n\r\n{}"
    stream = await AsyncioNetwork(tunnel=0).connect_tcp("127.0.0.1", wire.port, 5)
    while not stream.get_extra_info("is_readable"):  # noqa: ASYNC110
        await asyncio.sleep(0)
    await stream.write(b"POST /refund.do HTTP/1.1\r\n\r\n")
    with pytest.raises(httpcore.WriteError):
        await stream.read(1000)
    await stream.aclose()
    await wire.is_quiet()
    assert wire.calls == []


@pytest.mark.parametrize(("make", "used"), [(httpx.AsyncClient, [1, 2, 3]), (aiohttp.ClientSession, [1, 2, 2])])
async def test_a_submit_through_an_injected_client_takes_no_connection_of_a_query(
    make: Any, used: list[int], wire: WireServer
) -> None:
    wire.plays(answers({"status": 0, "refundOrders": []}), answers(SUBMITTED))
    async with make() as http:
        atlas = AtlasRefunds(CREDENTIALS, base_url=wire.url, http_client=http)
        await atlas.query(ORDER, None)
        for _ in range(2):
            await atlas.submit(ORDER, offer_id="q_1")
    assert [call.connection for call in wire.calls] == used


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429])
async def test_an_http_refusal_is_clear_too(status: int, wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers_html(status))
    with pytest.raises(AtlasRefundsError) as caught:
        await atlas.submit(ORDER, passengers=[ZHAO])
    assert not isinstance(caught.value, OutcomeUnknownError)
    watch_for_doubles(wire)


@pytest.mark.parametrize("quotes", ["", '"'])
async def test_status_of_very_many_digits_leaves_the_outcome_open(
    quotes: str, wire: WireServer, atlas: AtlasRefunds
) -> None:
    wire.plays(answers(f'{{"status": {quotes}{"9" * 5000}{quotes}}}'.encode()))
    with pytest.raises(OutcomeUnknownError):
        await atlas.submit(ORDER, offer_id="q_1")
    watch_for_doubles(wire)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 415, 429])
@pytest.mark.parametrize(
    "body",
    [SUBMITTED, {"refundCode": CODE}, CUT_OFF, b'{"status": 400, "status": 0}'],
    ids=["success", "a code", "cut off", "said twice"],
)
async def test_success_under_an_http_refusal_leaves_the_outcome_open(
    status: int, body: object, wire: WireServer, atlas: AtlasRefunds
) -> None:
    wire.plays(answers(body, status))
    with pytest.raises(OutcomeUnknownError):
        await atlas.submit(ORDER, passengers=[ZHAO])
    watch_for_doubles(wire)


@pytest.mark.parametrize("code", [814, 905])
async def test_refusal_that_tells_of_another_submit_says_to_look_for_it(
    code: int, wire: WireServer, atlas: AtlasRefunds
) -> None:
    wire.plays(refuses(code))
    with pytest.raises(ApiError, match="look for the order's refunds") as caught:
        await atlas.submit(ORDER, passengers=[ZHAO])
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("act", "safe"),
    [
        *[(refuses(code), code in (429, 809)) for code in CLEAR_CODES],
        (answers_html(429), True),
        (answers_html(404), False),
        (answers_html(503), False),
        (refuses(2), False),
        (closes_before_answer, False),
    ],
)
async def test_retryable_of_a_submit_means_that_submitting_again_is_safe(
    act: Act, safe: bool, wire: WireServer, atlas: AtlasRefunds
) -> None:
    wire.plays(act)
    with pytest.raises((ApiError, OutcomeUnknownError)) as caught:
        await atlas.submit(ORDER, passengers=[ZHAO])
    assert isinstance(caught.value, ApiError | OutcomeUnknownError)
    assert caught.value.retryable is safe


async def test_quote_of_another_order_is_not_submitted(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers({"status": 0, "isRefundable": True, "refundOfferId": "q_7", "orderNo": "ANOTHER"}))
    quote = await atlas.quote(ORDER, [ZHAO])
    with pytest.raises(InvalidRequestError, match="another order"):
        await atlas.submit(quote)
    assert [call.path for call in wire.calls] == ["/refundQuotation.do"]


# ---- not sent --------------------------------------------------------------------------------------------------------
async def test_nobody_listens(clock: HandClock) -> None:
    async with AtlasRefunds(CREDENTIALS, base_url=f"http://127.0.0.1:{free_port()}", clock=clock) as atlas:
        with pytest.raises(NotSentError, match="nothing was sent"):
            await atlas.submit(ORDER, offer_id="q_1")
    assert len(clock.sleeps) == 2  # three attempts


async def test_not_sent_is_safe_to_repeat(clock: HandClock) -> None:
    async with AtlasRefunds(CREDENTIALS, base_url=f"http://127.0.0.1:{free_port()}", clock=clock) as atlas:
        with pytest.raises(NotSentError) as caught:
            await atlas.submit(ORDER, offer_id="q_1")
    assert caught.value.retryable


async def test_a_submit_that_finds_somebody_at_last_is_executed_once(clock: HandClock) -> None:
    port, servers = free_port(), list[WireServer]()
    async with AsyncExitStack() as later:

        async def somebody_listens(_: float) -> None:
            server = await later.enter_async_context(wire_server(port))
            server.plays(answers(SUBMITTED))
            servers.append(server)

        clock.meanwhile = somebody_listens
        async with AtlasRefunds(CREDENTIALS, base_url=f"http://127.0.0.1:{port}", clock=clock) as atlas:
            refund = await atlas.submit(ORDER, offer_id="q_1")
        (server,) = servers
        watch_for_doubles(server)
    assert (refund.refund_code, refund.submitted) == (CODE, START)


# ---- connections -----------------------------------------------------------------------------------------------------
async def test_a_submit_never_takes_a_used_connection(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers({**SUBMITTED, "refundOrders": []}))
    await atlas.query(ORDER, None)
    await atlas.query(ORDER, None)
    await atlas.submit(ORDER, offer_id="q_1")
    await atlas.submit(ORDER, offer_id="q_2")
    await atlas.query(ORDER, None)
    first, second, *submits, last = [call.connection for call in wire.calls]
    assert first == second
    assert len({first, *submits}) == 3
    assert last in {first, *submits}


async def test_submits_of_many_orders_do_not_wait_for_each_other(wire: WireServer, atlas: AtlasRefunds) -> None:
    """All are on their way before the first one is answered."""
    numbers, arrived = [f"X{n}" for n in range(8)], asyncio.Event()

    async def together(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(wire.calls) == len(numbers):
            arrived.set()
        await asyncio.wait_for(arrived.wait(), 10)
        await answers(SUBMITTED)(_, writer)

    wire.plays(together)
    refunds = await asyncio.gather(*[atlas.submit(OrderNo(number), offer_id="q_1") for number in numbers])
    assert {call.json["orderNo"] for call in wire.calls} == set(numbers)
    assert [refund.order for refund in refunds] == [OrderNo(number) for number in numbers]
    assert len({call.connection for call in wire.calls}) == len(numbers)


@pytest.mark.parametrize(
    "submit", [lambda a: a.submit(ORDER, offer_id="q_1"), lambda a: a.submit(ORDER, passengers=[ZHAO])]
)
async def test_the_token_of_a_fresh_refund_says_when_it_was_submitted(
    submit: Callable[[AtlasRefunds], asyncio.Future[Refund]], wire: WireServer, atlas: AtlasRefunds
) -> None:
    wire.plays(answers(SUBMITTED))
    token = (await submit(atlas)).token
    assert (token.order, token.refund_code, token.submitted) == (ORDER, CODE, START)
