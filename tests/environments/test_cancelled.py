"""Calls that are cancelled while they connect, at every step of it: no descriptor more than before."""

import asyncio
import gc
import os
import sys
from contextlib import AsyncExitStack

import pytest

from atlas_refunds import AtlasRefunds
from tests.layer.conftest import CODE, CREDENTIALS, ORDER
from tests.layer.wire_server import never_answers, wire_server

from .conftest import Authority
from .proxy import proxy_before

DESCRIPTORS = "/proc/self/fd" if sys.platform == "linux" else "/dev/fd"
pytestmark = pytest.mark.skipif(not os.path.isdir(DESCRIPTORS), reason=f"{DESCRIPTORS} is not there")


def descriptors() -> int:
    gc.collect()
    return len(os.listdir(DESCRIPTORS))


async def cancelled_after(steps: int, atlas: AtlasRefunds) -> bool:
    """Whether the call was still under way after so many steps of the event loop."""
    call = asyncio.ensure_future(atlas.query(ORDER, CODE))
    for _ in range(steps):
        await asyncio.sleep(0)
    was_under_way = call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    return was_under_way


@pytest.mark.parametrize(("kind", "calls"), [("plain", 3000), ("tls", 300), ("proxy", 300)])
async def test_no_descriptor_more_than_before(kind: str, calls: int, authority: Authority) -> None:
    async with AsyncExitStack() as stack:
        context = None if kind == "plain" else authority.server("127.0.0.1")
        wire = await stack.enter_async_context(wire_server(tls=context))
        wire.plays(never_answers)
        proxy = await stack.enter_async_context(proxy_before(wire.port)) if kind == "proxy" else None
        through = None if proxy is None else proxy.url
        atlas = AtlasRefunds(CREDENTIALS, base_url=wire.url, tls=authority.client(), proxy=through, trust_env=False)
        await stack.enter_async_context(atlas)
        await cancelled_after(50, atlas)  # what the first call opens for good
        await wire.is_quiet()
        before = descriptors()
        for _ in range(calls // 30):
            assert all(await asyncio.gather(*(cancelled_after(steps, atlas) for steps in range(30))))
        await wire.is_quiet()
        if proxy:
            await proxy.is_quiet()
        await asyncio.sleep(0)
        assert descriptors() <= before
