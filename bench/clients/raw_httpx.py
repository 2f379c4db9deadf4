"""httpx and json.loads, as one would write it by hand; what everything else is compared with."""

import json
from decimal import Decimal
from typing import Any

import httpx

from . import BODY, HEADERS, PATH


def make(base_url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=base_url, headers=HEADERS)


async def query(client: httpx.AsyncClient) -> Any:
    answer = await client.post(PATH, json=BODY)
    answer.raise_for_status()
    return answer.json()


def status(answer: Any) -> int:
    return int(answer["refundOrders"][0]["refundStatus"])


async def close(client: httpx.AsyncClient) -> None:
    await client.aclose()


def decode(content: bytes) -> Any:
    return json.loads(content, parse_float=Decimal)
