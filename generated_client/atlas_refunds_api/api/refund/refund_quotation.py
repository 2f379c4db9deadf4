from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.refund_quotation_request import RefundQuotationRequest
from ...models.refund_quotation_response import RefundQuotationResponse
from ...types import Response


def _get_kwargs(
    *,
    body: RefundQuotationRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/refundQuotation.do",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> RefundQuotationResponse | None:
    if response.status_code == 200:
        response_200 = RefundQuotationResponse.from_json(response.content)

        return response_200

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[RefundQuotationResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: RefundQuotationRequest,
) -> Response[RefundQuotationResponse]:
    """Refund Quotation

     **Dependency**
    No preceding function needs to be carried out.

    > ### Introduction
    > The Refund section includes a series of steps required for refunds, including requesting a refund
    quote, submitting the refund, and returning the refund status and results. This service supports the
    submission of requests for cancellation that require Atlas to process or for refunds that need to be
    executed by Atlas. It also allows a variety of cancellation and refund types, including voluntary,
    involuntary and void, etc.
    > ### Features
    >   - Refund reason: Voluntary, Involuntary, Void
    >   - Service Level:
    >      &#9702; Our refund quotations fall into three scenarios:
    >        a. We can obtain an accurate quotation from the airline and will quote it directly to you;
    >        b. We cannot obtain an accurate quotation through the airline. You can still submit the
    refund request, then we will process the refund, but the refund amount will be based on the actual
    amount refunded by the airline;
    >        c. Unrefundable
    >      &#9702; Our refund service includes the below steps,
    >        a. Atlas submits the refund request to the airline: We provide a service time guarantee;
    >        b. Airline processes the refund request and responds with the result, and airline executes
    the refund. The duration for 2 steps depends on the airline's processing speed, and we will provide
    an estimated reference time based on our experience in handling such cases.
    >
    > Please note the below while initiating a refund transaction.
    >   1. **Refund of either inbound or outbound sector**: The full ticket needs to be refunded. Only
    outbound OR inbound sector cannot be refunded. Please contact the airline for the same.
    >   2. **Refund for a partially used itinerary**: Partially used itinerary cannot be refunded.
    Please contact the airline for the same.
    >   3. **Refund for a specific passenger**: We support the refund of a specific passenger in an
    itinerary. For example, if there are 3 passengers and only one of them is to be refunded, please
    send us your refund request.
    >   4. Apart from voluntary, involuntary and void, we currently do not support other types of
    refunds, such as medical or death refunds. Please contact customer service for manual assistance.
    >   5. The customer is responsible to check whether the traveler has already made ancillary purchase
    in the transaction.
    >   6. No email notifications will be sent for refunds rejected by Atlas.

    **Endpoint:**
    https://sandbox.atriptech.com/refundQuotation.do

    Args:
        body (RefundQuotationRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[RefundQuotationResponse]
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
    body: RefundQuotationRequest,
) -> RefundQuotationResponse | None:
    """Refund Quotation

     **Dependency**
    No preceding function needs to be carried out.

    > ### Introduction
    > The Refund section includes a series of steps required for refunds, including requesting a refund
    quote, submitting the refund, and returning the refund status and results. This service supports the
    submission of requests for cancellation that require Atlas to process or for refunds that need to be
    executed by Atlas. It also allows a variety of cancellation and refund types, including voluntary,
    involuntary and void, etc.
    > ### Features
    >   - Refund reason: Voluntary, Involuntary, Void
    >   - Service Level:
    >      &#9702; Our refund quotations fall into three scenarios:
    >        a. We can obtain an accurate quotation from the airline and will quote it directly to you;
    >        b. We cannot obtain an accurate quotation through the airline. You can still submit the
    refund request, then we will process the refund, but the refund amount will be based on the actual
    amount refunded by the airline;
    >        c. Unrefundable
    >      &#9702; Our refund service includes the below steps,
    >        a. Atlas submits the refund request to the airline: We provide a service time guarantee;
    >        b. Airline processes the refund request and responds with the result, and airline executes
    the refund. The duration for 2 steps depends on the airline's processing speed, and we will provide
    an estimated reference time based on our experience in handling such cases.
    >
    > Please note the below while initiating a refund transaction.
    >   1. **Refund of either inbound or outbound sector**: The full ticket needs to be refunded. Only
    outbound OR inbound sector cannot be refunded. Please contact the airline for the same.
    >   2. **Refund for a partially used itinerary**: Partially used itinerary cannot be refunded.
    Please contact the airline for the same.
    >   3. **Refund for a specific passenger**: We support the refund of a specific passenger in an
    itinerary. For example, if there are 3 passengers and only one of them is to be refunded, please
    send us your refund request.
    >   4. Apart from voluntary, involuntary and void, we currently do not support other types of
    refunds, such as medical or death refunds. Please contact customer service for manual assistance.
    >   5. The customer is responsible to check whether the traveler has already made ancillary purchase
    in the transaction.
    >   6. No email notifications will be sent for refunds rejected by Atlas.

    **Endpoint:**
    https://sandbox.atriptech.com/refundQuotation.do

    Args:
        body (RefundQuotationRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        RefundQuotationResponse
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: RefundQuotationRequest,
) -> Response[RefundQuotationResponse]:
    """Refund Quotation

     **Dependency**
    No preceding function needs to be carried out.

    > ### Introduction
    > The Refund section includes a series of steps required for refunds, including requesting a refund
    quote, submitting the refund, and returning the refund status and results. This service supports the
    submission of requests for cancellation that require Atlas to process or for refunds that need to be
    executed by Atlas. It also allows a variety of cancellation and refund types, including voluntary,
    involuntary and void, etc.
    > ### Features
    >   - Refund reason: Voluntary, Involuntary, Void
    >   - Service Level:
    >      &#9702; Our refund quotations fall into three scenarios:
    >        a. We can obtain an accurate quotation from the airline and will quote it directly to you;
    >        b. We cannot obtain an accurate quotation through the airline. You can still submit the
    refund request, then we will process the refund, but the refund amount will be based on the actual
    amount refunded by the airline;
    >        c. Unrefundable
    >      &#9702; Our refund service includes the below steps,
    >        a. Atlas submits the refund request to the airline: We provide a service time guarantee;
    >        b. Airline processes the refund request and responds with the result, and airline executes
    the refund. The duration for 2 steps depends on the airline's processing speed, and we will provide
    an estimated reference time based on our experience in handling such cases.
    >
    > Please note the below while initiating a refund transaction.
    >   1. **Refund of either inbound or outbound sector**: The full ticket needs to be refunded. Only
    outbound OR inbound sector cannot be refunded. Please contact the airline for the same.
    >   2. **Refund for a partially used itinerary**: Partially used itinerary cannot be refunded.
    Please contact the airline for the same.
    >   3. **Refund for a specific passenger**: We support the refund of a specific passenger in an
    itinerary. For example, if there are 3 passengers and only one of them is to be refunded, please
    send us your refund request.
    >   4. Apart from voluntary, involuntary and void, we currently do not support other types of
    refunds, such as medical or death refunds. Please contact customer service for manual assistance.
    >   5. The customer is responsible to check whether the traveler has already made ancillary purchase
    in the transaction.
    >   6. No email notifications will be sent for refunds rejected by Atlas.

    **Endpoint:**
    https://sandbox.atriptech.com/refundQuotation.do

    Args:
        body (RefundQuotationRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[RefundQuotationResponse]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: RefundQuotationRequest,
) -> RefundQuotationResponse | None:
    """Refund Quotation

     **Dependency**
    No preceding function needs to be carried out.

    > ### Introduction
    > The Refund section includes a series of steps required for refunds, including requesting a refund
    quote, submitting the refund, and returning the refund status and results. This service supports the
    submission of requests for cancellation that require Atlas to process or for refunds that need to be
    executed by Atlas. It also allows a variety of cancellation and refund types, including voluntary,
    involuntary and void, etc.
    > ### Features
    >   - Refund reason: Voluntary, Involuntary, Void
    >   - Service Level:
    >      &#9702; Our refund quotations fall into three scenarios:
    >        a. We can obtain an accurate quotation from the airline and will quote it directly to you;
    >        b. We cannot obtain an accurate quotation through the airline. You can still submit the
    refund request, then we will process the refund, but the refund amount will be based on the actual
    amount refunded by the airline;
    >        c. Unrefundable
    >      &#9702; Our refund service includes the below steps,
    >        a. Atlas submits the refund request to the airline: We provide a service time guarantee;
    >        b. Airline processes the refund request and responds with the result, and airline executes
    the refund. The duration for 2 steps depends on the airline's processing speed, and we will provide
    an estimated reference time based on our experience in handling such cases.
    >
    > Please note the below while initiating a refund transaction.
    >   1. **Refund of either inbound or outbound sector**: The full ticket needs to be refunded. Only
    outbound OR inbound sector cannot be refunded. Please contact the airline for the same.
    >   2. **Refund for a partially used itinerary**: Partially used itinerary cannot be refunded.
    Please contact the airline for the same.
    >   3. **Refund for a specific passenger**: We support the refund of a specific passenger in an
    itinerary. For example, if there are 3 passengers and only one of them is to be refunded, please
    send us your refund request.
    >   4. Apart from voluntary, involuntary and void, we currently do not support other types of
    refunds, such as medical or death refunds. Please contact customer service for manual assistance.
    >   5. The customer is responsible to check whether the traveler has already made ancillary purchase
    in the transaction.
    >   6. No email notifications will be sent for refunds rejected by Atlas.

    **Endpoint:**
    https://sandbox.atriptech.com/refundQuotation.do

    Args:
        body (RefundQuotationRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        RefundQuotationResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
