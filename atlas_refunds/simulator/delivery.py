"""How an answer comes back to the caller: whole, in part, slowly or not at all. ASGI."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

import httpx
from starlette.types import Receive, Scope, Send

from .faults import Answer, Delivery

Pause = Callable[[float], Awaitable[object]]
HangUp = Callable[[bool], None]
"""Called with whether to reset."""


class Caller:
    """The other end of the line. The server offers `pause` and `hang_up` in the state of the scope; without them there
    is no connection to close, and the caller gets the exception that httpx would have raised."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope.get("state", {})
        self.pause: Pause = state.get("pause", asyncio.sleep)
        self._hang_up: HangUp = state.get("hang_up", _fail)
        self._receive, self._send = receive, send

    async def deliver(self, answer: Answer | None, delivery: Delivery, seconds: float) -> None:
        """Without an answer there is nothing to deliver."""
        body = answer.body if answer else b""
        half = body[: len(body) // 2]
        if answer is None or delivery == "nothing":
            await self._close(reset=False)
        elif delivery == "half_then_reset":
            await self._begin(answer, len(body))
            await self._send_part(half, more=True)
            await self._close(reset=True)
        elif delivery == "dripping":
            await self._begin(answer, len(body))
            await self._drip(body, seconds)
        else:
            sent = half if delivery == "cut_short" else body
            await self._begin(answer, len(sent))
            await self._send_part(sent, more=False)

    async def _drip(self, body: bytes, seconds: float) -> None:
        """By the time that each byte is due, for the shortest sleep is longer than many a distance between two."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for index in range(len(body)):
            await self._send_part(body[index : index + 1], more=True)
            due = begun + seconds * (index + 1) / len(body)
            await self.pause(max(0.0, due - loop.time()))
        await self._send_part(b"", more=False)

    async def _begin(self, answer: Answer, length: int) -> None:
        headers = {"content-type": answer.content_type, "content-length": str(length)}
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": answer.status, "headers": raw})

    async def _send_part(self, part: bytes, *, more: bool) -> None:
        await self._send({"type": "http.response.body", "body": part, "more_body": more})

    async def _close(self, *, reset: bool) -> None:
        """A server that has not yet seen the connection end would complain about a missing answer."""
        self._hang_up(reset)
        while (await self._receive())["type"] != "http.disconnect":
            pass


def _fail(reset: bool) -> NoReturn:
    if reset:
        raise httpx.ReadError("the simulator reset the connection")
    raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
