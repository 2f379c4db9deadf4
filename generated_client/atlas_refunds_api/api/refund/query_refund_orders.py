from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.query_refund_orders_request import QueryRefundOrdersRequest
from ...models.query_refund_orders_response import QueryRefundOrdersResponse
from ...types import Response


def _get_kwargs(
    *,
    body: QueryRefundOrdersRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/queryRefundOrders.do",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> QueryRefundOrdersResponse | None:
    if response.status_code == 200:
        response_200 = QueryRefundOrdersResponse.from_json(response.content)

        return response_200

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[QueryRefundOrdersResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: QueryRefundOrdersRequest,
) -> Response[QueryRefundOrdersResponse]:
    """Query Refund Status

     **Dependency**
    No preceding function needs to be carried out.

    **Endpoint:**
    https://sandbox.atriptech.com/queryRefundOrders.do

    Args:
        body (QueryRefundOrdersRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[QueryRefundOrdersResponse]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    body: QueryRefundOrdersRequest,
) -> QueryRefundOrdersResponse | None:
    """Query Refund Status

     **Dependency**
    No preceding function needs to be carried out.

    **Endpoint:**
    https://sandbox.atriptech.com/queryRefundOrders.do

    Args:
        body (QueryRefundOrdersRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        QueryRefundOrdersResponse
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: QueryRefundOrdersRequest,
) -> Response[QueryRefundOrdersResponse]:
    """Query Refund Status

     **Dependency**
    No preceding function needs to be carried out.

    **Endpoint:**
    https://sandbox.atriptech.com/queryRefundOrders.do

    Args:
        body (QueryRefundOrdersRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[QueryRefundOrdersResponse]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: QueryRefundOrdersRequest,
) -> QueryRefundOrdersResponse | None:
    """Query Refund Status

     **Dependency**
    No preceding function needs to be carried out.

    **Endpoint:**
    https://sandbox.atriptech.com/queryRefundOrders.do

    Args:
        body (QueryRefundOrdersRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        QueryRefundOrdersResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
