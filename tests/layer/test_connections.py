"""What happens between the socket and the answer."""

import asyncio
import gzip
import ssl
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from atlas_refunds import AtlasRefunds, BadResponseError, NotSentError, Timeouts, connections

from .conftest import CREDENTIALS, ONCE, ORDER, ZHAO, HandClock, leftovers
from .wire_server import (
    Act,
    WireServer,
    answers,
    answers_gzipped,
    claims_length,
    head,
    never_answers,
    sends,
    wire_server,
)

FINE = {"status": 0, "refundOrders": []}
Call = Callable[[AtlasRefunds], Awaitable[object]]
CALLS: dict[str, Call] = {
    "quote": lambda atlas: atlas.quote(ORDER, [ZHAO]),
    "submit": lambda atlas: atlas.submit(ORDER, offer_id="q_1"),
    "query": lambda atlas: atlas.query(ORDER, "202505-0012"),
}


# ---- not sent --------------------------------------------------------------------------------------------------------
@pytest.mark.atlas_hosts("atlas.invalid")
@pytest.mark.parametrize("call", CALLS)
async def test_a_name_that_does_not_exist(call: str) -> None:
    async with AtlasRefunds(CREDENTIALS, base_url="https://atlas.invalid", retry=ONCE) as atlas:
        with pytest.raises(NotSentError):
            await CALLS[call](atlas)


@pytest.mark.parametrize("call", CALLS)
async def test_a_server_that_speaks_no_tls(call: str, wire: WireServer) -> None:
    wire.greeting = b"220 mail.example.com ESMTP ready\r\n"
    async with AtlasRefunds(CREDENTIALS, base_url=f"https://127.0.0.1:{wire.port}", retry=ONCE) as atlas:
        with pytest.raises(NotSentError):
            await CALLS[call](atlas)
    assert wire.calls == []


@pytest.mark.parametrize("call", CALLS)
async def test_a_server_that_does_not_finish_the_tls_handshake(call: str, wire: WireServer) -> None:
    soon = Timeouts(connect=timedelta(seconds=0.1))
    async with AtlasRefunds(CREDENTIALS, base_url=f"https://127.0.0.1:{wire.port}", retry=ONCE, timeouts=soon) as atlas:
        with pytest.raises(NotSentError):
            await CALLS[call](atlas)
    assert wire.calls == []


@pytest.mark.parametrize("call", CALLS)
async def test_a_certificate_that_nobody_vouches_for(call: str) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(Path(__file__).with_name("untrusted.pem"))
    async with wire_server(tls=tls) as wire:
        wire.plays(answers(FINE))
        async with AtlasRefunds(CREDENTIALS, base_url=wire.url, retry=ONCE) as atlas:
            with pytest.raises(NotSentError):
                await CALLS[call](atlas)
        assert wire.calls == []


async def test_a_certificate_that_the_users_client_trusts() -> None:
    pem = Path(__file__).with_name("untrusted.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    async with wire_server(tls=tls) as wire, httpx.AsyncClient(verify=ssl.create_default_context(cafile=pem)) as http:
        wire.plays(answers(FINE))
        assert await AtlasRefunds(CREDENTIALS, base_url=wire.url, http_client=http).query(ORDER, None) == []


# ---- bodies ----------------------------------------------------------------------------------------------------------
BODIES: dict[str, tuple[Act, str]] = {
    "too large": (answers(b" " * 9_000_000), "too large"),
    "too large when unpacked": (answers_gzipped(b" " * 50_000_000), "too large"),
    "broken gzip": (answers_gzipped(FINE, broken=True), "broken"),
    "gzip that is none": (answers(FINE, Content_Encoding="gzip"), "broken"),
    "gzip cut off": (answers(gzip.compress(b'{"status": 0}')[:-9], Content_Encoding="gzip"), "cut off"),
    "another compression": (answers(FINE, Content_Encoding="br"), "not asked for"),
    "less than there is": (claims_length(5, FINE, then_close=False), "JSON"),
}


@pytest.mark.parametrize("body", BODIES)
async def test_a_body_that_cannot_be_had_is_no_answer(body: str, wire: WireServer, atlas: AtlasRefunds) -> None:
    act, problem = BODIES[body]
    wire.plays(act, answers(FINE))
    with pytest.raises(BadResponseError, match=problem) as caught:
        await atlas.query(ORDER, None)
    assert caught.value.http_status == 200
    assert await atlas.query(ORDER, None) == []  # and the next call is none the worse for it


async def test_a_body_without_length_ends_with_the_connection(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(sends(head(200, length=None, Connection="close") + b'{"status": 0}', then_close=True))
    assert await atlas.query(ORDER, None) == []


# ---- kept connections ------------------------------------------------------------------------------------------------
async def test_calls_one_after_the_other_share_a_connection(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers(FINE))
    for _ in range(5):
        await atlas.query(ORDER, None)
        await atlas.quote(ORDER, [ZHAO])
    assert wire.connections == 1


async def test_a_kept_connection_that_the_server_closed_is_replaced_unseen(
    wire: WireServer, atlas_once: AtlasRefunds
) -> None:
    wire.plays(sends(head(200, length=13) + b'{"status": 0}', then_close=True), answers(FINE))
    await atlas_once.query(ORDER, None)
    await wire.is_quiet()
    await atlas_once.query(ORDER, None)
    assert [call.connection for call in wire.calls] == [1, 2]


@pytest.mark.parametrize("chunked", [False, True])
async def test_bytes_behind_an_answer_end_the_connection(
    chunked: bool, wire: WireServer, atlas_once: AtlasRefunds
) -> None:
    """In the same segment, so that a parser has them already: they must never be the answer to the next call."""
    mine, foreign = b'{"status": 0, "refundOrders": []}', b'{"status": 801}'
    if chunked:
        first = head(200, length=None, Transfer_Encoding="chunked") + b"%x\r\n%s\r\n0\r\n\r\n" % (len(mine), mine)
    else:
        first = head(200, length=len(mine)) + mine
    wire.plays(sends(first + head(200, length=len(foreign)) + foreign), answers(FINE))
    assert await atlas_once.query(ORDER, None) == []
    assert await atlas_once.query(ORDER, None) == []
    assert [call.connection for call in wire.calls] == [1, 2]


async def test_an_idle_connection_is_closed_when_its_time_is_up(
    wire: WireServer, atlas: AtlasRefunds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "KEPT_SECONDS", 0.05)
    wire.plays(answers(FINE))
    await asyncio.gather(*[atlas.query(ORDER, None) for _ in range(10)])
    await wire.is_quiet()
    assert len(wire.calls) == 10
    assert await leftovers() == set()


async def test_the_end_closes_every_kept_connection(wire: WireServer, clock: HandClock) -> None:
    wire.plays(answers(FINE))
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock) as atlas:
        await asyncio.gather(*[atlas.query(ORDER, None) for _ in range(20)])
    await wire.is_quiet()
    assert len(wire.calls) == 20
    assert await leftovers() == set()


async def test_a_call_that_outlives_its_client_leaves_no_connection(wire: WireServer, atlas: AtlasRefunds) -> None:
    gate = asyncio.Event()

    async def when_let(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gate.wait()
        await answers(FINE)(reader, writer)

    wire.plays(when_let)
    call = asyncio.create_task(atlas.query(ORDER, None))
    await wire.was_called()
    await atlas.aclose()
    gate.set()
    assert await call == []
    await wire.is_quiet()


# ---- cancellation ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("call", CALLS)
async def test_a_cancelled_call_is_cancelled_and_leaves_nothing(
    call: str, wire: WireServer, atlas: AtlasRefunds
) -> None:
    wire.plays(never_answers)
    task = asyncio.ensure_future(CALLS[call](atlas))
    await wire.was_called()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await wire.is_quiet()
    assert len(wire.calls) == 1
    assert await leftovers() == set()


@pytest.mark.parametrize("call", CALLS)
async def test_the_time_out_of_the_caller_is_the_callers(call: str, wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(never_answers)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await CALLS[call](atlas)
    await wire.is_quiet()
    assert await leftovers() == set()


async def test_a_call_cancelled_between_two_attempts(wire: WireServer, atlas: AtlasRefunds, clock: HandClock) -> None:
    asleep = asyncio.Event()

    async def for_ever(_: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    wire.plays(answers(b"", 503))
    clock.meanwhile = for_ever
    task = asyncio.create_task(atlas.query(ORDER, None))
    await asleep.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(wire.calls) == 1
    await atlas.aclose()
    await wire.is_quiet()
    assert await leftovers() == set()
