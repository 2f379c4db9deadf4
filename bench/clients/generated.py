"""What openapi-python-client generates with its own templates."""

import json
from typing import Any

import httpx
from generated_peer import Client
from generated_peer.api.refund import query_refund_orders
from generated_peer.models import (
    QueryRefundOrdersQueryRefundOrdersRequest,
    QueryRefundOrdersQueryRefundOrdersResponse,
)

from . import BODY, HEADERS


def make(base_url: str) -> Any:
    client = Client(base_url=base_url, headers=HEADERS, timeout=httpx.Timeout(5.0))
    client.get_async_httpx_client()
    return client


async def query(client: Any) -> Any:
    body = QueryRefundOrdersQueryRefundOrdersRequest.from_dict(BODY)
    return (await query_refund_orders.asyncio_detailed(client=client, body=body)).parsed


def status(answer: Any) -> int:
    return int(answer.refund_orders[0].refund_status.value)


async def close(client: Any) -> None:
    await client.get_async_httpx_client().aclose()


def decode(content: bytes) -> Any:
    return QueryRefundOrdersQueryRefundOrdersResponse.from_dict(json.loads(content))
