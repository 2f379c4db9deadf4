"""What openapi-generator's python generator makes, library asyncio: aiohttp and pydantic."""

import json
from typing import Any

from generator_peer import (
    ApiClient,
    Configuration,
    QueryRefundOrdersRequest,
    QueryRefundOrdersResponse1,
    RefundApi,
)

from . import BODY, HEADERS


def make(base_url: str) -> Any:
    client = ApiClient(Configuration(host=base_url))
    for name, value in HEADERS.items():
        client.set_default_header(name, value)
    return RefundApi(client)


async def query(client: Any) -> Any:
    return await client.query_refund_orders(QueryRefundOrdersRequest.from_dict(BODY))


def status(answer: Any) -> int:
    return int(answer.refund_orders[0].refund_status)


async def close(client: Any) -> None:
    await client.api_client.close()


def decode(content: bytes) -> Any:
    return QueryRefundOrdersResponse1.from_dict(json.loads(content))
