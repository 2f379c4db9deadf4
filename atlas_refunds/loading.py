"""Connections are made at the first call, so that an import loads neither httpx nor httpcore."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextvars import Context
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, cast

import attrs

from .arguments import family
from .errors import ConfigurationError
from .events import log
from .proxies import checked_proxy
from .transport import Connections

if TYPE_CHECKING:
    import ssl

    import aiohttp
    import httpcore
    import httpx


@attrs.define(eq=False)
class Own:
    """Makes our own connections, one set for each event loop; certificates and proxy are read once."""

    url: str
    max_idle: int
    max_body: int
    proxy: str | None = attrs.field(repr=False)
    tls: "ssl.SSLContext | None" = attrs.field(repr=False)
    trust_env: bool
    _read: "tuple[ssl.SSLContext | None, httpcore.Proxy | None] | None" = attrs.field(default=None, init=False)

    async def __call__(self) -> Connections:
        """What takes milliseconds to import, or to read from disk, does so off the event loop."""
        if self._read is None:  # in a context of its own: below anyio, ours says that its loop runs in this thread
            loading = asyncio.get_running_loop().run_in_executor(None, Context().run, self._load)
            self._read = await loading
        from .connections import OwnConnections

        tls, proxy = self._read
        return OwnConnections(self.max_idle, self.max_body, tls, proxy)

    def _load(self) -> "tuple[ssl.SSLContext | None, httpcore.Proxy | None]":
        import anyio
        import httpx

        from . import proxies

        anyio.run(anyio.sleep, 0)  # loads the half of anyio that httpcore's locks want under a running loop
        import_module("dateutil.parser")  # which the first date in an answer wants
        import_module("atlas_refunds.connections")  # which is wanted next
        if self.proxy is None and self.trust_env:
            self.proxy = proxies.of_environment(self.url)
            if self.proxy is not None and self.url.startswith("http:"):
                log.warning("plain http goes through a proxy of the environment, which can read it: set NO_PROXY")
        secure = self.url.startswith("https:")
        tls = self.tls if secure else None
        if tls is None and secure:
            try:
                tls = httpx.create_ssl_context(trust_env=self.trust_env)
            except OSError as error:
                raise ConfigurationError(
                    f"the certificates of SSL_CERT_FILE or SSL_CERT_DIR cannot be read: {error.strerror}"
                ) from None
        if tls is not None:
            tls.set_alpn_protocols(["http/1.1"])
        return tls, None if self.proxy is None else proxies.for_httpcore(self.proxy)


def connecting(
    url: str,
    client: "httpx.AsyncClient | aiohttp.ClientSession | None",
    max_idle: int,
    max_body: int,
    proxy: str | None,
    tls: "ssl.SSLContext | None",
    trust_env: bool,
) -> Callable[[], Awaitable[Connections]]:
    """How connections are made at the first call. Raises ConfigurationError for what cannot work."""
    if tls is not None and "ssl.SSLContext" not in {f"{kind.__module__}.{kind.__name__}" for kind in type(tls).__mro__}:
        raise ConfigurationError(
            f"tls: give an ssl.SSLContext, such as ssl.create_default_context(cafile=...), not {type(tls).__name__}"
        )
    if client is not None and (proxy is not None or tls is not None):
        raise ConfigurationError("http_client: it has its own proxy and TLS; give it, or proxy= and tls=, not both")
    if client is None:
        return Own(url, max_idle, max_body, proxy and checked_proxy(proxy), tls, trust_env)
    family(client)
    return partial(borrowed, client, max_body)


async def borrowed(client: "httpx.AsyncClient | aiohttp.ClientSession", max_body: int) -> Connections:
    """A client that the user made, so its library is there already."""
    if family(client) == "aiohttp":
        from .sessions import BorrowedSession

        return BorrowedSession(cast("aiohttp.ClientSession", client), max_body)
    from .borrowed import BorrowedClient

    return BorrowedClient(cast("httpx.AsyncClient", client), sys.modules[family(client)], max_body)
