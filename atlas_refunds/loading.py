"""Connections are made at the first call, so that an import loads neither httpx nor httpcore."""

import asyncio
import sys
from importlib import import_module
from typing import TYPE_CHECKING, cast

from .transport import Connections

if TYPE_CHECKING:
    import aiohttp
    import httpx


async def own(max_idle: int, tls: bool) -> Connections:
    """Our own connections. What takes milliseconds to import, or to read from disk, does so off the event loop."""

    def load() -> Connections:
        import anyio

        from .connections import OwnConnections

        anyio.run(anyio.sleep, 0)  # loads the half of anyio that httpcore's locks want under a running loop
        import_module("dateutil.parser")  # which the first date in an answer wants
        return OwnConnections(max_idle, tls=tls)

    return await asyncio.to_thread(load)


async def borrowed(client: "httpx.AsyncClient | aiohttp.ClientSession") -> Connections:
    """A client that the user made, so its library is there already."""
    if "aiohttp" in sys.modules:
        import aiohttp

        if isinstance(client, aiohttp.ClientSession):
            from .sessions import BorrowedSession

            return BorrowedSession(client)
    from .connections import BorrowedClient

    return BorrowedClient(cast("httpx.AsyncClient", client))
