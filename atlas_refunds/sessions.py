"""Connections of an aiohttp session that the user made."""

import aiohttp

from .bodies import collected
from .envelope import Answer
from .errors import ConfigurationError
from .transport import Request


class BorrowedSession:
    """Its proxies, trace configs and connector apply, and it stays the user's to close."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def send(self, url: str, request: Request) -> Answer:
        if self._session.closed:
            raise ConfigurationError("the http_client is closed")
        request.trail.start(handed_over=True)
        async with self._session.post(
            url,
            data=request.content,
            headers=request.headers,
            allow_redirects=False,
            auto_decompress=False,
            raise_for_status=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=request.connect_timeout.total_seconds()),
        ) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            body = await collected(response.content.iter_any(), response.status, headers, request.trail.received)
            return Answer(response.status, headers, body)

    def not_sent(self, error: Exception, request: Request) -> bool:
        """aiohttp raises these before it has a connection; whatever happens on one has other classes."""
        return isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.InvalidURL)

    async def aclose(self) -> None:
        """Nothing to do: it is not ours."""
