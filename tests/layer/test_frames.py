"""What error trackers send along: the locals of every frame of an error, of its causes and of their contexts."""

import gzip
import traceback
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import aiohttp
import httpx
import httpx2
import httpx_aiohttp
import pytest

from atlas_refunds import (
    AtlasRefunds,
    AtlasRefundsError,
    Credentials,
    NotificationError,
    Timeouts,
    parse_notification,
)

from .conftest import ONCE, HandClock, free_port
from .test_secrets import ANSWER, BODY, CALLS, CANARIES
from .test_secrets import FAULTS as TOLD
from .wire_server import Act, WireServer, answers, claims_length, encoded, head, sends

KINDS: dict[str, Callable[[], Any]] = {
    "own": lambda: None,
    "httpx": httpx.AsyncClient,
    "httpx2": httpx2.AsyncClient,
    "httpx over aiohttp": httpx_aiohttp.HttpxAiohttpClient,
    "aiohttp": aiohttp.ClientSession,
}
WHOLE = encoded(ANSWER)
CHUNKED = head(200, length=None, Transfer_Encoding="chunked") + b"%x\r\n%s\r\n" % (len(WHOLE), WHOLE)
FAULTS: dict[str, Act] = {
    **{name: act for name, act in TOLD.items() if name != "fine"},
    "no status": answers({key: value for key, value in ANSWER.items() if key != "status"}),
    "status twice": answers(WHOLE.replace(b'"status"', b'"status": 801, "status"', 1)),
    "half of it": claims_length(len(WHOLE) + 10, WHOLE, then_close=True),
    "broken chunks": sends(CHUNKED + b"zz CANARYMSG\r\n", then_close=True),
    "cut chunks": sends(CHUNKED, then_close=True),
    "other compression": answers(WHOLE, Content_Encoding="br"),
    "cut compression": answers(gzip.compress(WHOLE)[:-9], Content_Encoding="gzip"),
    "too large": answers(WHOLE * 2_000),
    "no http": sends(b"HTTP/1.1 CANARYMSG\r\n\r\n", then_close=True),
    "a bad header": sends(b"HTTP/1.1 200 OK\r\nX: CANARYMSG\r\nCANARYTICKET\r\n\r\n", then_close=True),
}


def words(value: object, depth: int = 0) -> Iterator[str]:
    """As a tracker shows it: containers one by one, all else by its repr."""
    if isinstance(value, bytes | bytearray | memoryview):
        yield bytes(value).decode("latin-1")
    elif depth < 5 and isinstance(value, dict):
        for key, item in value.items():
            yield from words(key, depth + 1)
            yield from words(item, depth + 1)
    elif depth < 5 and isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from words(item, depth + 1)
    else:
        yield repr(value)


def behind(error: BaseException | None, seen: set[int]) -> Iterator[BaseException]:
    if error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        yield from behind(error.__cause__, seen)
        yield from behind(error.__context__, seen)


def leaks(error: BaseException) -> list[str]:
    """`function: local, canary` for each canary in a frame that is not the test's own, and in the traceback's text."""
    found = {f"text: {canary}" for canary in CANARIES if canary in "".join(traceback.format_exception(error))}
    for each in behind(error, set()):
        for frame, _ in traceback.walk_tb(each.__traceback__):
            if frame.f_code.co_filename == __file__:
                continue
            for name, value in frame.f_locals.items():
                shown = "\n".join(words(value))
                found |= {f"{frame.f_code.co_qualname}: {name}, {canary}" for canary in CANARIES if canary in shown}
    return sorted(found)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", [*FAULTS, "nobody listens", "no such name"])
async def test_no_frame_of_an_error_holds_what_was_sent_or_received(kind: str, fault: str, wire: WireServer) -> None:
    url = {"nobody listens": f"http://127.0.0.1:{free_port()}", "no such name": "https://atlas.invalid"}.get(fault)
    within = timedelta(seconds=0.1 if fault == "silence" else 30)
    found: list[list[str]] = []
    async with AsyncExitStack() as stack:
        client = KINDS[kind]()
        http = None if client is None else await stack.enter_async_context(client)
        atlas = AtlasRefunds(
            Credentials("canary-id", "canary-secret"),
            base_url=url or wire.url,
            http_client=http,
            timeouts=Timeouts(quote=within, submit=within, query=within),
            clock=HandClock(),
            retry=ONCE,
        )
        await stack.enter_async_context(atlas)
        for call in (CALLS["quote"], CALLS["submit"], CALLS["query"]):
            wire.plays(FAULTS.get(fault, answers(BODY)))
            try:
                await call(atlas)
            except AtlasRefundsError as error:
                found.append(leaks(error))
    assert found
    assert [leak for leak in found if leak] == []


BODIES: dict[str, bytes] = {
    "no json": b'{"orderNo": "CANARYTICKET", "name": "CANARYLAST',
    "no utf-8": b'{"name": "CANARYLAST\xff"}',
    "no order": encoded({"type": "order.refundComplete", "data": {"name": "CANARYLAST"}}),
    "an odd member": encoded({"orderNo": "X1", "refundStatus": {"CANARYLAST": 1}}),
    "another client": encoded({"orderNo": "X1", "cid": "canary-secret", "name": "CANARYLAST"}),
    "too long": b"CANARYLAST" * 100_000,
}


@pytest.mark.parametrize("body", BODIES)
def test_no_frame_of_a_refused_webhook_holds_it(body: str) -> None:
    headers, client = {"x-name": CANARIES[2]}, CANARIES[0]
    with pytest.raises(NotificationError) as caught:
        parse_notification(BODIES[body], headers, expected_cid=client)
    assert leaks(caught.value) == []
    assert caught.value.__context__ is None
