"""Every published sample, over a real socket and through the public API."""

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import attrs
import httpx
import pytest

from atlas_refunds import (
    AirlinePnr,
    AtlasRefunds,
    OutcomeUnknownError,
    PenaltyPercentBase,
    QuoteType,
    Refund,
    RefundMethod,
    RefundQuote,
    RefundReason,
    RefundState,
    RefundStatus,
    parse_notification,
)

from .conftest import ORDER, QIAN, SAMPLES, ZHAO, sample, sample_bytes
from .wire_server import Act, WireServer, answers, answers_chunked, answers_gzipped, drips, wire_server

LEGACY_AMOUNTS = {
    "currency": "USD",
    "originalTotalFareAmount": Decimal("37.14"),
    "originalTotalAncillaryAmount": Decimal("8.12"),
    "originalTotalAmount": Decimal("45.26"),
    "airlinePenaltyAmountForFare": Decimal("0.00"),
    "airlinePenaltyAmountForAncillaries": Decimal("0.00"),
    "airlinePenaltyAmount": Decimal("0.00"),
    "estimatedRefundAmount": Decimal("45.26"),
    "transactionFee": Decimal("2.00"),
}


async def send(atlas: AtlasRefunds, operation: str) -> RefundQuote | Refund | RefundState:
    """Each of the three calls; the query through `get`."""
    if operation == "/refundQuotation.do":
        return await atlas.quote(ORDER, [ZHAO, QIAN], display_currency="EUR")
    if operation == "/refund.do":
        return await atlas.submit(ORDER, offer_id="q_1", display_currency="EUR")
    return await atlas.get(ORDER, "202505-0013", display_currency="EUR")


RESPONSES = [
    (entry["file"], entry["operation"])
    for entry in json.loads((SAMPLES / "index.json").read_text("utf-8"))
    if entry["role"] == "response"
]


def test_the_index_names_every_sample() -> None:
    listed = {entry["file"] for entry in sample("index.json")}
    assert listed == {path.name for path in SAMPLES.iterdir() if path.is_file()} - {"index.json"}
    assert len(RESPONSES) == 5


@pytest.mark.parametrize(("file", "operation"), RESPONSES)
@pytest.mark.parametrize("way", [answers, answers_gzipped, answers_chunked, drips])
async def test_every_response_is_read_in_every_framing(
    file: str, operation: str, way: Callable[[object], Act], wire: WireServer, atlas: AtlasRefunds
) -> None:
    wire.plays(way(sample_bytes(file)))
    result = await send(atlas, operation)
    published = sample(file)
    assert result.raw == (published["refundOrders"][0] if "refundOrders" in published else published)
    assert [call.path for call in wire.calls] == [operation]


async def test_the_quote_of_2025(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers(sample_bytes("reference-2025.quote.response.json")))
    quote = await atlas.quote(ORDER, (p for p in [ZHAO, QIAN]), display_currency="EUR")

    assert (quote.order, quote.passengers, quote.requested_currency) == (ORDER, (ZHAO, QIAN), "EUR")
    assert quote.is_refundable is False
    assert quote.refund_quote_type is QuoteType.CANNOT_QUOTE
    assert (quote.expected_confirmation_date, quote.expected_refund_date) == (date(2025, 5, 22), date(2025, 7, 1))
    fare, fee = quote.refund_fare_amount, quote.service_fee
    assert fare is not None
    assert fee is not None
    assert [fare.original_fare_amount, fare.display_original_fare_amount] == [Decimal("165.48"), Decimal("153.46")]
    assert str(fare.original_fare_amount) == "165.48"
    assert fee.display_transaction_fee == Decimal("1.85")
    assert [ticket.name for ticket in quote.refund_tickets] == ["QIAN/ERER", "ZHAO/YIER"]
    assert quote.refund_post_ticketing_service_amounts == ()
    assert quote.refund_vouchers == ()
    (rule,) = quote.refund_rules
    assert (rule.start_minute, rule.end_minute, rule.penalty_amount) == (525600, -525600, None)
    assert quote.extra == {}


async def test_the_submit_answer_of_2025_names_another_order_than_its_request(
    wire: WireServer, atlas: AtlasRefunds
) -> None:
    wire.plays(answers(sample_bytes("reference-2025.submit.response.json")))
    asked = sample("reference-2025.submit.request.json")
    refund = await atlas.submit(ORDER, offer_id=asked["refundOfferId"])

    assert (refund.refund_code, refund.order_no) == ("202505-0012", "TESTA20250512100600259")
    assert refund.refund_status is RefundStatus.ATLAS_PROCESSING
    assert refund.refund_reason is RefundReason.INVOLUNTARY
    assert refund.fast_confirmation is None
    assert refund.cancel_reason is None
    (rule,) = refund.refund_rules
    assert rule.penalty_percent_base is PenaltyPercentBase("fare+tax")
    assert not refund.is_final
    assert refund.token.refund_code == "202505-0012"


async def test_the_query_answer_of_2025_is_a_rejection_and_no_error(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers(sample_bytes("reference-2025.query.response.json")))
    (state,) = await atlas.query(ORDER, "202505-0013")

    assert state.refund_status is RefundStatus.REJECTED
    assert (state.is_final, state.is_refunded) == (True, False)
    assert state.cancel_reason == "hahaha11111"
    assert state.expected_refund_date is None
    assert state.refund_method is RefundMethod.CASH_BACK_TO_ORIGINAL_PAYMENT
    fee = state.service_fee
    assert fee is not None
    assert (fee.transaction_fee, fee.display_transaction_fee) == (Decimal(3), Decimal("2.78"))


async def test_the_flat_members_of_2022_are_kept_with_exact_amounts(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers(sample_bytes("flow-2022.quote.response.json")))
    quote = await atlas.quote(ORDER, [ZHAO])
    assert quote.extra == LEGACY_AMOUNTS
    assert str(quote.raw["transactionFee"]) == "2.00"
    assert quote.is_refundable is True
    assert quote.refund_fare_amount is None
    assert quote.service_fee is None


async def test_the_submit_answer_of_2022_has_no_refund_code(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers(sample_bytes("flow-2022.submit.response.json")))
    refund = await atlas.submit(ORDER, passengers=[ZHAO])
    assert refund.refund_code is refund.token.refund_code is None
    assert refund.refund_status is RefundStatus.ATLAS_PROCESSING
    assert refund.extra == LEGACY_AMOUNTS


async def test_the_submit_answer_that_was_published_broken_leaves_the_outcome_open(
    wire: WireServer, atlas: AtlasRefunds
) -> None:
    published = sample_bytes("flow-2022.submit.response.invalid.txt")
    wire.plays(answers(published))
    with pytest.raises(OutcomeUnknownError) as caught:
        await atlas.submit(ORDER, offer_id="q_1")
    assert caught.value.content == published
    assert caught.value.refund_code is None
    assert len(wire.calls) == 1


@pytest.mark.parametrize("file", ["flow-2022.webhook.json", "webhook-2025.json"])
async def test_a_webhook_is_read_from_the_body_that_a_service_received(file: str, atlas: AtlasRefunds) -> None:
    """Atlas' side is played by a plain client, the service by the scripted server."""
    async with wire_server() as service, httpx.AsyncClient() as sender:
        service.plays(answers(b"ok"))
        await sender.post(service.url + "/hook", content=sample_bytes(file), headers={"Content-Type": "text/json"})
        (call,) = service.calls
    event = parse_notification(call.body, dict(call.headers))
    claims = sample(file).get("data") or sample(file)

    assert event.is_refund
    assert event.event == "order.refundComplete"
    assert event.order_no == claims["orderNo"]
    refund = event.refund
    assert refund is not None
    assert refund.refund_status is RefundStatus.REFUNDED
    assert (refund.final_refund_amount, refund.original_total_amount) == (Decimal("37.32"), Decimal("47.32"))
    assert event.adds_up is False


# ---- the requests ----------------------------------------------------------------------------------------------------
def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


@pytest.mark.parametrize(("kind", "length"), [("quote", 419), ("submit", 171), ("query", 120)])
async def test_a_request_is_the_published_one_in_compact_form(
    kind: str, length: int, wire: WireServer, atlas: AtlasRefunds
) -> None:
    published = sample(f"reference-2025.{kind}.request.json")
    order = type(ORDER)(published["orderNo"])
    wire.plays(answers(sample_bytes(f"reference-2025.{kind}.response.json")))
    if kind == "quote":
        await atlas.quote(order, [ZHAO, QIAN], display_currency="EUR")
    elif kind == "submit":
        await atlas.submit(order, offer_id=published["refundOfferId"], display_currency="EUR")
    else:
        await atlas.query(order, published["refundCode"], display_currency="EUR")
    (call,) = wire.calls
    assert call.json == published
    assert call.body == compact(call.json)  # no space is sent
    assert len(call.body) == length


@pytest.mark.parametrize("kind", ["quote", "submit", "query"])
async def test_the_headers_are_the_documented_ones_and_no_other(
    kind: str, wire: WireServer, atlas: AtlasRefunds
) -> None:
    wire.plays(answers(sample_bytes(f"reference-2025.{kind}.response.json")))
    await send(atlas, {"quote": "/refundQuotation.do", "submit": "/refund.do"}.get(kind, "/queryRefundOrders.do"))
    (call,) = wire.calls
    assert call.method == "POST"
    headers = dict(call.headers)
    assert len(headers) == len(call.headers)
    assert headers.pop("User-Agent").startswith("atlas-refunds/")
    assert headers == {
        "Host": f"127.0.0.1:{wire.port}",
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "Content-Type": "application/json",
        "Content-Length": str(len(call.body)),
        "x-atlas-client-id": "client-4711",
        "x-atlas-client-secret": "secret-0815",
    }


async def test_the_unused_way_to_name_an_order_is_sent_as_null(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers({"status": 0}))
    order = AirlinePnr("S24933", carrier="G9")
    await atlas.quote(order, [ZHAO])
    await atlas.submit(order, offer_id="q_1")
    await atlas.query(order, "202505-0013")
    for call in wire.calls:
        assert {key: call.json[key] for key in ("orderNo", "airlinePNR", "carrier")} == {
            "orderNo": None,
            "airlinePNR": "S24933",
            "carrier": "G9",
        }
        assert "displayCurrency" not in call.json


async def test_a_submit_by_passengers_has_no_offer(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers({"status": 0}))
    await atlas.submit(ORDER, passengers=[ZHAO])
    (call,) = wire.calls
    assert call.json["refundOfferId"] is None
    assert call.json["refundRequestList"] == [ZHAO.to_dict()]


async def test_a_submit_of_a_quote_sends_its_offer_and_its_currency(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers({"status": 0, "isRefundable": True, "refundOfferId": "q_7"}))
    quote = await atlas.quote(ORDER, [ZHAO], display_currency="EUR")
    await atlas.submit(quote)
    sent = wire.calls[1].json
    assert (sent["refundOfferId"], sent["refundRequestList"], sent["displayCurrency"]) == ("q_7", None, "EUR")


async def test_text_outside_ascii_arrives_as_it_was_given(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers({"status": 0}))
    await atlas.quote(ORDER, [attrs.evolve(ZHAO, last_name="MÜLLER-ŁUKASZ 赵")])
    assert wire.calls[0].json["refundRequestList"][0]["lastName"] == "MÜLLER-ŁUKASZ 赵"
