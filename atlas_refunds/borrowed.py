"""Connections of an httpx or httpx2 client that the user made: used as it is, never closed."""

from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from .bodies import collected
from .connections import lowered
from .envelope import Answer
from .errors import ConfigurationError
from .transport import Request, Trail

if TYPE_CHECKING:
    import httpx

NOT_CONNECTED: Final = frozenset(
    f"{where}.failed"
    for where in (
        "connection.connect_tcp",
        "connection.connect_unix_socket",
        "connection.start_tls",
        "proxy.start_tls",
    )
)
"""Events of httpcore's `trace` extension after which nothing can have left. Their names may change, so any other event
counts as a sign that something may."""


ALONE: Final = {"Connection": "close"}
"""httpx keeps a connection although bytes stand behind its last answer, and takes them for the next one. They must not
be taken for the answer to a submit, so no call leaves it a connection."""


class Progress:
    """Follows a submit through httpx' own transports. Another transport tells nothing: then it counts as sent."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail
        self.is_tunnel = False

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        self._trail.may_have_left = event not in NOT_CONNECTED
        if "request" in info:
            self.is_tunnel = info["request"].method == b"CONNECT"


class BorrowedClient:
    """Its proxies, hooks and headers apply, and it stays the user's to close."""

    through = ""

    def __init__(self, client: "httpx.AsyncClient", library: ModuleType, max_body: int) -> None:
        self._client, self._library, self._max_body = client, library, max_body

    async def send(self, url: str, request: Request) -> Answer:
        if self._client.is_closed:
            raise ConfigurationError("the http_client is closed")
        progress = Progress(request.trail)
        extensions = {"timeout": request.limits(), **({"trace": progress} if request.once else {})}
        headers = {**request.headers, **ALONE}
        wire = self._client.build_request("POST", url, headers=headers, content=request.content, extensions=extensions)
        request.trail.may_have_left = True
        try:
            response = await self._client.send(wire, stream=True, follow_redirects=False, **self._auth(request))
        except self._library.HTTPError as error:
            if self._proves_not_sent(error, request, progress):
                request.trail.may_have_left = False
            raise
        try:
            chunks: AsyncIterable[bytes]
            headers = lowered(response.headers.raw)
            if response.is_stream_consumed:  # an event hook of the user's, or a mock, has read and unpacked it
                chunks = once(response.content)
                headers.pop("content-encoding", None)
            else:
                chunks = response.aiter_raw()
            body = await collected(chunks, response.status_code, headers, request.trail.received, self._max_body)
            return Answer(response.status_code, headers, body)
        finally:
            await response.aclose()

    def _auth(self, request: Request) -> dict[str, Any]:
        """A flow of several requests could send a submit twice: for that, only what is a header of the first."""
        basic = isinstance(self._client.auth, self._library.BasicAuth)
        return {"auth": None} if request.once and not basic else {}

    def _proves_not_sent(self, error: BaseException, request: Request, progress: Progress) -> bool:
        """A transport that is not httpx' own may call any lost connection a failed connect, httpx-aiohttp does: for a
        submit that word is not enough, the trace has to have seen it."""
        library = self._library
        if request.once:
            return progress.is_tunnel and isinstance(error, library.ProxyError)
        return isinstance(
            error,
            library.ConnectError | library.ConnectTimeout | library.PoolTimeout | library.ProxyError,
        )

    async def aclose(self) -> None:
        """Nothing to do: it is not ours."""


async def once(content: bytes) -> AsyncGenerator[bytes]:
    yield content
