"""The door for webhooks on real sockets: in four frameworks, and against those who try the handle."""

import asyncio
import contextlib
import json
import logging
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from atlas_refunds import ConfigurationError, UnverifiedNotification
from atlas_refunds.receiving import REMEMBERED, WebhookReceiver
from tests.layer.conftest import HandClock

SECRET = "Zr4x9Q2m-W0kLpT7vBn_1sYdHg3cUfJe"
CLAIM = {"orderNo": "X1", "refundStatus": 2, "finalRefundAmount": 37.32}


class Server(uvicorn.Server):
    """In this event loop; `listening` is set when it does."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = Server(uvicorn.Config(app, log_config=None, lifespan="off", access_log=False))
        running = asyncio.create_task(server._serve([listener]))
        await server.listening.wait()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await running


class Heard:
    """What reached the handler. `held` keeps it at work."""

    def __init__(self) -> None:
        self.events: list[UnverifiedNotification] = []
        self.held: asyncio.Event | None = None

    async def __call__(self, event: UnverifiedNotification) -> list[str]:  # as `notify` of tracking does
        if self.held is not None:
            await self.held.wait()
        self.events.append(event)
        return []


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


# ---- where it can be put ---------------------------------------------------------------------------------------------
def in_starlette(receiver: WebhookReceiver) -> ASGIApp:
    return Starlette(routes=[Route("/hooks/atlas/{secret}", receiver)])


def mounted(receiver: WebhookReceiver) -> ASGIApp:
    return Starlette(routes=[Mount("/hooks/atlas", receiver)])


def in_fastapi(receiver: WebhookReceiver) -> ASGIApp:
    app = FastAPI()
    app.mount("/hooks/atlas", receiver)
    return app


def in_litestar(receiver: WebhookReceiver) -> ASGIApp:
    litestar = pytest.importorskip("litestar", reason="Litestar is not installed: its recipe was not run")

    async def hook(scope: Any, receive: Any, send: Any) -> None:
        await receiver(scope, receive, send)

    app: ASGIApp = litestar.Litestar([litestar.asgi("/hooks/atlas", is_mount=True, copy_scope=True)(hook)])
    return app


def plain(receiver: WebhookReceiver) -> ASGIApp:
    return receiver


@pytest.mark.parametrize("place", [in_starlette, mounted, in_fastapi, in_litestar, plain])
async def test_it_works_in_every_framework(
    place: Callable[[WebhookReceiver], ASGIApp], heard: Heard, http: httpx.AsyncClient
) -> None:
    async with WebhookReceiver(SECRET, heard) as receiver, serving(place(receiver)) as url:
        answer = await http.post(f"{url}/hooks/atlas/{SECRET}", json=CLAIM)
        assert (answer.status_code, answer.content) == (200, b"")
        await receiver.drain()
        assert [event.order_no for event in heard.events] == ["X1"]
        for wrong in ("", "x", SECRET[:-1], f"{SECRET}/x", "%ff%00", SECRET.lower()):
            answer = await http.post(f"{url}/hooks/atlas/{wrong}", json={**CLAIM, "orderNo": "X2"})
            assert answer.status_code == 404
    assert len(heard.events) == 1


# ---- against those who try the handle --------------------------------------------------------------------------------
@asynccontextmanager
async def door(handle: Callable[[UnverifiedNotification], Awaitable[object] | None], **more: Any) -> AsyncIterator[str]:
    async with WebhookReceiver(SECRET, handle, **more) as receiver, serving(receiver) as url:
        yield f"{url}/{SECRET}"


async def test_what_cannot_be_read(heard: Heard, http: httpx.AsyncClient) -> None:
    async with door(heard, expected_cid="mine") as url:
        for content in (b"", b"no JSON", b"[]", b"\xff", json.dumps(CLAIM).encode()):
            assert (await http.post(url, content=content)).status_code == 400
        gzipped = {"content-encoding": "gzip"}
        assert (await http.post(url, content=b"x", headers=gzipped)).status_code == 400
        refused = await http.get(url)
        assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
        assert (await http.post(url, json={"cid": "mine", **CLAIM})).status_code == 200
    assert len(heard.events) == 1


async def raw(url: str, *parts: bytes) -> bytes:
    """What comes back when these bytes are sent and the sending end stays open."""
    address = httpx.URL(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    line = await reader.readline()
    writer.close()
    return line


async def test_too_large_is_refused_before_it_is_read(heard: Heard) -> None:
    """Not one byte of the body is sent: what it announces is enough."""
    async with door(heard) as url:
        path = httpx.URL(url).raw_path
        head = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n" % path
        assert b" 413 " in await raw(url, head)
        huge = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %s\r\n\r\n" % (path, b"9" * 19)
        assert b" 413 " in await raw(url, huge)
        chunked = b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" % path
        assert b" 413 " in await raw(
            url, chunked, b"10000\r\n" + b" " * 65536 + b"\r\n", *[b"40000\r\n", b" " * 262144]
        )
    assert heard.events == []


async def test_a_body_that_does_not_end_is_not_waited_for(heard: Heard) -> None:
    async with door(heard, read_timeout=timedelta(seconds=0.05)) as url:
        head = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\n{" % httpx.URL(url).raw_path
        assert b" 408 " in await raw(url, head)


async def test_who_hangs_up_halfway_has_said_nothing(heard: Heard) -> None:
    body = json.dumps(CLAIM).encode()
    async with door(heard) as url:
        address = httpx.URL(url)
        head = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (address.raw_path, len(body))
        _, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(head + body[:-10])
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    assert heard.events == []


@pytest.mark.parametrize(
    ("networks", "status"),
    [(["127.0.0.0/8"], 200), (["203.0.113.0/24", "::1"], 404), ([], 404), (None, 200)],
)
async def test_only_from_where_it_may_come(
    networks: list[str] | None, status: int, heard: Heard, http: httpx.AsyncClient
) -> None:
    async with door(heard, networks=networks) as url:
        assert (await http.post(url, json=CLAIM)).status_code == status
    assert len(heard.events) == (status == 200)


@pytest.mark.parametrize(
    ("source", "status"),
    [("203.0.113.7", 200), ("::ffff:203.0.113.7", 200), ("203.0.114.7", 404), (None, 404), ("unix", 404)],
)
async def test_sources_as_servers_name_them(source: str | None, status: int, heard: Heard) -> None:
    receiver = WebhookReceiver(SECRET, heard, networks=["203.0.113.0/24"])
    assert await receiver.receive(SECRET, {}, parts(CLAIM), source) == status
    await receiver.drain()


async def parts(body: object) -> AsyncIterator[bytes]:
    yield json.dumps(body).encode()


@pytest.mark.parametrize("secret", ["", "short", "x" * 21, "ä" * 30, "with/slash/with/slash/with"])
def test_a_secret_that_can_be_guessed_or_does_not_fit_a_path_is_refused(secret: str, heard: Heard) -> None:
    with pytest.raises(ConfigurationError, match="webhook secret") as caught:
        WebhookReceiver(secret, heard)
    assert not secret or secret not in str(caught.value)


def test_networks_that_are_none_are_refused(heard: Heard) -> None:
    with pytest.raises(ConfigurationError, match="webhook networks"):
        WebhookReceiver(SECRET, heard, networks=["203.0.113.7/24"])


async def test_other_protocols_are_not_spoken(heard: Heard) -> None:
    async def never(*_: object) -> Any:
        raise AssertionError

    with pytest.raises(TypeError, match="not websocket"):
        await WebhookReceiver(SECRET, heard)({"type": "websocket"}, never, never)


# ---- once, and afterwards --------------------------------------------------------------------------------------------
async def test_it_answers_first_and_works_afterwards(heard: Heard, http: httpx.AsyncClient) -> None:
    heard.held = asyncio.Event()
    async with door(heard, backlog=2) as url:
        assert (await http.post(url, json=CLAIM)).status_code == 200
        assert (await http.post(url, json={**CLAIM, "orderNo": "X2"})).status_code == 200
        assert heard.events == []
        assert (await http.post(url, json={**CLAIM, "orderNo": "X3"})).status_code == 503  # enough is at work
        heard.held.set()
    assert [event.order_no for event in heard.events] == ["X1", "X2"]  # leaving the block waits for them


async def test_copies_are_dropped_for_a_while_and_not_for_ever(heard: Heard, http: httpx.AsyncClient) -> None:
    clock = HandClock()
    async with door(heard, remember=timedelta(minutes=1), monotonic=clock.monotonic) as url:
        for _ in range(3):
            assert (await http.post(url, json=CLAIM)).status_code == 200
        enveloped = {"type": "order.refundCompleted", "data": {**CLAIM, "refundStatus": "2"}}
        await http.post(url, json=enveloped)  # the same in another form
        clock.seconds = 59.9
        await http.post(url, json=CLAIM)
        assert len(heard.events) == 1
        clock.seconds = 60.0  # the true one, if the first was forged
        await http.post(url, json=CLAIM)
    assert len(heard.events) == 2


async def test_what_it_remembers_is_bounded(heard: Heard) -> None:
    receiver = WebhookReceiver(SECRET, heard, backlog=REMEMBERED * 2)
    for number in range(REMEMBERED + 1):
        await receiver.receive(SECRET, {}, parts({**CLAIM, "finalRefundAmount": number}), None)
    await receiver.receive(SECRET, {}, parts({**CLAIM, "finalRefundAmount": 0}), None)  # forgotten
    await receiver.receive(SECRET, {}, parts({**CLAIM, "finalRefundAmount": REMEMBERED}), None)
    await receiver.drain()
    assert len(heard.events) == REMEMBERED + 2


async def test_a_handler_may_be_a_plain_function_and_may_fail(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    names: list[str | None] = []

    def handle(event: UnverifiedNotification) -> None:
        names.append(event.order_no)
        if len(names) == 1:
            raise RuntimeError("out of paper")

    with caplog.at_level(logging.INFO, "atlas_refunds"):
        async with door(handle) as url:
            assert (await http.post(url, json=CLAIM)).status_code == 200
            assert (await http.post(url, json={**CLAIM, "orderNo": "X2"})).status_code == 200
    assert names == ["X1", "X2"]
    assert "the handler of a webhook failed" in caplog.text
    assert not [record for record in caplog.records if record.name == "atlas_refunds" and SECRET in str(record.msg)]


async def test_system_exit_in_a_handler_does_not_end_the_server(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    names: list[str | None] = []

    async def handle(event: UnverifiedNotification) -> None:
        names.append(event.order_no)
        raise SystemExit(3)

    async with door(handle) as url:
        assert (await http.post(url, json=CLAIM)).status_code == 200
        assert (await http.post(url, json={**CLAIM, "orderNo": "X2"})).status_code == 200
    assert names == ["X1", "X2"]
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [SystemExit] * 2


async def test_draining_has_a_limit(caplog: pytest.LogCaptureFixture) -> None:
    ends: list[str] = []

    async def handle(event: UnverifiedNotification) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ends.append(event.order_no or "")

    async with asyncio.timeout(5):  # without the limit this would go on for ever
        receiver = WebhookReceiver(SECRET, handle)
        assert await receiver.receive(SECRET, {}, parts(CLAIM), None) == 200
        await receiver.drain(timedelta(seconds=0.01))
    assert ends == ["X1"]
    assert "webhook given up unfinished: order.refundComplete, order X1" in caplog.text


async def test_draining_leaves_behind_who_does_not_heed_it() -> None:
    end = asyncio.Event()

    async def handle(_: UnverifiedNotification) -> None:
        while not end.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await end.wait()

    receiver = WebhookReceiver(SECRET, handle)
    await receiver.receive(SECRET, {}, parts(CLAIM), None)
    async with asyncio.timeout(5):
        await receiver.drain(timedelta(seconds=0.01))
        end.set()
        await receiver.drain()


async def test_what_an_event_calls_itself_is_logged_only_if_it_looks_like_a_name(
    heard: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with WebhookReceiver(SECRET, heard) as receiver:
        odd = {"type": "order.of:CANARY/YAN", "data": {"orderNo": "CANARY/YAN", "status": 0}}
        assert await receiver.receive(SECRET, {}, parts(odd), None) == 200
    assert "webhook received: (not shown), order (not shown)" in caplog.text
    assert "CANARY" not in caplog.text + repr(heard.events)


def test_importing_the_package_does_not_import_the_door() -> None:
    script = "import atlas_refunds, sys; print('atlas_refunds.receiving' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "False\n"
