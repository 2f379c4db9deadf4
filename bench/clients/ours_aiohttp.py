"""atlas_refunds over an aiohttp session that the user made."""

import aiohttp

from atlas_refunds import AtlasRefunds

from . import ours
from .ours import decode, query, status

__all__ = ["close", "decode", "make", "query", "status"]

INJECTED: dict[AtlasRefunds, aiohttp.ClientSession] = {}


def make(base_url: str) -> AtlasRefunds:
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    client = ours.make(base_url, http_client=session)
    INJECTED[client] = session
    return client


async def close(client: AtlasRefunds) -> None:
    await client.aclose()
    await INJECTED.pop(client).close()
