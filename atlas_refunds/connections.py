"""Our own connections: httpcore's, kept in a list of our own, over our own network."""

import asyncio
import ssl
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import httpcore

from .bodies import collected
from .envelope import Answer
from .sockets import TRAIL, AsyncioNetwork
from .transport import Request

KEPT_SECONDS: Final = 5.0  # how long an idle connection is kept, as httpx does


class OwnConnections:
    """A free list of connections, last used first: the cost of a call does not grow with their number."""

    def __init__(self, max_idle: int, max_body: int, tls: ssl.SSLContext | None, proxy: httpcore.Proxy | None) -> None:
        self._idle: list[httpcore.AsyncConnectionInterface] = []
        self._max_idle, self._max_body = max_idle, max_body
        below = proxy is not None and proxy.url.scheme == b"https"
        self._network, self._tls = AsyncioNetwork(tunnel=(tls is not None) + below), tls
        self._proxied: httpcore.AsyncConnectionPool | None = None
        if proxy is not None:  # asked to make connections, never to choose or keep one
            self._proxied = httpcore.AsyncConnectionPool(
                ssl_context=tls, proxy=proxy, keepalive_expiry=KEPT_SECONDS, network_backend=self._network
            )
        self.through = "" if proxy is None else f" through the proxy {proxy.url.host.decode()}:{proxy.url.port}"
        self._closed = False
        self._sweep: asyncio.TimerHandle | None = None
        self._sweeping: asyncio.Task[None] | None = None

    async def send(self, url: str, request: Request) -> Answer:
        target = parsed(url)
        connection = await self._kept(request) or await self._new(target.origin, request)
        token = TRAIL.set(request.trail)
        try:
            response = await connection.handle_async_request(framed(target, request))
            headers = lowered(response.headers)
            body = await collected(
                response.aiter_stream(), response.status, headers, request.trail.received, self._max_body
            )
            await response.aclose()
        except BaseException:
            await connection.aclose()
            raise
        finally:
            TRAIL.reset(token)
        if connection.is_idle() and len(self._idle) < self._max_idle:
            await self._keep(connection)
        else:
            await connection.aclose()
        return Answer(response.status, headers, body)

    async def _new(self, origin: httpcore.Origin, request: Request) -> httpcore.AsyncConnectionInterface:
        if self._proxied is not None:
            return self._proxied.create_connection(origin)  # connects when it gets its first request
        host, timeout = origin.host.decode("ascii"), request.connect_timeout.total_seconds()
        stream = await self._network.connect_tcp(host, origin.port, timeout)
        if self._tls is not None:
            stream = await stream.start_tls(self._tls, host, timeout)
        return httpcore.AsyncHTTP11Connection(origin, stream, KEPT_SECONDS)

    async def _kept(self, request: Request) -> httpcore.AsyncConnectionInterface | None:
        while self._idle and not request.once:
            kept = self._idle.pop()
            if not kept.has_expired():
                return kept
            await kept.aclose()
        return None

    async def _keep(self, connection: httpcore.AsyncConnectionInterface) -> None:
        if self._closed:
            await connection.aclose()
            return
        self._idle.append(connection)
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(KEPT_SECONDS, self._begin_sweep)

    def _begin_sweep(self) -> None:
        self._sweeping = asyncio.ensure_future(self._close_expired())

    async def _close_expired(self) -> None:
        expired = [connection for connection in self._idle if connection.has_expired()]
        self._idle = [connection for connection in self._idle if connection not in expired]
        self._sweep = None
        if self._idle:
            self._sweep = asyncio.get_running_loop().call_later(KEPT_SECONDS, self._begin_sweep)
        for connection in expired:
            await connection.aclose()

    async def aclose(self) -> None:
        self._closed = True  # what is in flight closes its connection when it comes back
        if self._sweep is not None:
            self._sweep.cancel()
        while self._idle:
            await self._idle.pop().aclose()


@lru_cache(maxsize=16)  # a client has three
def parsed(url: str) -> httpcore.URL:
    return httpcore.URL(url)


def lowered(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


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
        extensions={"timeout": request.limits()},
    )
