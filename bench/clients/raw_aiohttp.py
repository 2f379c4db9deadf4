"""aiohttp and json.loads, as one would write it by hand."""

import json
from decimal import Decimal
from typing import Any

import aiohttp

from . import BODY, HEADERS, PATH


def make(base_url: str) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(base_url, headers=HEADERS)


async def query(client: aiohttp.ClientSession) -> Any:
    async with client.post(PATH, json=BODY) as answer:
        answer.raise_for_status()
        return json.loads(await answer.read())


async def close(client: aiohttp.ClientSession) -> None:
    await client.close()


def status(answer: Any) -> int:
    return int(answer["refundOrders"][0]["refundStatus"])


def decode(content: bytes) -> Any:
    return json.loads(content, parse_float=Decimal)
