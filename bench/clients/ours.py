"""atlas_refunds as it comes, but for the rate limit: typed answers, retries, events and all."""

from datetime import UTC, datetime
from typing import Any

from atlas_refunds_api import types as wire

from atlas_refunds import AtlasRefunds, Credentials, OrderNo, RateLimit, RefundState
from atlas_refunds.envelope import Answer, settle

from . import BODY

CREDENTIALS = Credentials("bench", "bench-secret")
ORDER = OrderNo(BODY["orderNo"])
NO_LIMIT = RateLimit(per_second=1e9, burst=10**9)
NOW = datetime(2025, 5, 13, tzinfo=UTC)


def make(base_url: str, **settings: Any) -> AtlasRefunds:
    return AtlasRefunds(CREDENTIALS, base_url=base_url, limit=NO_LIMIT, **settings)


async def query(client: AtlasRefunds) -> list[RefundState]:
    return await client.query(ORDER, BODY["refundCode"], display_currency=BODY["displayCurrency"])


def status(answer: list[RefundState]) -> int:
    assert answer[0].refund_status is not None  # noqa: S101
    return int(answer[0].refund_status.value)


async def close(client: AtlasRefunds) -> None:
    await client.aclose()


def decode(content: bytes) -> tuple[RefundState, ...]:
    """What a query does between bytes and answer."""
    body = settle(Answer(200, {}, content), "query", NOW)
    return wire.many(body, "refundOrders", lambda listed: RefundState.from_dict(listed, order=ORDER))
