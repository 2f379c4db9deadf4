"""The generated low-level client: what it shows, how long it waits, and that its endpoints work."""

import asyncio

import httpx
import pytest
from atlas_refunds_api import AuthenticatedClient, Client
from atlas_refunds_api.api.refund import query_refund_orders
from atlas_refunds_api.models import QueryRefundOrdersRequest

SECRETS = {"x-atlas-client-id": "canary-id", "x-atlas-client-secret": "canary-secret"}


@pytest.mark.parametrize("secret", ["canary-id", "canary-secret", "canary-token", "canary-cookie", "canary-proxy"])
def test_no_secret_shows(secret: str) -> None:
    more = {"headers": SECRETS, "cookies": {"c": "canary-cookie"}, "httpx_args": {"proxy": "http://u:canary-proxy@p"}}
    for client in (
        Client("https://atlas.example", **more),  # type: ignore[arg-type]
        AuthenticatedClient("https://atlas.example", "canary-token", **more),  # type: ignore[arg-type]
    ):
        assert "https://atlas.example" in repr(client)
        assert secret not in repr(client)
        assert secret not in repr(client.with_headers({"x": secret}).with_cookies({"y": secret}))


def test_it_does_not_wait_for_ever() -> None:
    for client in (Client("https://atlas.example"), AuthenticatedClient("https://atlas.example", "t")):
        with client:
            limits = client.get_httpx_client().timeout.as_dict()
        assert None not in limits.values()


def test_an_endpoint_sends_and_reads() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=b'{"status": 0, "refundOrders": [{"refundCode": "202505-0012"}]}')

    transport = {"transport": httpx.MockTransport(answer)}
    body = QueryRefundOrdersRequest(order_no="X1", airline_pnr=None, carrier=None, refund_code="202505-0012")
    with AuthenticatedClient("https://atlas.example", "t", headers=SECRETS, httpx_args=transport) as client:
        found = query_refund_orders.sync(client=client, body=body)

    async def again() -> object:
        async with Client("https://atlas.example", headers=SECRETS, httpx_args=transport) as client:
            return await query_refund_orders.asyncio(client=client, body=body)

    assert found is not None
    assert [order.refund_code for order in found.refund_orders] == ["202505-0012"]
    assert asyncio.run(again()) == found
    assert [request.headers.get("authorization") for request in seen] == ["Bearer t", None]
    assert all(request.headers["x-atlas-client-secret"] == "canary-secret" for request in seen)
