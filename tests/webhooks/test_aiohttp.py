"""The door for webhooks in aiohttp, as docs/webhooks.md shows it: its bodies raise, and come unpacked."""

import asyncio
import gzip
import json
from typing import Self

import httpx
import pytest
from aiohttp import web

from atlas_refunds.receiving import WebhookReceiver

from .test_receiving import CLAIM, SECRET, Heard

CLAIMED = json.dumps(CLAIM).encode()


class Door:
    """An aiohttp server in front of a receiver; `answers` are the statuses that the receiver returned."""

    def __init__(self, receiver: WebhookReceiver) -> None:
        self.receiver, self.entered = receiver, asyncio.Event()
        self.answers: list[int] = []
        self.port = 0

    async def hook(self, request: web.Request) -> web.Response:
        self.entered.set()
        secret, parts = request.match_info["secret"], request.content.iter_any()
        self.answers.append(await self.receiver.receive(secret, request.headers, parts, request.remote))
        return web.Response(status=self.answers[-1])

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/hooks/atlas/{secret}", self.hook)
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.port = self.runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.runner.cleanup()
        await self.receiver.drain()


async def test_it_works() -> None:
    heard = Heard()
    receiver = WebhookReceiver(SECRET, heard, networks=["127.0.0.0/8"])
    async with Door(receiver) as door, httpx.AsyncClient(trust_env=False) as http:
        url = f"http://127.0.0.1:{door.port}/hooks/atlas"
        assert (await http.post(f"{url}/{SECRET}", json=CLAIM)).status_code == 200
        assert (await http.post(f"{url}/wrong", json=CLAIM)).status_code == 404
        assert (await http.post(f"{url}/{SECRET}", content=b"x" * 300_000)).status_code == 413
    assert len(heard.events) == 1


HEAD = f"POST /hooks/atlas/{SECRET} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
BROKEN: dict[str, tuple[str, bytes]] = {
    "half of it": ("Content-Length: 500", CLAIMED),
    "broken chunks": ("Transfer-Encoding: chunked", b"5\r\n" + CLAIMED),
    "broken compression": ("Content-Encoding: gzip\r\nContent-Length: 40", b"\x1f\x8b\x08\x00" + b"\xff" * 36),
    "cut compression": ("Content-Encoding: gzip\r\nContent-Length: 30", gzip.compress(CLAIMED)[:30]),
}


@pytest.mark.parametrize(("head", "body"), BROKEN.values(), ids=BROKEN)
async def test_a_body_that_does_not_come_whole_raises_nothing(head: str, body: bytes) -> None:
    heard = Heard()
    async with Door(WebhookReceiver(SECRET, heard)) as door:
        _, writer = await asyncio.open_connection("127.0.0.1", door.port)
        writer.write(f"{HEAD}{head}\r\n\r\n".encode())
        await asyncio.wait_for(door.entered.wait(), 5)
        writer.write(body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    assert (door.answers, heard.events) == ([400], [])


async def test_a_body_that_was_unpacked_is_read() -> None:
    heard = Heard()
    async with Door(WebhookReceiver(SECRET, heard)) as door, httpx.AsyncClient(trust_env=False) as http:
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        url = f"http://127.0.0.1:{door.port}/hooks/atlas/{SECRET}"
        assert (await http.post(url, content=gzip.compress(CLAIMED), headers=headers)).status_code == 200
    assert [event.order_no for event in heard.events] == ["X1"]
