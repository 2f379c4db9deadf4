"""The body of an answer, whole, decoded, and in bounded memory whatever is sent."""

import zlib
from collections.abc import AsyncIterable, Mapping

from .errors import BadResponseError

MAX_BODY = 8 * 1024 * 1024  # bytes; the largest published answer has 1.5 kB


async def collected(
    chunks: AsyncIterable[bytes], http_status: int, headers: Mapping[str, str], body: bytearray
) -> bytes:
    """Header names in lower case; `body` is filled on the way, so that what came before a failure is not lost.

    Raises BadResponseError with what was decoded so far.
    """

    def bad(problem: str) -> BadResponseError:
        return BadResponseError(problem, http_status=http_status, content=bytes(body))

    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip", ""):
        raise bad(f"its compression {encoding[:20]!r} was not asked for")
    inflate = zlib.decompressobj(wbits=31) if "gzip" in encoding else None
    try:
        async for chunk in chunks:
            body += inflate.decompress(chunk, MAX_BODY + 1 - len(body)) if inflate else chunk
            if len(body) > MAX_BODY:
                body.clear()
                raise bad("it is too large")
    except zlib.error:
        raise bad("its compression is broken") from None
    if inflate and body and not inflate.eof:
        raise bad("its compression is cut off")
    return bytes(body)
