"""How the bytes of an answer come through: a table, each row a way to mangle any answer. Standard library alone."""

import gzip
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import Enum


@dataclass(frozen=True)
class Reply:
    """An HTTP answer before it meets the network."""

    body: bytes
    status: int = 200
    headers: tuple[str, ...] = ("Content-Type: application/json;charset=UTF-8",)

    def head(self, *more: str) -> bytes:
        return "\r\n".join([f"HTTP/1.1 {self.status} Whatever", *self.headers, *more, "", ""]).encode()

    def whole(self) -> bytes:
        return self.head(f"Content-Length: {len(self.body)}") + self.body


@dataclass(frozen=True)
class Line:
    """One connection, seen from the server."""

    write: Callable[[bytes], Awaitable[None]]
    wait: Callable[[float], Awaitable[None]]
    """Seconds. Raises ConnectionResetError as soon as the other side hangs up."""
    chance: random.Random
    trailing: Reply
    """Another answer, for who reads what was never meant for him."""


class End(Enum):
    """What becomes of the connection."""

    KEEP = "keep"
    CLOSE = "close"
    RESET = "reset"


Send = Callable[[Line, Reply], Awaitable[End]]


@dataclass(frozen=True)
class Sends:
    name: str
    send: Send
    mute: bool = False
    """Whether nothing of the answer can be understood: then it fits every fate of a submit."""


async def whole(line: Line, reply: Reply) -> End:
    await line.write(reply.whole())
    return End.KEEP


def bytes_then(cut: Callable[[Line, Reply], bytes], end: End) -> Send:
    async def send(line: Line, reply: Reply) -> End:
        await line.write(cut(line, reply))
        return end

    return send


def nothing(_: Line, reply: Reply) -> bytes:
    return b""


def head_alone(_: Line, reply: Reply) -> bytes:
    return reply.head(f"Content-Length: {len(reply.body) + 1}")


def half_head(_: Line, reply: Reply) -> bytes:
    return reply.whole()[:30]


def half_body(line: Line, reply: Reply) -> bytes:
    cut = line.chance.randrange(len(reply.body)) if reply.body else 0
    return reply.head(f"Content-Length: {len(reply.body) + 1}") + reply.body[:cut]


def half_without_length(line: Line, reply: Reply) -> bytes:
    return reply.head("Connection: close") + reply.body[: len(reply.body) // 2]


def chunked(_: Line, reply: Reply) -> bytes:
    body = b"".join(b"1\r\n%c\r\n" % byte for byte in reply.body)
    return reply.head("Transfer-Encoding: chunked") + body + b"0\r\n\r\n"


def chunks_cut(line: Line, reply: Reply) -> bytes:
    return chunked(line, reply)[:-8]


def noise(line: Line, _: Reply) -> bytes:
    return line.chance.randbytes(200)


def another_protocol(_line: Line, _: Reply) -> bytes:
    return b"220 mail.example.com ESMTP ready\r\n"


def unpacked(_: Line, reply: Reply) -> bytes:
    packed = gzip.compress(reply.body, mtime=0)
    return replace(reply, body=packed, headers=(*reply.headers, "Content-Encoding: gzip")).whole()


def packed_badly(_: Line, reply: Reply) -> bytes:
    packed = gzip.compress(reply.body, mtime=0)[:10] + b"\xff" * 30
    return replace(reply, body=packed, headers=(*reply.headers, "Content-Encoding: gzip")).whole()


def five_thousand_headers(_: Line, reply: Reply) -> bytes:
    return replace(reply, headers=(*reply.headers, *(f"X{n}: 1" for n in range(5000)))).whole()


def hints_first(_: Line, reply: Reply) -> bytes:
    return b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + reply.whole()


def two_answers(line: Line, reply: Reply) -> bytes:
    return reply.whole() + line.trailing.whole()


async def silence(line: Line, _: Reply) -> End:
    await line.wait(5)
    return End.CLOSE


async def late(line: Line, reply: Reply) -> End:
    await line.wait(line.chance.uniform(0, 0.7))
    await line.write(reply.whole())
    return End.KEEP


async def drip(line: Line, reply: Reply) -> End:
    await line.write(reply.head(f"Content-Length: {len(reply.body) + 200}"))
    for byte in reply.body + b" " * 200:
        await line.write(bytes([byte]))
        await line.wait(0.02)
    return End.CLOSE


async def without_end(line: Line, reply: Reply) -> End:
    await line.write(reply.head(f"Content-Length: {10**8}"))
    for _ in range(300):
        await line.write(b" " * 2**15)
    return End.CLOSE


SENDS = (
    *(
        Sends(f"{cut.__name__}, {end.value}", bytes_then(cut, end), mute=cut is not half_body)
        for cut in (nothing, half_head, head_alone, half_body)
        for end in (End.CLOSE, End.RESET)
    ),
    Sends("half without length", bytes_then(half_without_length, End.CLOSE)),
    Sends("chunks of a byte", bytes_then(chunked, End.KEEP)),
    Sends("chunks cut", bytes_then(chunks_cut, End.CLOSE)),
    Sends("noise", bytes_then(noise, End.CLOSE), mute=True),
    Sends("another protocol", bytes_then(another_protocol, End.CLOSE), mute=True),
    Sends("packed", bytes_then(unpacked, End.KEEP)),
    Sends("packed badly", bytes_then(packed_badly, End.KEEP)),
    Sends("5,000 headers", bytes_then(five_thousand_headers, End.KEEP)),
    Sends("early hints", bytes_then(hints_first, End.KEEP)),
    Sends("closed unannounced", bytes_then(lambda _, reply: reply.whole(), End.CLOSE)),
    Sends("two answers", bytes_then(two_answers, End.KEEP)),
    Sends("silence", silence, mute=True),
    Sends("late", late),
    Sends("drip", drip, mute=True),
    Sends("without end", without_end, mute=True),
)
WHOLE = Sends("whole", whole)
