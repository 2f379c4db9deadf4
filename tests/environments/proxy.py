"""A proxy of the kind that companies have, with a ledger of what it was asked; it can refuse, and die at any byte."""

import asyncio
import base64
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

import attrs

Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter
Act: TypeAlias = Callable[[Reader, Writer], Awaitable[None]]


@attrs.frozen
class Asked:
    """One request to the proxy: `CONNECT host:port` for a tunnel, `POST http://…` for what it passes on by itself."""

    line: str
    headers: dict[str, str]

    @property
    def login(self) -> str | None:
        """Name and password, when it was given any."""
        given = self.headers.get("proxy-authorization")
        return None if given is None else base64.b64decode(given.removeprefix("Basic ")).decode()


@attrs.define(eq=False)
class Proxy:
    """Whatever name it is asked for, it goes to one port here: who uses it looks up no name."""

    onward: int
    port: int = 0
    act: Act | None = None
    """What it does in place of a tunnel."""
    budget: int | None = None
    """How many bytes it carries towards the server before both sides see it die."""
    login: str | None = None
    asked: list[Asked] = attrs.field(factory=list)
    carried: int = 0
    _open: int = 0
    _quiet: asyncio.Event = attrs.field(factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def lines(self) -> list[str]:
        return [asked.line for asked in self.asked]

    async def is_quiet(self) -> None:
        """Returns when nobody is connected any more."""
        if self._open:
            await asyncio.wait_for(self._quiet.wait(), 10)

    async def serve(self, reader: Reader, writer: Writer) -> None:
        self._open += 1
        self._quiet.clear()
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # hung up
        finally:
            writer.close()
            self._open -= 1
            if not self._open:
                self._quiet.set()

    async def _serve(self, reader: Reader, writer: Writer) -> None:
        if self.act is hangs_up_at_once:
            return
        head = await reader.readuntil(b"\r\n\r\n")
        line, *lines = head.decode("ascii").split("\r\n")[:-2]
        asked = Asked(
            line.removesuffix(" HTTP/1.1"), {k.lower(): v for k, _, v in (each.partition(": ") for each in lines)}
        )
        self.asked.append(asked)
        if self.act is not None:
            await self.act(reader, writer)
        elif asked.login != self.login:
            await refuses(407, 'Proxy-Authenticate: Basic realm="corp"')(reader, writer)
        else:
            onward_reader, onward = await asyncio.open_connection("127.0.0.1", self.onward)
            if line.startswith("CONNECT "):
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                method, url, version = line.split(" ")
                path = url.split("/", 3)[3]
                onward.write(head.replace(line.encode(), f"{method} /{path} {version}".encode(), 1))
            with suppress(OSError):
                await asyncio.wait(
                    [
                        asyncio.ensure_future(self._carry(reader, onward)),
                        back := asyncio.ensure_future(carry_back(onward_reader, writer)),
                    ],
                    return_when=asyncio.FIRST_COMPLETED,
                )
                back.cancel()
            onward.close()

    async def _carry(self, reader: Reader, writer: Writer) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                if self.budget is not None:
                    data = data[: self.budget - self.carried]
                self.carried += len(data)
                writer.write(data)
                await writer.drain()
                if self.carried == self.budget:
                    return


async def carry_back(reader: Reader, writer: Writer) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()


# ---- how it refuses --------------------------------------------------------------------------------------------------
def says(data: bytes) -> Act:
    async def act(_: Reader, writer: Writer) -> None:
        writer.write(data)
        await writer.drain()

    return act


def refuses(status: int, *headers: str) -> Act:
    lines = [f"HTTP/1.1 {status} No", "Content-Length: 2", *headers, "", "no"]
    return says("\r\n".join(lines).encode())


async def hangs_up_at_once(_: Reader, __: Writer) -> None:
    """Before it has read anything."""


async def never_answers(reader: Reader, _: Writer) -> None:
    await reader.read()  # returns when the other side hangs up


@asynccontextmanager
async def proxy_before(port: int) -> AsyncGenerator[Proxy]:
    proxy = Proxy(port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.is_quiet()
