"""A client that meets another event loop than its first, one after the other, side by side, or in a forked child."""

import asyncio
import gc
import os
import threading
import warnings
from collections.abc import Coroutine, Iterator
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest

from atlas_refunds import AtlasRefunds, ConfigurationError, RateLimit

from .conftest import CREDENTIALS, ONCE, ORDER, SUBMITTED
from .wire_server import WireServer, answers, wire_server

FINE = {"status": 0, "refundOrders": []}


class ServerInAThread:
    """A wire server whose loop is not the test's."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.up, self.down = threading.Event(), asyncio.Event()
        self.wire: WireServer
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=(self._serve(),))

    async def _serve(self) -> None:
        async with wire_server() as self.wire:
            self.wire.plays(answers(FINE))
            self.up.set()
            await self.down.wait()


@pytest.fixture
def served() -> Iterator[ServerInAThread]:
    server = ServerInAThread()
    server.thread.start()
    server.up.wait(10)
    yield server
    server.loop.call_soon_threadsafe(server.down.set)
    server.thread.join(10)
    server.loop.close()


def client(wire: WireServer, **settings: Any) -> AtlasRefunds:
    return AtlasRefunds(CREDENTIALS, base_url=wire.url, retry=ONCE, **settings)


async def queries(atlas: AtlasRefunds, count: int = 3) -> None:
    assert await asyncio.gather(*[atlas.query(ORDER, None) for _ in range(count)]) == [[]] * count


def test_one_loop_after_the_other_goes_on_at_once(served: ServerInAThread) -> None:
    atlas = client(served.wire, limit=RateLimit(in_flight=2))  # contended, so that the slots have waiters
    for _ in range(3):
        asyncio.run(queries(atlas, 6))
    assert len(served.wire.calls) == 18
    asyncio.run(atlas.aclose())


def test_the_end_of_a_loop_closes_its_connections(served: ServerInAThread) -> None:
    atlas = client(served.wire)
    asyncio.run(queries(atlas))
    asyncio.run_coroutine_threadsafe(served.wire.is_quiet(), served.loop).result(10)


def test_loops_that_run_side_by_side(served: ServerInAThread) -> None:
    atlas = client(served.wire, limit=RateLimit(per_second=10_000, burst=1_000))
    failures: list[BaseException] = []

    def run(work: Coroutine[Any, Any, None]) -> None:
        try:
            asyncio.run(work)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(queries(atlas, 20),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert failures == []
    assert len(served.wire.calls) == 160
    asyncio.run_coroutine_threadsafe(served.wire.is_quiet(), served.loop).result(10)


def test_a_submit_in_a_second_loop(served: ServerInAThread) -> None:
    served.wire.plays(answers(SUBMITTED))
    atlas = client(served.wire)

    async def submit() -> None:
        await atlas.submit(ORDER, offer_id="q_1")

    for _ in range(2):
        asyncio.run(submit())
    assert [call.connection for call in served.wire.calls] == [1, 2]


def test_a_forked_child_has_connections_of_its_own(served: ServerInAThread) -> None:
    loop = asyncio.new_event_loop()
    atlas = client(served.wire)
    loop.run_until_complete(queries(atlas, 1))
    child = os.fork()
    if child == 0:
        code = 1
        try:
            asyncio.run(queries(atlas, 1))
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    loop.run_until_complete(queries(atlas, 1))
    assert [call.connection for call in served.wire.calls] == [1, 2, 1]
    loop.run_until_complete(atlas.aclose())
    loop.close()


def test_no_loop_at_all_is_one_clear_error(served: ServerInAThread) -> None:
    call = client(served.wire).query(ORDER, None)
    with pytest.raises(ConfigurationError, match="no asyncio event loop runs here"):
        call.send(None)
    assert served.wire.calls == []


@pytest.mark.parametrize("kind", [httpx.AsyncClient, httpx2.AsyncClient])
def test_an_injected_client_of_httpx_leaves_no_connection_to_a_loop(served: ServerInAThread, kind: Any) -> None:
    atlas = client(served.wire, http_client=kind())
    for _ in range(2):
        asyncio.run(queries(atlas, 1))
    assert [call.connection for call in served.wire.calls] == [1, 2]


def test_a_session_of_aiohttp_in_another_loop_is_one_clear_error(served: ServerInAThread) -> None:
    async def made() -> aiohttp.ClientSession:
        return aiohttp.ClientSession()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # aiohttp connects before it meets the other loop
        with asyncio.Runner() as first:
            session = first.run(made())
            with asyncio.Runner() as second, pytest.raises(ConfigurationError, match="another event loop"):
                second.run(queries(client(served.wire, http_client=session), 1))
            first.run(session.close())
        gc.collect()
