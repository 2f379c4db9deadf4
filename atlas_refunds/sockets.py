"""The network below httpcore: plain asyncio, one write for a request.

httpcore parses and speaks HTTP; this only moves bytes. Its default network goes through anyio and writes headers and
body apart; `bench/` has what the difference is.
"""

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore

HIGH_WATER = 256 * 1024  # bytes that may wait unread before the sender is slowed down


class AsyncioNetwork(httpcore.AsyncNetworkBackend):
    """Opens connections with the running event loop."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (httpcore's interface)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> "Stream":
        try:
            async with asyncio.timeout(timeout):
                _, received = await asyncio.get_running_loop().create_connection(
                    Received, host, port, happy_eyeballs_delay=0.25
                )
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return Stream(received)


class Received(asyncio.Protocol):
    """What has come over one connection and was not read yet."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.data = bytearray()
        self.ended = False
        self.error: Exception | None = None
        self._reader: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  (what TCP and TLS transports are)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.data += data
        if len(self.data) > HIGH_WATER:
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
        """The next bytes; none at the end."""
        while not self.data and not self.ended:
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        if not self.data and self.error is not None:
            raise httpcore.ReadError(str(self.error)) from self.error
        data = bytes(self.data[:max_bytes])
        del self.data[:max_bytes]
        if len(self.data) <= HIGH_WATER:
            self.transport.resume_reading()
        return data


class Stream(httpcore.AsyncNetworkStream):
    """One connection as httpcore wants it. The time limits of a call as a whole are kept by its caller."""

    def __init__(self, received: Received) -> None:
        self._received = received
        self._unsent = bytearray()

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self._unsent += buffer  # headers and body leave together, when the answer is asked for

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        if self._unsent:
            self._received.transport.write(bytes(self._unsent))
            self._unsent.clear()
        return await self._received.read(max_bytes)

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
        try:
            transport = await asyncio.get_running_loop().start_tls(
                received.transport,
                received,
                ssl_context,
                server_hostname=server_hostname,
                ssl_handshake_timeout=timeout,
            )
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:  # ssl.SSLError is one
            raise httpcore.ConnectError(str(error)) from error
        if transport is None:
            raise httpcore.ConnectError("the connection was closed during the TLS handshake")
        received.transport = transport
        return self

    def get_extra_info(self, info: str) -> Any:
        """`is_readable` on an idle connection means that it was closed, or that something came unasked."""
        if info == "is_readable":
            return self._received.ended or bool(self._received.data)
        return self._received.transport.get_extra_info(info)
