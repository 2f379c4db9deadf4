"""A server of bytes on a real socket: it keeps every request as it came, and answers as its script says."""

import asyncio
import gzip
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

Act = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
JSON = "application/json;charset=UTF-8"


@dataclass(frozen=True)
class Call:
    """One request. `headers` as sent and in order, `connection` counted from 1."""

    connection: int
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


# ---- what a script is made of ----------------------------------------------------------------------------------------
def sends(data: bytes, *, then_close: bool = False) -> Act:
    """These bytes and nothing else."""

    async def act(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if then_close:
            writer.close()

    return act


def head(status: int, *, length: int | None, content_type: str = JSON, **headers: str) -> bytes:
    """A status line and headers; `Retry_After="5"` stands for `Retry-After: 5`."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Type: {content_type}"]
    lines += [f"Content-Length: {length}"] if length is not None else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def encoded(body: object) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def answers(body: object, status: int = 200, /, **headers: str) -> Act:
    """A whole answer; bytes go as they are, everything else as JSON."""
    content = encoded(body)
    return sends(head(status, length=len(content), **headers) + content)


def answers_html(status: int) -> Act:
    content = b"<html><body>Gateway says no</body></html>"
    return sends(head(status, length=len(content), content_type="text/html") + content)


def refuses(code: object, **more: object) -> Act:
    """An error in the usual envelope, with HTTP 200."""
    return answers({"status": code, "msg": None, **more})


def closes_mid_body(body: object) -> Act:
    content = encoded(body)
    return sends(head(200, length=len(content)) + content[: len(content) // 2], then_close=True)


def claims_length(length: int, body: object, *, then_close: bool) -> Act:
    return sends(head(200, length=length) + encoded(body), then_close=then_close)


def answers_chunked(body: object) -> Act:
    content = encoded(body)
    chunks = [content[start : start + 100] for start in range(0, len(content), 100)]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return sends(head(200, length=None, Transfer_Encoding="chunked") + framed + b"0\r\n\r\n")


def answers_gzipped(body: object, *, broken: bool = False) -> Act:
    content = gzip.compress(encoded(body), mtime=0)
    if broken:
        content = content[:10] + b"\xff" * (len(content) - 10)
    return answers(content, Content_Encoding="gzip")


def drips(body: object, *, forever: bool = False) -> Act:
    """The answer byte by byte; or one that goes on until the other side has had enough."""

    async def act(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        content = encoded(body)
        writer.write(head(200, length=10**6 if forever else len(content)))
        for byte in content:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        while forever:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    return act


async def never_answers(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()  # returns when the other side hangs up


closes_before_answer = sends(b"", then_close=True)
talks_nonsense = sends(b"220 mail.example.com ESMTP ready\r\n", then_close=True)


# ---- the server ------------------------------------------------------------------------------------------------------
class WireServer:
    """Plays its script request by request; the last act is played again and again."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.connections = 0
        self.port = 0
        self.scheme = "http"
        self.greeting = b""
        self._script: list[Act] = [answers_html(599)]
        self._open: set[asyncio.StreamWriter] = set()
        self._none_open = asyncio.Event()
        self._none_open.set()
        self._called = asyncio.Event()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def plays(self, *script: Act) -> None:
        self._script = list(script)

    async def was_called(self) -> None:
        """Returns when the next request (or the first one) has come whole."""
        await asyncio.wait_for(self._called.wait(), 10)

    async def is_quiet(self) -> None:
        """Returns when no connection is open."""
        await asyncio.wait_for(self._none_open.wait(), 10)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        self._open.add(writer)
        self._none_open.clear()
        writer.write(self.greeting)
        try:
            while not writer.is_closing():
                self.calls.append(await read_call(reader, number))
                self._called.set()
                await self._next_act()(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, UnicodeDecodeError, ValueError):
            pass  # hung up, or no HTTP at all
        finally:
            writer.close()
            self._open.discard(writer)
            if not self._open:
                self._none_open.set()

    def _next_act(self) -> Act:
        return self._script.pop(0) if len(self._script) > 1 else self._script[0]

    async def hang_up(self) -> None:
        for writer in self._open:
            writer.transport.abort()
        if self._open:
            await self.is_quiet()


async def read_call(reader: asyncio.StreamReader, connection: int) -> Call:
    start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").split("\r\n")[:-2]
    method, path, _ = start.split(" ")
    headers = tuple((name, value) for name, _, value in (line.partition(": ") for line in lines))
    length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
    return Call(connection, method, path, headers, await reader.readexactly(length))


@asynccontextmanager
async def wire_server(port: int = 0, tls: ssl.SSLContext | None = None) -> AsyncIterator[WireServer]:
    wire = WireServer()
    server = await asyncio.start_server(wire.serve, "127.0.0.1", port, ssl=tls)  # sets TCP_NODELAY
    wire.port, wire.scheme = server.sockets[0].getsockname()[1], "https" if tls else "http"
    try:
        yield wire
    finally:
        server.close()
        await wire.hang_up()
        await server.wait_closed()
