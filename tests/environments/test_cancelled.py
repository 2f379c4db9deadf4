"""Calls that are cancelled while they connect, at every step of it: no descriptor more than before."""

import asyncio
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from statistics import median

import pytest

from atlas_refunds import AtlasRefunds, RateLimit
from tests.layer.conftest import CODE, CREDENTIALS, ORDER
from tests.layer.wire_server import WireServer, never_answers, wire_server

from .conftest import Authority
from .proxy import proxy_before

NONE = RateLimit(per_second=10_000, burst=10_000)
DESCRIPTORS = "/proc/self/fd" if sys.platform == "linux" else "/dev/fd"
pytestmark = pytest.mark.skipif(not os.path.isdir(DESCRIPTORS), reason=f"{DESCRIPTORS} is not there")


@pytest.fixture(autouse=True)
def no_garbage_collector() -> Iterator[None]:
    """It would close what is left open."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def descriptors() -> int:
    return len(os.listdir(DESCRIPTORS))


async def steps_of(call: "asyncio.Future[object]", wire: WireServer) -> int:
    """How many steps of the event loop it takes until the request has arrived."""
    seen, steps = len(wire.calls), 0
    while len(wire.calls) == seen:
        assert not call.done(), call
        await asyncio.sleep(0)
        steps += 1
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    return steps


async def cancelled_after(steps: int, call: "asyncio.Future[object]") -> None:
    for _ in range(steps):
        await asyncio.sleep(0)
    call.cancel()
    (error,) = await asyncio.gather(call, return_exceptions=True)
    assert isinstance(error, asyncio.CancelledError)


@pytest.mark.parametrize(("kind", "calls"), [("plain", 3000), ("tls", 300), ("proxy", 300)])
async def test_no_descriptor_more_than_before(kind: str, calls: int, authority: Authority) -> None:
    async with AsyncExitStack() as stack:
        context = None if kind == "plain" else authority.server("127.0.0.1")
        wire = await stack.enter_async_context(wire_server(tls=context))
        wire.plays(never_answers)
        proxy = await stack.enter_async_context(proxy_before(wire.port)) if kind == "proxy" else None
        through = None if proxy is None else proxy.url
        atlas = AtlasRefunds(
            CREDENTIALS, base_url=wire.url, tls=authority.client(), proxy=through, trust_env=False, limit=NONE
        )
        await stack.enter_async_context(atlas)

        def call() -> "asyncio.Future[object]":
            return asyncio.ensure_future(atlas.query(ORDER, CODE))

        await steps_of(call(), wire)  # what the first call opens for good
        whole = int(1.25 * median([await steps_of(call(), wire) for _ in range(10)]))
        await wire.is_quiet()
        before = descriptors()
        for number in range(calls):
            await cancelled_after(whole * number // calls, call())
        await wire.is_quiet()
        if proxy:
            await proxy.is_quiet()
        await asyncio.sleep(0)
        assert descriptors() <= before
