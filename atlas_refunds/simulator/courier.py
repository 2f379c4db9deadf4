"""Brings the webhooks that are due to their address, and writes down what was answered."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import httpx

from .webhooks import Sent, Webhooks

log = logging.getLogger("atlas_refunds.simulator")

LOOK_AGAIN = 0.02
HEADERS = {"content-type": "application/json;charset=UTF-8", "user-agent": "Java-http-client/17"}  # as captured
TIMEOUT = 5.0  # one unconfirmed source says so


async def deliver(webhooks: Webhooks, http: httpx.AsyncClient) -> None:
    """Everything that is due by now; returns when all of it is answered or has failed."""
    webhooks.look()
    await asyncio.gather(*(_post(sent, webhooks.settings.url, http) for sent in webhooks.take()))


@asynccontextmanager
async def delivering(webhooks: Webhooks) -> AsyncGenerator[None, None]:
    """For the time of the block, look for what is due. A slow receiver does not hold up the others."""
    on_the_way: set[asyncio.Task[None]] = set()

    async def look(http: httpx.AsyncClient) -> None:
        while True:
            webhooks.look()
            for sent in webhooks.take():
                task = asyncio.create_task(_post(sent, webhooks.settings.url, http))
                on_the_way.add(task)
                task.add_done_callback(on_the_way.discard)
            await asyncio.sleep(LOOK_AGAIN)

    async with client() as http:
        looking = asyncio.create_task(look(http))
        try:
            yield
        finally:
            for task in (looking, *on_the_way):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


def client() -> httpx.AsyncClient:
    """Straight to the address, past proxies of the environment; no webhook waits for another."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
    return httpx.AsyncClient(headers=HEADERS, timeout=TIMEOUT, trust_env=False, limits=limits)


async def _post(sent: Sent, url: str | None, http: httpx.AsyncClient) -> None:
    if url is None:
        sent.answer = "no address"
        return
    try:
        sent.answer = f"HTTP {(await http.post(url, content=sent.body)).status_code}"
    except httpx.HTTPError as error:
        sent.answer = type(error).__name__
    log.info("webhook %d, order %s, status %d, %s, %s: %s", sent.number, sent.order_no, sent.status, sent.shape,
             sent.about, sent.answer)  # fmt: skip
