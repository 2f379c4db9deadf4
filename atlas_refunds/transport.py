"""One request out, one whole answer back, and the knowledge whether it can have reached Atlas."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

import attrs
from atlas_refunds_api.types import Model

from .envelope import Answer
from .errors import BadResponseError, ConfigurationError, NoAnswerError, NotSentError
from .loops import PerLoop
from .reasons import family, is_of_network, quotes, why

E = TypeVar("E", bound=BaseException)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Request(Model):
    """One call, ready to be sent."""

    name: str
    path: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    content: bytes = attrs.field(repr=False)
    timeout: timedelta
    connect_timeout: timedelta
    once: bool = False
    """Must not be executed twice: goes on a new connection, for a kept one can fail after the bytes have left."""
    trail: "Trail" = attrs.field(factory=lambda: Trail(), eq=False, repr=False)

    def limits(self) -> dict[str, float]:
        """For httpx and httpcore, which know no limit for a call as a whole."""
        whole = self.timeout.total_seconds()
        return {"connect": self.connect_timeout.total_seconds(), "read": whole, "write": whole, "pool": whole}


class Trail:
    """What one request did: can its first byte have left, and what came back?"""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.may_have_left = False
        """Set by who writes, before the first byte is written; or when somebody else gets the request to write it."""
        self.received = bytearray()


class Connections(Protocol):
    """Where requests go, in one event loop."""

    through: str
    """For error texts: by which proxy, if it is known."""

    async def send(self, url: str, request: Request) -> Answer:
        """When it fails, `request.trail` tells whether a byte may have left."""
        ...

    async def aclose(self) -> None: ...


class _Here:
    """What one event loop has."""

    def __init__(self) -> None:
        self.connecting = asyncio.Lock()
        self.connections: Connections | None = None
        self.ends_with_the_loop: AsyncGenerator[None] | None = None


class Transport:
    """Sends requests below one base URL."""

    def __init__(self, base_url: str, connect: Callable[[], Awaitable[Connections]]) -> None:
        self._base_url, self._connect = base_url, connect
        parts = urlsplit(base_url)
        self._host = f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
        self._loops = PerLoop(_Here)
        self._closed = False

    def url(self, request: Request) -> str:
        return self._base_url + request.path

    def check_open(self) -> None:
        if self._closed:
            raise ConfigurationError("this client is closed: make a new one, where your service starts (its lifespan)")

    async def send(self, request: Request) -> Answer:
        """One attempt, one answer.

        Raises NotSentError (provably before the first byte), NoAnswerError (anything later), BadResponseError (an
        answer too large or with broken compression). Cancellation passes through, and so does a programming error, in
        a hook of the user's for instance; `request.trail` tells what they hit.
        """
        self.check_open()
        request.trail.begin()
        here = self._loops.here()
        connections = here.connections
        try:
            async with asyncio.timeout(request.timeout.total_seconds()):
                connections = connections or await self._connected(here)
                return await connections.send(self.url(request), request)
        except (asyncio.CancelledError, BadResponseError) as error:
            raise bare(error)  # noqa: B904  (the same one)
        except Exception as error:
            if type(error) is RuntimeError and "loop" in str(error) and not request.once:  # asyncio says it no better
                raise ConfigurationError("http_client: it belongs to another event loop; make one in each") from None
            if not is_of_network(error):
                raise
            failure = self._failed(request, bare(error), connections.through if connections else "")
        raise failure

    def _failed(self, request: Request, error: Exception, through: str) -> NotSentError | NoAnswerError:
        failure: NotSentError | NoAnswerError
        is_ours = type(error) is TimeoutError and not error.errno
        reason = f"not within {request.timeout.total_seconds():g} s" if is_ours else why(error)
        if request.trail.may_have_left:
            text = (
                f"{request.name}: no answer from {self._host}{through}: {reason}; Atlas may have received the request"
            )
            failure = NoAnswerError(text, content=bytes(request.trail.received))
        else:
            failure = NotSentError(
                f"{request.name}: cannot connect to {self._host}{through}: {reason}; nothing was sent"
            )
        failure.__cause__ = None if quotes(error) else error
        return failure

    async def aclose(self) -> None:
        """Close our connections; a client that was passed in stays open."""
        self._closed = True
        here = self._loops.here()
        if here.ends_with_the_loop is not None:
            await here.ends_with_the_loop.aclose()
        for loop, other in self._loops.elsewhere():
            if other.ends_with_the_loop is not None and loop.is_running():
                asyncio.run_coroutine_threadsafe(other.ends_with_the_loop.aclose(), loop)
        self._loops.clear()

    async def _connected(self, here: _Here) -> Connections:
        async with here.connecting:
            if here.connections is None:
                connections = await self._connect()
                here.ends_with_the_loop = closing(connections)
                await anext(here.ends_with_the_loop)
                here.connections = connections
        return here.connections


async def closing(connections: Connections) -> AsyncGenerator[None]:
    """An event loop that is shut down closes its asynchronous generators, and so these connections."""
    try:
        yield
    finally:
        await connections.aclose()


def bare(error: E) -> E:
    """Without frames, and so its causes: requests are in their local variables, and error trackers send those."""
    for each in family(error):
        each.__traceback__ = None
    return error
