"""The only door to HTTP: send one request, bring back one whole answer, and say whether it can have reached Atlas."""

import asyncio
import ssl
import zlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any, Protocol

import attrs
import httpx

from .envelope import Answer
from .errors import BadResponseError, ConfigurationError, NoAnswerError, NotSentError

MAX_BODY = 8 * 1024 * 1024  # bytes; the largest published answer has 1.5 kB
MAX_IDLE = 16  # kept connections
NOT_SENT = (  # httpx raises these before the first byte of a request is written
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)


@attrs.frozen(kw_only=True)
class Request:
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
        """For httpx, which knows no limit for a call as a whole."""
        whole = self.timeout.total_seconds()
        return {"connect": self.connect_timeout.total_seconds(), "read": whole, "write": whole, "pool": whole}


class Connections(Protocol):
    """Where requests go: our own connections, or a client that the user made."""

    def exchange(self, url: str, request: Request) -> AbstractAsyncContextManager[httpx.Response]:
        """Send, and hold the connection until the answer has been read."""
        ...

    async def aclose(self) -> None: ...


class Trail:
    """Follows one request by httpcore's trace events: can its first byte have left when it failed?"""

    def __init__(self) -> None:
        self.start(handed_over=False)

    def start(self, *, handed_over: bool) -> None:
        """Begin anew; `handed_over` when the request is about to be given to httpx."""
        self.handed_over, self.connecting, self.writing = handed_over, False, False

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event.startswith("connection.connect_"):
            self.connecting = True
        elif event.endswith(".send_request_headers.started"):
            self.writing = True

    @property
    def may_have_left(self) -> bool:
        return self.handed_over and not (self.connecting and not self.writing)


class OwnConnections:
    """A free list of one-connection transports, last used first: the cost of a call does not grow with their number."""

    def __init__(self) -> None:
        self._idle: list[httpx.AsyncHTTPTransport] = []
        self._closed = False
        self._tls: ssl.SSLContext | None = None

    @asynccontextmanager
    async def exchange(self, url: str, request: Request) -> AsyncGenerator[httpx.Response]:
        connection = self._idle.pop() if self._idle and not request.once else await self._new(url)
        try:
            wire = httpx.Request(
                "POST",
                url,
                headers=dict(request.headers),
                content=request.content,
                extensions={"timeout": request.limits(), "trace": request.trail},
            )
            request.trail.start(handed_over=True)
            yield await connection.handle_async_request(wire)
        except BaseException:
            await connection.aclose()
            raise
        if len(self._idle) < MAX_IDLE and not self._closed:
            self._idle.append(connection)
        else:
            await connection.aclose()

    async def _new(self, url: str) -> httpx.AsyncHTTPTransport:
        if self._tls is None and url.startswith("https:"):
            # Reading the certificates takes milliseconds: once, and not on the event loop.
            self._tls = await asyncio.to_thread(httpx.create_ssl_context)
        one = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        return httpx.AsyncHTTPTransport(verify=self._tls or False, limits=one)

    async def aclose(self) -> None:
        self._closed = True  # what is in flight closes its connection when it comes back
        while self._idle:
            await self._idle.pop().aclose()


class BorrowedClient:
    """A client that the user made: its proxies, hooks and headers apply, and it stays the user's to close."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    @asynccontextmanager
    async def exchange(self, url: str, request: Request) -> AsyncGenerator[httpx.Response]:
        if self._client.is_closed:
            raise ConfigurationError("the http_client is closed")
        extensions = {"timeout": request.limits(), "trace": request.trail}
        wire = self._client.build_request(
            "POST", url, headers=dict(request.headers), content=request.content, extensions=extensions
        )
        request.trail.start(handed_over=True)
        response = await self._client.send(wire, stream=True, follow_redirects=False)
        try:
            yield response
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """Nothing to do: it is not ours."""


class Transport:
    """Sends requests below one base URL."""

    def __init__(self, base_url: str, connections: Connections) -> None:
        self._base_url, self._connections = base_url, connections
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
        try:
            async with asyncio.timeout(request.timeout.total_seconds()):
                async with self._connections.exchange(self.url(request), request) as response:
                    return Answer(response.status_code, dict(response.headers), await read(response))
        except (BadResponseError, ConfigurationError):
            raise
        except Exception as error:  # an injected client can raise anything, and what is unknown may have been sent
            what = f"{request.name}: {type(error).__name__}"
            if isinstance(error, NOT_SENT) or not request.trail.may_have_left:
                raise NotSentError(f"{what}; nothing was sent") from error
            raise NoAnswerError(f"{what}; Atlas may have received the request") from error

    async def aclose(self) -> None:
        """Close our connections; a client that was passed in stays open."""
        self._closed = True
        await self._connections.aclose()


async def read(response: httpx.Response) -> bytes:
    """The whole decoded body, in bounded memory whatever is sent. Raises BadResponseError."""

    def bad(problem: str) -> BadResponseError:
        return BadResponseError(problem, http_status=response.status_code, content=bytes(body))

    if response.is_stream_consumed:  # an event hook of the user's client, or a mock, has read (and unpacked) it
        body = bytearray(response.content)
        if len(body) > MAX_BODY:
            body.clear()
            raise bad("it is too large")
        return bytes(body)
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip", ""):
        body = bytearray()
        raise bad(f"its compression {encoding[:20]!r} was not asked for")
    inflate = zlib.decompressobj(wbits=31) if "gzip" in encoding else None
    body = bytearray()
    try:
        async for chunk in response.aiter_raw():
            body += inflate.decompress(chunk, MAX_BODY + 1 - len(body)) if inflate else chunk
            if len(body) > MAX_BODY:
                body.clear()
                raise bad("it is too large")
    except zlib.error:
        raise bad("its compression is broken") from None
    if inflate and body and not inflate.eof:
        raise bad("its compression is cut off")
    return bytes(body)
