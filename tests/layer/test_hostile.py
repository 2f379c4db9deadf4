"""Answers that nobody should send: one typed error or a correct result, in bounded memory, nothing else."""

import asyncio
import gzip
import tracemalloc
from datetime import timedelta
from decimal import Decimal

import pytest

from atlas_refunds import (
    ApiError,
    AtlasRefunds,
    AtlasRefundsError,
    BadResponseError,
    NoAnswerError,
    OutcomeUnknownError,
    RefundStatus,
    ServerError,
    Timeouts,
)

from .conftest import CODE, CREDENTIALS, ONCE, ORDER, ZHAO, queried, sample_bytes
from .wire_server import (
    Act,
    WireServer,
    answers,
    answers_chunked,
    answers_html,
    claims_length,
    drips,
    encoded,
    head,
    sends,
    talks_nonsense,
)

QUOTE = sample_bytes("reference-2025.quote.response.json")
LISTED = encoded(queried(2))

CORRECT: dict[str, Act] = {
    "byte order mark": answers(b"\xef\xbb\xbf" + LISTED),
    "chunked": answers_chunked(LISTED),
    "dripping": drips(LISTED),
    "gzip": answers(gzip.compress(LISTED), Content_Encoding="gzip"),
    "code as text": answers({"status": "0", "refundOrders": [{"refundCode": CODE, "refundStatus": "2"}]}),
    "one object for a list": answers({"status": 0, "refundOrders": {"refundCode": CODE, "refundStatus": 2.0}}),
    "unknown members": answers({**queried(2), "trace": {"a": [1, None]}}),
}


@pytest.mark.parametrize("act", CORRECT.values(), ids=CORRECT)
async def test_unusual_but_clear_answer_is_read(atlas_once: AtlasRefunds, wire: WireServer, act: Act) -> None:
    wire.plays(act)
    assert (await atlas_once.get(ORDER, CODE)).refund_status is RefundStatus.REFUNDED


UNREADABLE: dict[str, Act] = {
    "html": answers_html(200),
    "empty": answers(b""),
    "truncated": answers(LISTED[:-5]),
    "utf-16": answers(LISTED.decode().encode("utf-16")),
    "latin-1": answers('{"status": 0, "msg": "é"}'.encode("latin-1")),
    "broken gzip": answers(b"\x1f\x8b\x08\x00 no", Content_Encoding="gzip"),
    "cut gzip": answers(gzip.compress(LISTED)[:-9], Content_Encoding="gzip"),
    "other compression": answers(LISTED, Content_Encoding="br"),
    "gzip bomb": answers(gzip.compress(bytes(64 * 1024 * 1024)), Content_Encoding="gzip"),
    "a status of 5,000 digits": answers({"status": "9" * 5_000}),
    "a status of 65 bits": answers({"status": 2**64}),
    "99 kB of objects": answers({"status": 0, "refundOrders": [{}] * 33_000, "refundTickets": [{}] * 33_000}),
    "array": answers([queried(2)]),
    "text": answers('"0"'),
    "null": answers(b"null"),
    "nested": answers(b"[" * 200_000),
    "NaN": answers(b'{"status": 0, "refundOrders": [], "rate": NaN}'),
    "status is null": answers({"status": None}),
    "status is true": answers({"status": True}),
    "status is a list": answers({"status": [0]}),
    "no status": answers({"refundOrders": []}),
    "a member of another type": answers({"status": 0, "refundOrders": ["x"], "refundTickets": ["x"]}),
    "a code that is an object": answers(
        {"status": 0, "refundOrders": [{"refundStatus": {}}], "refundMethod": {}, "refundStatus": {}}
    ),
}


@pytest.mark.parametrize("act", UNREADABLE.values(), ids=UNREADABLE)
async def test_unreadable_answer_is_one_typed_error(atlas_once: AtlasRefunds, wire: WireServer, act: Act) -> None:
    wire.plays(act)
    with pytest.raises(BadResponseError):
        await atlas_once.query(ORDER, CODE)


@pytest.mark.parametrize("act", UNREADABLE.values(), ids=UNREADABLE)
async def test_unreadable_answer_to_a_submit_is_an_open_question(
    atlas_once: AtlasRefunds, wire: WireServer, act: Act
) -> None:
    wire.plays(act)
    with pytest.raises(OutcomeUnknownError):
        await atlas_once.submit(ORDER, offer_id="q_1")


LOST: dict[str, Act] = {
    "too short": claims_length(10_000, LISTED, then_close=True),
    "no http": talks_nonsense,
    "a line break in a header": sends(b"HTTP/1.1 200 OK\r\nX: a\n b\r\r\n\r\n", then_close=True),
    "endless headers": sends(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 30_000, then_close=True),
}


@pytest.mark.parametrize("act", LOST.values(), ids=LOST)
async def test_answer_that_is_no_http_is_no_answer(atlas_once: AtlasRefunds, wire: WireServer, act: Act) -> None:
    wire.plays(act)
    with pytest.raises(NoAnswerError):
        await atlas_once.query(ORDER, CODE)


async def test_dripping_without_end_stops_at_the_deadline(wire: WireServer) -> None:
    wire.plays(drips(b"{", forever=True))
    timeouts = Timeouts(query=timedelta(seconds=0.3))
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, retry=ONCE, timeouts=timeouts) as atlas:
        with pytest.raises(NoAnswerError):
            await atlas.query(ORDER, CODE)


async def half_a_gigabyte(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    block = b" " * 65_536
    writer.write(head(200, length=500 * 1024 * 1024))
    for _ in range(8_000):
        writer.write(block)
        await writer.drain()


@pytest.mark.parametrize("act", [half_a_gigabyte, UNREADABLE["gzip bomb"]], ids=["500 MB", "bomb"])
async def test_huge_answer_is_given_up_in_bounded_memory(atlas_once: AtlasRefunds, wire: WireServer, act: Act) -> None:
    wire.plays(act)
    tracemalloc.start()
    try:
        with pytest.raises(BadResponseError, match="too large"):
            await atlas_once.query(ORDER, CODE)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40 * 1024 * 1024


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirect_is_not_followed(atlas_once: AtlasRefunds, wire: WireServer, status: int) -> None:
    wire.plays(answers(b"", status, Location=f"{wire.url}/elsewhere"))
    with pytest.raises(ApiError):
        await atlas_once.query(ORDER, CODE)
    with pytest.raises(OutcomeUnknownError):
        await atlas_once.submit(ORDER, offer_id="q_1")
    assert {call.path for call in wire.calls} == {"/queryRefundOrders.do", "/refund.do"}


async def test_status_that_iana_does_not_know(atlas_once: AtlasRefunds, wire: WireServer) -> None:
    wire.plays(answers_html(522))
    with pytest.raises(ServerError) as caught:
        await atlas_once.query(ORDER, CODE)
    assert caught.value.http_status == 522


async def test_answer_to_a_submit_that_says_two_things_is_an_open_question(
    atlas_once: AtlasRefunds, wire: WireServer
) -> None:
    wire.plays(answers(b'{"status": 801, "status": 0, "refundCode": "202505-0012"}'))
    with pytest.raises(OutcomeUnknownError) as caught:
        await atlas_once.submit(ORDER, offer_id="q_1")
    assert caught.value.refund_code == CODE


async def test_numbers_as_text_and_text_as_numbers(atlas_once: AtlasRefunds, wire: WireServer) -> None:
    body = QUOTE.replace(b"165.48", b'"165.48"').replace(b'"TESTA20250512100600259"', b"20250512")
    wire.plays(answers(body))
    quote = await atlas_once.quote(ORDER, [ZHAO])
    assert quote.refund_fare_amount is not None
    assert (quote.refund_fare_amount.original_fare_amount, quote.order_no) == (Decimal("165.48"), "20250512")


async def test_every_hostile_answer_is_under_the_root(atlas_once: AtlasRefunds, wire: WireServer) -> None:
    for act in (*UNREADABLE.values(), *LOST.values()):
        wire.plays(act)
        with pytest.raises(AtlasRefundsError):
            await atlas_once.quote(ORDER, [ZHAO])
