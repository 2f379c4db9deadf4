"""atlas_refunds over httpx over aiohttp, by a transport that others keep."""

import httpx_aiohttp

from atlas_refunds import AtlasRefunds

from . import ours
from .ours import decode, query, status
from .ours_injected import INJECTED, close

__all__ = ["close", "decode", "make", "query", "status"]


def make(base_url: str) -> AtlasRefunds:
    http_client = httpx_aiohttp.HttpxAiohttpClient()
    client = ours.make(base_url, http_client=http_client)
    INJECTED[client] = http_client
    return client
