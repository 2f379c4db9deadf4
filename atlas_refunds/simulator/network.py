"""The way to the service and back, with the faults that calls meet on it. ASGI, around the whole application."""

import asyncio
from collections.abc import Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import requests
from .codes import Refused
from .delivery import Caller, Pause
from .faultplan import FaultPlan, Meeting
from .faults import Answer
from .scenarios import Operation

HEADER = "x-simulator-fault"


class Network:
    def __init__(self, app: ASGIApp, plan: FaultPlan, paths: Mapping[str, Operation]) -> None:
        self._app, self._plan, self._paths = app, plan, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation = self._paths.get(scope.get("path", ""))
        if operation is None or scope.get("method") != "POST":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            body = await request.body()
            meeting = self._plan.meet(operation, _order_no(body), request.headers.get(HEADER))
        except ClientDisconnect:
            return
        except ValueError as wrong:
            await JSONResponse({"error": str(wrong)}, status_code=400)(scope, receive, send)
            return
        if meeting is None:
            await self._app(scope, _holding(body), send)
            return
        caller = Caller(scope, receive, send)
        arriving = asyncio.ensure_future(self._arrive(meeting, body, scope, caller.pause))
        # In process, a caller that gives up cancels this task; what is under way arrives all the same.
        answer = await asyncio.shield(arriving)
        if meeting.fault.pause == "after":
            await caller.pause(meeting.delay_seconds)
        await caller.deliver(answer, meeting.fault.delivery, meeting.delay_seconds)

    async def _arrive(self, meeting: Meeting, body: bytes, scope: Scope, pause: Pause) -> Answer | None:
        """The answer of gateway or service; nothing arrives any more when the simulator was reset meanwhile."""
        fault, resets = meeting.fault, self._plan.resets
        if fault.pause == "before":
            await pause(meeting.delay_seconds)
        if self._plan.resets != resets:
            return None
        answer = None
        for _ in range(fault.arrivals):
            answer = await self._execute(body, scope)
        return fault.answer or answer

    async def _execute(self, body: bytes, scope: Scope) -> Answer:
        """Uncompressed, so that half of it is half of the JSON."""
        headers = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        messages: list[Message] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        await self._app({**scope, "headers": headers}, _holding(body), collect)
        start, *parts = messages
        content_type = dict(start["headers"])[b"content-type"].decode("latin-1")
        return Answer(start["status"], content_type, b"".join(part.get("body", b"") for part in parts))


def _order_no(raw: bytes) -> str | None:
    try:
        order_no = requests.decode(raw).get("orderNo")
    except Refused:
        return None
    return order_no if isinstance(order_no, str) else None


def _holding(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
