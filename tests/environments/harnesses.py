"""`python -m tests.environments.harnesses NAME...`: ways to run asyncio, from the first call of a fresh process on."""

import asyncio
import os
import ssl
import sys
import threading
from collections.abc import Callable
from typing import Any

import anyio
import trio
import uvloop

from atlas_refunds import AtlasRefunds, Credentials
from atlas_refunds.simulator import CLIENT_ID, CLIENT_SECRET

from .journey import ZHAO, an_order, calls, tracking, webhook

PLAIN, TLS = os.environ["ATLAS_PLAIN_URL"], os.environ["ATLAS_TLS_URL"]


def client(url: str) -> AtlasRefunds:
    """Made anywhere, also outside every event loop."""
    tls = ssl.create_default_context(cafile=os.environ["ATLAS_TEST_CA"])
    return AtlasRefunds(Credentials(CLIENT_ID, CLIENT_SECRET), base_url=url, tls=tls)


async def everything() -> None:
    """The first call of the process is over TLS."""
    async with client(TLS) as atlas:
        await calls(atlas)
    async with client(PLAIN) as atlas:
        for step in (calls, webhook, tracking):
            await step(atlas)


# ---- one loop --------------------------------------------------------------------------------------------------------
def asyncio_itself() -> None:
    asyncio.run(everything())


def uvloop_itself() -> None:
    uvloop.run(everything())


def anyio_on_asyncio() -> None:
    anyio.run(everything)


def anyio_on_uvloop() -> None:
    anyio.run(everything, backend_options={"use_uvloop": True})


# ---- more than one ---------------------------------------------------------------------------------------------------
def two_loops_in_turn() -> None:
    """As a task queue does that calls asyncio.run for each task, with a client of the module."""
    for run in (asyncio.run, uvloop.run):
        for url in (TLS, PLAIN):
            atlas = client(url)
            for _ in range(3):
                run(calls(atlas))
            run(atlas.aclose())


def four_threads() -> None:
    """One client, a loop in each thread, all at the same time."""
    atlas, failed = client(PLAIN), []

    def thread() -> None:
        try:
            asyncio.run(calls(atlas))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=thread, daemon=True) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)
        assert not each.is_alive()
    if failed:
        raise failed[0]


def forked_child() -> None:
    """A client that has been used, in a child that inherits its connections. Then the parent goes on with them."""
    atlas = client(PLAIN)
    asyncio.run(calls(atlas))
    child = os.fork()
    if child == 0:
        status = 1
        try:
            asyncio.run(calls(atlas))
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert status == 0
    asyncio.run(calls(atlas))


def forked_while_running() -> None:
    """The fork happens inside the loop, as multiprocessing does it; the child runs a loop of its own."""

    async def parent() -> None:
        atlas = client(PLAIN)
        await calls(atlas)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                asyncio.events._set_running_loop(None)
                asyncio.run(calls(atlas))
                status = 0
            finally:
                os._exit(status)
        _, status = await asyncio.to_thread(os.waitpid, child, 0)
        assert status == 0
        await calls(atlas)
        await atlas.aclose()

    asyncio.run(parent())


# ---- none that is supported ------------------------------------------------------------------------------------------
def trio_loop() -> None:
    said(lambda: trio.run(one_call))


def no_loop() -> None:
    """Synchronous code that awaits by hand."""
    said(lambda: one_call().send(None))


async def one_call() -> None:
    await client(PLAIN).quote(an_order(), [ZHAO])


def said(call: Callable[[], Any]) -> None:
    try:
        call()
    except Exception as error:
        print(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        globals()[name]()
