"""Two kinds of connections: our own, and those of a client that the user made."""

from collections.abc import AsyncGenerator, AsyncIterable
from functools import lru_cache
from typing import Final

import httpcore
import httpx

from .bodies import collected
from .envelope import Answer
from .errors import ConfigurationError
from .sockets import AsyncioNetwork
from .transport import Request

KEPT_SECONDS: Final = 5.0  # how long an idle connection is kept, as httpx does


class OwnConnections:
    """A free list of httpcore connections, last used first: the cost of a call does not grow with their number."""

    def __init__(self, max_idle: int, *, tls: bool) -> None:
        self._idle: list[httpcore.AsyncHTTP11Connection] = []
        self._max_idle = max_idle
        self._closed = False
        self._tls = httpx.create_ssl_context() if tls else None
        if self._tls is not None:
            self._tls.set_alpn_protocols(["http/1.1"])
        self._network = AsyncioNetwork()

    async def send(self, url: str, request: Request) -> Answer:
        target = parsed(url)
        connection = await self._kept(request) or await self._connected(target.origin, request)
        try:
            request.trail.start(handed_over=True)
            request.trail.connecting = request.once  # on a new connection, nothing has left before it writes
            response = await connection.handle_async_request(framed(target, request))
            headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            body = await collected(response.aiter_stream(), response.status, headers, request.trail.received)
            await response.aclose()
        except BaseException:
            await connection.aclose()
            raise
        if connection.is_idle() and len(self._idle) < self._max_idle and not self._closed:
            self._idle.append(connection)
        else:
            await connection.aclose()
        return Answer(response.status, headers, body)

    async def _kept(self, request: Request) -> httpcore.AsyncHTTP11Connection | None:
        while self._idle and not request.once:
            kept = self._idle.pop()
            if not kept.has_expired():
                return kept
            await kept.aclose()
        return None

    async def _connected(self, origin: httpcore.Origin, request: Request) -> httpcore.AsyncHTTP11Connection:
        host, timeout = origin.host.decode("ascii"), request.connect_timeout.total_seconds()
        stream = await self._network.connect_tcp(host, origin.port, timeout)
        if self._tls is not None:
            stream = await stream.start_tls(self._tls, host, timeout)
        return httpcore.AsyncHTTP11Connection(origin, stream, KEPT_SECONDS)

    def not_sent(self, error: Exception, request: Request) -> bool:
        return isinstance(error, httpcore.ConnectError | httpcore.ConnectTimeout | httpcore.UnsupportedProtocol)

    async def aclose(self) -> None:
        self._closed = True  # what is in flight closes its connection when it comes back
        while self._idle:
            await self._idle.pop().aclose()


@lru_cache(maxsize=16)  # a client has three
def parsed(url: str) -> httpcore.URL:
    return httpcore.URL(url)


def framed(target: httpcore.URL, request: Request) -> httpcore.Request:
    """The request as httpcore takes it: it adds no header of its own."""
    host = target.host if b":" not in target.host else b"[" + target.host + b"]"
    if target.port is not None:
        host += b":%d" % target.port
    return httpcore.Request(
        b"POST",
        target,
        headers=[
            (b"Host", host),
            *((name.encode(), value.encode()) for name, value in request.headers.items()),
            (b"Content-Length", b"%d" % len(request.content)),
        ],
        content=request.content,
        extensions={"timeout": request.limits(), **({"trace": request.trail} if request.once else {})},
    )


class BorrowedClient:
    """A client that the user made: its proxies, hooks and headers apply, and it stays the user's to close."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def send(self, url: str, request: Request) -> Answer:
        if self._client.is_closed:
            raise ConfigurationError("the http_client is closed")
        extensions = {"timeout": request.limits(), **({"trace": request.trail} if request.once else {})}
        wire = self._client.build_request(
            "POST", url, headers=dict(request.headers), content=request.content, extensions=extensions
        )
        request.trail.start(handed_over=True)
        response = await self._client.send(wire, stream=True, follow_redirects=False)
        try:
            chunks: AsyncIterable[bytes]
            headers: dict[str, str]
            if response.is_stream_consumed:  # an event hook of the user's, or a mock, has read and unpacked it
                chunks, headers = once(response.content), {}
            else:
                chunks, headers = response.aiter_raw(), dict(response.headers)
            body = await collected(chunks, response.status_code, headers, request.trail.received)
            return Answer(response.status_code, dict(response.headers), body)
        finally:
            await response.aclose()

    def not_sent(self, error: Exception, request: Request) -> bool:
        """A transport that is not httpx' own may call any lost connection a failed connect, httpx-aiohttp does: for
        what must not be executed twice that word is not enough, the trail has to have seen it."""
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return not request.once
        return isinstance(error, httpx.PoolTimeout | httpx.ProxyError | httpx.UnsupportedProtocol | httpx.InvalidURL)

    async def aclose(self) -> None:
        """Nothing to do: it is not ours."""


async def once(content: bytes) -> AsyncGenerator[bytes]:
    yield content
