"""The bodies against the published samples, and the amounts in them."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from atlas_refunds.simulator import Simulator

from .conftest import QIAN, ZHAO, Api, sample

CASH = "CashBackToOriginalPayment"


def shape(value: object) -> object:
    """Members in order, with their JSON types; an int and a float are both numbers."""
    match value:
        case dict():
            return [(name, shape(member)) for name, member in value.items()]
        case list():
            return [shape(entry) for entry in value]
        case bool() | str() | None:
            return type(value).__name__
        case _:
            return "number"


async def test_the_published_quote_is_reproduced(api: Api) -> None:
    """SIM-NOT-REFUNDABLE is the order of that sample but for its number, locator and date."""
    published = sample("quote.response")
    answer = await api.quote("SIM-NOT-REFUNDABLE", displayCurrency="EUR")
    own = {"orderNo": answer["orderNo"], "refundOfferId": answer["refundOfferId"]}
    tickets = [ticket | {"ticketNo": "SIM012"} for ticket in published["refundTickets"]]
    assert json.dumps(answer) == json.dumps(published | own | {"refundTickets": tickets})


async def test_the_published_submission_is_reproduced(api: Api) -> None:
    published = sample("submit.response")
    people = Api.people("SIM-CANNOT-QUOTE", refundReason="0")
    quote = await api.quote("SIM-CANNOT-QUOTE", refundRequestList=people)
    answer = await api.submit("SIM-CANNOT-QUOTE", refundOfferId=quote["refundOfferId"], displayCurrency="EUR")
    own = {name: answer[name] for name in ("orderNo", "refundOfferId", "refundCode")}
    tickets = [ticket | {"ticketNo": "SIM011"} for ticket in published["refundTickets"]]
    assert json.dumps(answer) == json.dumps(published | own | {"refundTickets": tickets})
    assert answer["refundOfferId"] == quote["refundOfferId"]
    assert answer["refundCode"] == "202505-0001"


async def test_a_rejected_refund_has_the_shape_of_the_published_query(simulator: Simulator, api: Api) -> None:
    code = (await api.submit("SIM-REJECTED"))["refundCode"]
    simulator.clock.advance(timedelta(days=10))
    answer = await api.query("SIM-REJECTED", code, displayCurrency="EUR")
    assert shape(answer) == shape(sample("query.response"))


async def test_the_published_requests_are_understood(api: Api) -> None:
    """But for the offer and the refund codes, which name orders that exist nowhere else in the samples."""
    quote = await api.send("quote", sample("quote.request"))
    submit = sample("submit.request") | {"orderNo": quote["orderNo"], "refundOfferId": quote["refundOfferId"]}
    submitted = await api.send("submit", submit)
    query = sample("query.request") | {"refundCode": submitted["refundCode"]}
    (refund_order,) = (await api.send("query", query))["refundOrders"]
    assert refund_order["refundCode"] == submitted["refundCode"]
    assert quote["refundQuoteType"] == "AccurateQuote"
    assert quote["isRefundable"] is True


QUOTED: list[tuple[str, dict[str, Any], tuple[float, float] | None]] = [
    ("SIM-REFUNDED", {}, (165.48, 165.48)),
    ("SIM-PENALTY", {}, (165.48, 125.48)),
    ("SIM-PENALTY", {"refundReason": "0"}, (165.48, 165.48)),
    ("SIM-CANNOT-QUOTE", {}, (165.48, 165.48)),
    ("SIM-NOT-REFUNDABLE", {}, (165.48, 0)),
    ("SIM-VOUCHER", {}, None),
]


@pytest.mark.parametrize(("order_no", "changes", "amounts"), QUOTED)
async def test_amounts(
    order_no: str, changes: dict[str, Any], amounts: tuple[float, float] | None, simulator: Simulator, api: Api
) -> None:
    """The same in quote, submission and query."""
    quote = await api.quote(order_no, refundRequestList=Api.people(order_no, **changes))
    submitted = await api.submit(order_no, refundOfferId=quote["refundOfferId"])
    queried = await api.refund_order(order_no, submitted["refundCode"])
    for answer in (quote, submitted, queried):
        fare = answer["refundFareAmount"]
        assert (fare and (fare["originalFareAmount"], fare["estimatedRefundAmount"])) == amounts
        assert answer["displayCurrency"] is answer["serviceFee"]["displayTransactionFee"] is None
        if fare:
            assert fare["displayOriginalFareAmount"] is fare["displayEstimatedRefundAmount"] is None


async def test_a_passenger_gets_a_share(api: Api) -> None:
    answer = await api.quote("SIM-PENALTY", ZHAO, displayCurrency="EUR")
    assert answer["refundFareAmount"] == {
        "currency": "USD",
        "originalFareAmount": 82.74,
        "estimatedRefundAmount": 62.74,
        "displayOriginalFareAmount": 76.73,
        "displayEstimatedRefundAmount": 58.18,
    }
    assert answer["refundRules"][0]["penaltyAmount"] == "20.00 USD"
    assert [ticket["name"] for ticket in answer["refundTickets"]] == ["ZHAO/YIER"]


async def test_each_call_names_its_own_display_currency(api: Api) -> None:
    quote = await api.quote(displayCurrency="GBP")
    submitted = await api.submit(refundOfferId=quote["refundOfferId"])
    assert submitted["displayCurrency"] is None
    queried = await api.refund_order("SIM-REFUNDED", submitted["refundCode"], displayCurrency="JPY")
    assert queried["displayCurrency"] == "JPY"
    assert queried["refundFareAmount"]["displayOriginalFareAmount"] == 24822


async def test_vouchers_are_filled_in_when_refunded(simulator: Simulator, api: Api) -> None:
    quote = await api.quote("SIM-VOUCHER")
    code = (await api.submit("SIM-VOUCHER", refundOfferId=quote["refundOfferId"]))["refundCode"]
    assert (quote["refundMethod"], quote["refundRules"][0]["refundMethod"]) == ("Voucher", "Voucher")
    assert [voucher["eligiblePassengers"] for voucher in quote["refundVouchers"]] == [
        [{"name": "ZHAO/YIER"}],
        [{"name": "QIAN/ERER"}],
    ]

    later = ("voucherCode", "voucherStartDate", "voucherEndDate", "travelStartDate", "travelEndDate")
    simulator.clock.advance(timedelta(days=48))
    for voucher in (await api.refund_order("SIM-VOUCHER", code))["refundVouchers"]:
        assert voucher["estimatedRefundAmount"] == 82.74
        assert [voucher[member] for member in later] == [None] * 5
    simulator.clock.advance(timedelta(days=30))
    issued = (await api.refund_order("SIM-VOUCHER", code))["refundVouchers"]
    assert {voucher["voucherStartDate"] for voucher in issued} == {"20250630"}  # when refunded, not when asked
    assert len({voucher["voucherCode"] for voucher in issued}) == 2


async def test_two_runs_are_the_same(api: Api, simulator: Simulator) -> None:
    async def run() -> list[str]:
        quote = await api.quote()
        return [json.dumps(quote), json.dumps(await api.submit(refundOfferId=quote["refundOfferId"]))]

    first = await run()
    simulator.reset()
    assert await run() == first


async def test_ids_have_the_published_form(api: Api) -> None:
    offers = {(await api.quote())["refundOfferId"] for _ in range(3)}
    assert len(offers) == 3
    assert all(re.fullmatch("q_[0-9a-f]{32}", offer) for offer in offers)
    codes = [(await api.submit("SIM-REFUNDED", name))["refundCode"] for name in (ZHAO, QIAN)]
    assert codes == ["202505-0001", "202505-0002"]


async def test_large_bodies_are_compressed_for_those_who_ask_small_ones_never(api: Api) -> None:
    path, body = "/refundQuotation.do", {"orderNo": "SIM-REFUNDED", "refundRequestList": Api.people("SIM-REFUNDED")}
    large = await api.http.post(path, json=body)
    small = await api.http.post(path, json={})
    plain = await api.http.post(path, json=body, headers={"accept-encoding": "identity"})
    assert [answer.headers.get("content-encoding") for answer in (large, small, plain)] == ["gzip", None, None]
