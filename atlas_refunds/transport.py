"""One request out, one whole answer back, and the knowledge whether it can have reached Atlas."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Protocol

import attrs
from atlas_refunds_api.types import Model

from .envelope import Answer
from .errors import BadResponseError, ConfigurationError, NoAnswerError, NotSentError


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Request(Model):
    """One call, ready to be sent."""

    name: str
    path: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    content: bytes = attrs.field(repr=False)
    timeout: timedelta
    connect_timeout: timedelta
    once: bool = False
    """Must not be executed twice: goes on a new connection, for a kept one can fail after the bytes have left."""
    trail: "Trail" = attrs.field(factory=lambda: Trail(), eq=False, repr=False)

    def limits(self) -> dict[str, float]:
        """For httpx and httpcore, which know no limit for a call as a whole."""
        whole = self.timeout.total_seconds()
        return {"connect": self.connect_timeout.total_seconds(), "read": whole, "write": whole, "pool": whole}


class Connections(Protocol):
    """Where requests go."""

    async def send(self, url: str, request: Request) -> Answer: ...

    def not_sent(self, error: Exception, request: Request) -> bool:
        """Whether this error proves that no byte has left."""
        ...

    async def aclose(self) -> None: ...


class Trail:
    """Follows one request: can its first byte have left when it failed (httpcore's trace), and what had come back?"""

    def __init__(self) -> None:
        self.start(handed_over=False)

    def start(self, *, handed_over: bool) -> None:
        """Begin anew; `handed_over` when the request is about to be given to httpx."""
        self.handed_over, self.connecting, self.writing = handed_over, False, False
        self.received = bytearray()

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event.startswith("connection.connect_"):
            self.connecting = True
        elif event.endswith(".send_request_headers.started"):
            self.writing = True

    @property
    def may_have_left(self) -> bool:
        return self.handed_over and not (self.connecting and not self.writing)


class Transport:
    """Sends requests below one base URL."""

    def __init__(self, base_url: str, connect: Callable[[], Awaitable[Connections]]) -> None:
        self._base_url, self._connect = base_url, connect
        self._connecting = asyncio.Lock()
        self._connections: Connections | None = None
        self._closed = False

    def url(self, request: Request) -> str:
        return self._base_url + request.path

    async def send(self, request: Request) -> Answer:
        """One attempt, one answer.

        Raises NotSentError (provably before the first byte), NoAnswerError (anything later), BadResponseError (an
        answer too large or with broken compression). Cancellation passes through; `request.trail` tells what it hit.
        """
        if self._closed:
            raise ConfigurationError("this client is closed: make a new one")
        request.trail.start(handed_over=False)
        connections = self._connections
        try:
            async with asyncio.timeout(request.timeout.total_seconds()):
                connections = connections or await self._connected()
                return await connections.send(self.url(request), request)
        except (BadResponseError, ConfigurationError):
            raise
        except Exception as error:  # an injected client can raise anything, and what is unknown may have been sent
            what = f"{request.name}: {type(error).__name__}"
            if not request.trail.may_have_left or (connections and connections.not_sent(error, request)):
                raise NotSentError(f"{what}; nothing was sent") from error
            content = bytes(request.trail.received)
            raise NoAnswerError(f"{what}; Atlas may have received the request", content=content) from error

    async def aclose(self) -> None:
        """Close our connections; a client that was passed in stays open."""
        self._closed = True
        if self._connections is not None:
            await self._connections.aclose()

    async def _connected(self) -> Connections:
        async with self._connecting:
            if self._connections is None:
                self._connections = await self._connect()
        return self._connections
