"""A loopback Atlas in a process of its own, which answers each request with the published query answer.

python -m bench.server [CERTIFICATE]    prints its ports: plain, and TLS if there is a certificate; ends with its stdin

It parses only what it needs. A path that begins with /after/20 is answered after 20 ms, without an order number. GET
/seen tells, and begins anew, what was seen: connections, requests, and the most that waited for an answer at once.
"""

import asyncio
import json
import re
import ssl
import sys
from dataclasses import asdict, dataclass

from .processes import pin
from .samples import ANSWER

BODY = json.dumps(json.loads(ANSWER.read_bytes()), separators=(",", ":")).encode()
LENGTH = b"\r\ncontent-length:"


@dataclass
class Seen:
    connections: int = 0
    requests: int = 0
    waiting: int = 0
    most_waiting: int = 0


def framed(body: bytes) -> bytes:
    head = (
        "HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: {}\r\n\r\n"
    )
    return head.format(len(body)).encode() + body


class Connection(asyncio.Protocol):
    """Requests may come split, or several at once."""

    transport: asyncio.Transport

    def __init__(self, seen: Seen) -> None:
        self._seen, self._data = seen, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self.transport = transport
        self._seen.connections += 1

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = self._data[:end].lower()
            at = head.find(LENGTH)
            length = int(head[at + len(LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._data) < end + 4 + length:
                return
            self._data = self._data[end + 4 + length :]
            self._answer(head.split(b" ", 2)[1].split(b"/"))

    def _answer(self, path: list[bytes]) -> None:
        seen = self._seen
        if path[1] == b"seen":
            self.transport.write(framed(json.dumps(asdict(seen)).encode()))
            seen.connections, seen.requests, seen.most_waiting = 0, 0, seen.waiting
            return
        seen.requests += 1
        seen.waiting += 1
        seen.most_waiting = max(seen.most_waiting, seen.waiting)
        if path[1] == b"after":
            asyncio.get_running_loop().call_later(int(path[2]) / 1000, self._write, OF_ANY_ORDER)
        else:
            self._write(ANSWERED)

    def _write(self, answer: bytes) -> None:
        self._seen.waiting -= 1
        self.transport.write(answer)


ANSWERED = framed(BODY)
OF_ANY_ORDER = framed(re.sub(rb'"orderNo":"[^"]*",?', b"", BODY))
"""A refund that names another order than the one that was asked for is none of it."""


async def serve(certificate: str | None) -> None:
    loop, seen = asyncio.get_running_loop(), Seen()
    contexts: list[ssl.SSLContext | None] = [None]
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        contexts.append(context)
    servers = [
        await loop.create_server(lambda: Connection(seen), "127.0.0.1", 0, backlog=4096, ssl=context)
        for context in contexts
    ]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    pin(0)
    asyncio.run(serve(sys.argv[1] if len(sys.argv) > 1 else None))
