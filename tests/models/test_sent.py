import datetime
import json
import re
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from atlas_refunds_api.models import (
    QueryRefundOrdersRequest,
    RefundPassenger,
    RefundQuotationRequest,
    RefundReason,
    RefundRequest,
)
from atlas_refunds_api.types import AtlasRefundsError, InvalidRequestError

from .shapes import OPENAPI, SENDABLE, SentModel, qian, query, quote, remade, sample, segment, submit, zhao

REQUESTS: list[tuple[SentModel, str, int]] = [
    (quote, "reference-2025.quote.request.json", 419),
    (submit, "reference-2025.submit.request.json", 171),
    (query, "reference-2025.query.request.json", 120),
]


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


# ---- what is written -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("request_model", "name", "length"), REQUESTS, ids=[name for _, name, _ in REQUESTS])
def test_the_published_requests_byte_for_byte(request_model: SentModel, name: str, length: int) -> None:
    written = compact(request_model.to_dict())
    assert written == compact(json.loads(sample(name)))
    assert len(written.encode()) == length


def test_the_lengths_are_those_of_the_page() -> None:
    page = (OPENAPI / "samples/pages/reference-2025.txt").read_text("utf-8")
    assert [int(n) for n in re.findall(r"Content-Length: (\d+)", page)] == [length for _, _, length in REQUESTS]


def test_a_tuple_is_written_as_a_list() -> None:
    assert attrs.evolve(quote, refund_request_list=(zhao, qian)).to_dict() == quote.to_dict()


@pytest.mark.parametrize("request_model", [quote, submit, query], ids=lambda model: type(model).__name__)
def test_an_optional_member_is_left_out_and_a_required_null_is_written(
    request_model: RefundQuotationRequest | RefundRequest | QueryRefundOrdersRequest,
) -> None:
    written = attrs.evolve(request_model, display_currency=None).to_dict()
    assert "displayCurrency" not in written
    assert written["airlinePNR"] is None
    assert written["carrier"] is None


def test_the_three_ways_to_name_what_is_refunded() -> None:
    by_pnr = attrs.evolve(quote, order_no=None, airline_pnr="S24933", carrier="G9").to_dict()
    assert [by_pnr[key] for key in ("orderNo", "airlinePNR", "carrier")] == [None, "S24933", "G9"]
    by_people = attrs.evolve(submit, refund_offer_id=None, refund_request_list=[zhao]).to_dict()
    assert (by_people["refundOfferId"], len(by_people["refundRequestList"])) == (None, 1)
    assert attrs.evolve(query, refund_code=None).to_dict()["refundCode"] is None


@pytest.mark.parametrize(
    ("model", "name"),
    [(m, f.name) for m in SENDABLE for f in attrs.fields(type(m)) if f.default is attrs.NOTHING],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_is_always_written_has_to_be_given(model: SentModel, name: str) -> None:
    given = {field.name: getattr(model, field.name) for field in attrs.fields(type(model)) if field.name != name}
    with pytest.raises(TypeError, match=f"missing 1 required keyword-only argument: '{name}'"):
        type(model)(**given)


# ---- what is refused -------------------------------------------------------------------------------------------------
CANARY = "CANARY"
REFUSED: list[tuple[SentModel, dict[str, Any], str]] = [
    (segment, {"dep_date": "20250513"}, "give date, not str"),
    (segment, {"dep_date": datetime.datetime(2025, 5, 13, tzinfo=datetime.UTC)}, "give date, not datetime"),
    (segment, {"dep_date": None}, "give date, not None"),
    (segment, {"flight_no": None}, "give str, not None"),
    (segment, {"flight_no": 22437}, "give str, not int"),
    (segment, {"flight_no": f"{CANARY} 1"}, "give 3 to 8 capital letters and digits without a space, such as U22437"),
    (segment, {"flight_no": CANARY * 2}, "give 3 to 8 capital letters and digits without a space, such as U22437"),
    (segment, {"dep_airport": "ltn"}, "give 3 capital letters, such as LTN"),
    (segment, {"dep_airport": CANARY}, "give 3 capital letters, such as LTN"),
    (segment, {"arr_airport": ""}, "give 3 capital letters, such as LTN"),
    (segment, {"arr_airport": "CDG\n"}, "give 3 capital letters, such as LTN"),
    (segment, {"arr_airport": "ＣＤＧ"}, "give 3 capital letters, such as LTN"),
    (zhao, {"last_name": ""}, "give text that is not blank"),
    (zhao, {"first_name": " \t"}, "give text that is not blank"),
    (zhao, {"segments": []}, "give a list or tuple of RefundSegment, 1 or more"),
    (zhao, {"segments": segment}, "give a list or tuple of RefundSegment, 1 or more"),
    (zhao, {"segments": {segment}}, "give a list or tuple of RefundSegment, 1 or more"),
    (zhao, {"segments": [segment, CANARY]}, "give RefundSegment, not str"),
    (zhao, {"segments": [None]}, "give RefundSegment, not NoneType"),
    (zhao, {"refund_reason": "1"}, "give RefundReason, not str"),
    (zhao, {"refund_reason": RefundReason(CANARY)}, "give a published RefundReason"),
    (quote, {"order_no": 5}, "give str, not int"),
    (quote, {"airline_pnr": [CANARY]}, "give str, not list"),
    (quote, {"refund_request_list": None}, "give RefundPassenger, not None"),
    (quote, {"refund_request_list": ()}, "give a list or tuple of RefundPassenger, 1 or more"),
    (quote, {"refund_request_list": [CANARY]}, "give RefundPassenger, not str"),
    (submit, {"refund_request_list": []}, "give a list or tuple of RefundPassenger, 1 or more"),
    (submit, {"refund_offer_id": 5}, "give str, not int"),
    (submit, {"display_currency": "Euro"}, "give 3 capital letters, such as EUR"),
    (query, {"refund_code": 2025050013}, "give str, not int"),
]


@pytest.mark.parametrize(("model", "change", "message"), REFUSED, ids=[f"{change!r:.50}" for _, change, _ in REFUSED])
def test_what_cannot_be_sent_is_refused_when_it_is_made(model: SentModel, change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        remade(model, **change)
    (name,) = change
    assert str(caught.value) == f"{name}: {message}"
    assert CANARY not in str(caught.value)


def schemas(node: object) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from schemas(child)


def test_no_regular_expression_is_told_to_people() -> None:
    document = json.loads((OPENAPI / "corrected.json").read_text("utf-8"))
    texts = [s for s in schemas(document) if isinstance(s.get("pattern"), str) and s.get("format") != "yyyymmdd"]
    assert len(texts) >= 10
    assert [schema for schema in texts if not schema.get("x-words")] == []


def test_the_refusal_is_ours_and_a_value_error() -> None:
    assert issubclass(InvalidRequestError, AtlasRefundsError)
    assert issubclass(InvalidRequestError, ValueError)


@pytest.mark.parametrize("name", ["Ö", "李", "O'Neil", "VAN DER BERG", " A"])
def test_names_of_all_scripts_can_be_sent(name: str) -> None:
    written = attrs.evolve(zhao, last_name=name).to_dict()
    assert written["lastName"] == name


@pytest.mark.parametrize("reason", list(RefundReason))
def test_every_published_reason_can_be_sent(reason: RefundReason) -> None:
    passenger: RefundPassenger = attrs.evolve(zhao, refund_reason=reason)
    assert passenger.to_dict()["refundReason"] == reason.value
