"""The network below httpcore: plain asyncio on any of its event loops, and the record of what was written.

httpcore and h11 speak HTTP, aiohappyeyeballs connects; this only moves bytes. One write a request, where httpcore's own
network goes through anyio and writes headers and body apart; `bench/` has what the difference is.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any, Final, cast

import httpcore
from aiohappyeyeballs import start_connection  # pyright: ignore[reportUnknownVariableType]

from .transport import Trail

HIGH_WATER: Final = 64 * 1024  # bytes that may wait unread before the sender is slowed down
NEXT_ADDRESS: Final = 0.25  # seconds after which a host's next address is tried beside the first (RFC 8305)

TRAIL: Final[ContextVar[Trail | None]] = ContextVar("trail", default=None)
"""The request of the task that reads and writes."""


class AsyncioNetwork(httpcore.AsyncNetworkBackend):
    """Opens connections with the running event loop. `tunnel` is the number of TLS layers above which a request itself
    is written; what goes below them, a proxy's CONNECT for instance, is not the request."""

    def __init__(self, tunnel: int) -> None:
        self._tunnel = tunnel

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (httpcore's interface)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> "Stream":
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                addresses = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                connected = await start_connection(addresses, happy_eyeballs_delay=NEXT_ADDRESS, loop=loop)
                _, received = await loop.create_connection(Received, sock=connected)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"no connection within {timeout:g} s") from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return Stream(received, self._tunnel, timeout)


class Received(asyncio.Protocol):
    """What has come over one connection and was not read yet."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.data = bytearray()
        self.ended = False
        self.error: Exception | None = None
        self._reader: asyncio.Future[None] | None = None
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's has the interface, not the class

    def data_received(self, data: bytes) -> None:
        self.data += data
        if len(self.data) > HIGH_WATER and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self.ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended, self.error = True, exc
        self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def read(self, max_bytes: int) -> bytes:
        """The next bytes; none at the end.

        The last byte that is there is handed out alone. So who has read a whole answer has read what lies behind it
        only if there is nothing, and anything that does shows as unread.
        """
        while not self.data and not self.ended:
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        if not self.data and self.error is not None:
            raise httpcore.ReadError(str(self.error)) from self.error
        count = min(max_bytes, max(len(self.data) - 1, 1))
        data = bytes(self.data[:count])
        del self.data[:count]
        if self._paused and len(self.data) <= HIGH_WATER and not self.transport.is_closing():
            self._paused = False
            self.transport.resume_reading()
        return data


class Stream(httpcore.AsyncNetworkStream):
    """One connection as httpcore wants it. The time limits of a call as a whole are kept by its caller; a proxy opens
    its tunnel within the time for connecting."""

    def __init__(self, received: Received, tunnel: int, connect_timeout: float | None) -> None:
        self._received = received
        self._tunnel, self._connect_timeout = tunnel, connect_timeout
        self._unsent = bytearray()

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self._unsent += buffer  # headers and body leave together, when the answer is asked for

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        if self._unsent:
            await asyncio.sleep(0)  # what came already is seen
            if self._received.transport.is_closing() or self._received.data:  # no answer: nothing was asked yet
                raise httpcore.WriteError("the connection was closed, or used unasked, before anything was written")
            trail = TRAIL.get()
            if trail is not None and not self._tunnel:
                trail.may_have_left = True
            self._received.transport.write(bytes(self._unsent))
            self._unsent.clear()
        if not self._tunnel:
            return await self._received.read(max_bytes)
        try:
            async with asyncio.timeout(self._connect_timeout):
                return await self._received.read(max_bytes)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("no tunnel in time") from error

    async def aclose(self) -> None:
        self._received.transport.abort()
        await asyncio.sleep(0)  # lets the transport close its socket

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> "Stream":
        received = self._received
        if received.data:  # it would be taken for an answer that came over TLS
            raise httpcore.ConnectError("something came unasked before the TLS handshake")
        try:
            transport = await asyncio.get_running_loop().start_tls(
                received.transport,
                received,
                ssl_context,
                server_hostname=server_hostname,
                ssl_handshake_timeout=timeout,
            )
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"no TLS handshake within {timeout:g} s") from error
        except OSError as error:  # ssl.SSLError is one
            raise httpcore.ConnectError(str(error) or "the connection was closed during the TLS handshake") from error
        if transport is None:
            raise httpcore.ConnectError("the connection was closed during the TLS handshake")
        received.transport = transport
        return Stream(received, max(0, self._tunnel - 1), self._connect_timeout)

    def get_extra_info(self, info: str) -> Any:
        """`is_readable` on an idle connection means that it was closed, or that something came unasked."""
        if info == "is_readable":
            return self._received.ended or bool(self._received.data)
        return self._received.transport.get_extra_info(info)
