"""Connections of an aiohttp session that the user made."""

from urllib.parse import urlsplit

import aiohttp

from .bodies import collected
from .envelope import Answer
from .errors import ConfigurationError
from .transport import Request

NOT_CONNECTED = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,  # a tunnel was refused
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)
"""What aiohttp raises before it has a connection; whatever happens on one has other classes."""


def alone(url: str) -> str | None:
    """For a connection that no quote or query has used: the session keeps connections by this name too."""
    return urlsplit(url).hostname


class BorrowedSession:
    """Its proxies, trace configs and connector apply, and it stays the user's to close."""

    through = ""

    def __init__(self, session: aiohttp.ClientSession, max_body: int) -> None:
        self._session, self._max_body = session, max_body

    async def send(self, url: str, request: Request) -> Answer:
        if self._session.closed:
            raise ConfigurationError("the http_client is closed")
        request.trail.may_have_left = True
        try:
            async with self._session.post(
                url,
                data=request.content,
                headers=request.headers,
                allow_redirects=False,
                auto_decompress=False,
                raise_for_status=False,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=request.connect_timeout.total_seconds()),
                server_hostname=alone(url) if request.once else None,
            ) as response:
                headers = {name.lower(): value for name, value in response.headers.items()}
                body = await collected(
                    response.content.iter_any(), response.status, headers, request.trail.received, self._max_body
                )
                return Answer(response.status, headers, body)
        except NOT_CONNECTED:
            request.trail.may_have_left = False
            raise

    async def aclose(self) -> None:
        """Nothing to do: it is not ours."""
