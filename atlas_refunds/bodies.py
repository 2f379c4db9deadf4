"""The body of an answer, whole, decoded, and in bounded memory whatever is sent."""

import asyncio
import zlib
from collections.abc import AsyncIterable, Mapping
from typing import Final

from .errors import BadResponseError

MAX_BODY: Final = 1024 * 1024  # bytes; the largest published answer has 1.5 kB
TURN: Final = 64  # chunks after which others have their turn, for chunks can be single bytes that are there already


async def collected(
    chunks: AsyncIterable[bytes], http_status: int, headers: Mapping[str, str], body: bytearray, most: int
) -> bytes:
    """Header names in lower case; `body` is filled on the way, so that what came before a failure is not lost.

    Raises BadResponseError with what was decoded so far, nothing where there are more than `most` bytes.
    """

    def bad(problem: str) -> BadResponseError:
        return BadResponseError(problem, http_status=http_status, content=bytes(body))

    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip", ""):
        raise bad("its compression was not asked for")
    inflate = zlib.decompressobj(wbits=31) if "gzip" in encoding else None
    count = 0
    try:
        async for chunk in chunks:
            body += inflate.decompress(chunk, most + 1 - len(body)) if inflate else chunk
            if len(body) > most:
                body.clear()
                raise bad(f"it is too large, above {most} bytes")
            count += 1
            if not count % TURN:
                await asyncio.sleep(0)
    except zlib.error:
        raise bad("its compression is broken") from None
    finally:
        chunk = b""  # no frame of a traceback may hold what Atlas wrote: error trackers send locals
    if inflate and count and (not inflate.eof or inflate.unused_data):
        raise bad("something stands behind its compression" if inflate.eof else "its compression is cut off")
    return bytes(body)
