"""atlas_refunds over a httpx client that the user made."""

import httpx

from atlas_refunds import AtlasRefunds

from . import ours
from .ours import decode, query, status

__all__ = ["close", "decode", "make", "query", "status"]

INJECTED: dict[AtlasRefunds, httpx.AsyncClient] = {}


def make(base_url: str) -> AtlasRefunds:
    http_client = httpx.AsyncClient()
    client = ours.make(base_url, http_client=http_client)
    INJECTED[client] = http_client
    return client


async def close(client: AtlasRefunds) -> None:
    await client.aclose()
    await INJECTED.pop(client).aclose()
