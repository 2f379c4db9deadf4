"""The kinds of client that a user can bring, by name; `own` brings none."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import aiohttp
import httpx
import httpx_aiohttp


def httpx2(tls: ssl.SSLContext) -> Any:
    return import_module("httpx2").AsyncClient(verify=tls)


KINDS: dict[str, Callable[[ssl.SSLContext], Any]] = {
    "httpx": lambda tls: httpx.AsyncClient(verify=tls),
    "aiohttp": lambda tls: aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls)),
    "httpx-aiohttp": lambda tls: httpx_aiohttp.HttpxAiohttpClient(verify=tls),
    **({"httpx2": httpx2} if find_spec("httpx2") else {}),
}
NAMES = ("own", *KINDS)


@asynccontextmanager
async def client(kind: str, tls: ssl.SSLContext) -> AsyncIterator[Any]:
    if kind == "own":
        yield None
        return
    async with KINDS[kind](tls) as http:
        yield http
