"""The way to the service and back: plays the fault that a call meets. ASGI, around the whole application."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NoReturn

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import requests
from .codes import Refused
from .faultplan import FaultPlan, Meeting
from .faults import Answer
from .scenarios import Operation

HEADER = "x-simulator-fault"

Pause = Callable[[float], Awaitable[object]]
HangUp = Callable[[bool], None]
"""Called with whether to reset."""


class Network:
    """A server offers `pause` and `hang_up` in the state of the scope; without one there is no connection to close,
    and the caller gets the exception that httpx would have raised."""

    def __init__(self, app: ASGIApp, faults: FaultPlan, paths: Mapping[str, Operation]) -> None:
        self._app, self._faults, self._paths = app, faults, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation = self._paths.get(scope.get("path", ""))
        if operation is None or scope.get("method") != "POST":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        try:
            meeting = self._faults.meet(operation, _order_no(body), request.headers.get(HEADER))
        except ValueError as wrong:
            await JSONResponse({"error": str(wrong)}, status_code=400)(scope, receive, send)
            return
        if meeting is None:
            await self._app(scope, _arriving(body), send)
            return
        await self._play(meeting, body, scope, receive, send)

    async def _play(self, meeting: Meeting, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope.get("state", {})
        pause: Pause = state.get("pause", asyncio.sleep)
        hang_up: HangUp = state.get("hang_up", _raise)
        # In process, a caller that gives up cancels us; what is under way arrives all the same.
        arriving = asyncio.ensure_future(self._arrive(meeting, pause, body, scope))
        answer = await asyncio.shield(arriving)
        if meeting.fault.pause == "after":
            await pause(meeting.delay_seconds)
        answer = meeting.fault.answer or answer
        delivery = "nothing" if answer is None else meeting.fault.delivery
        ...

    async def _arrive(self, meeting: Meeting, pause: Pause, body: bytes, scope: Scope) -> Answer | None:
        ...
