"""Errors say where, and never what; lists and objects in unexpected forms."""

import copy
import json
import pickle
import traceback
from typing import Any

import pytest
from atlas_refunds_api.models import QueryRefundOrdersResponse, RefundQuotationResponse
from atlas_refunds_api.types import AtlasRefundsError, Received, WireError

from .shapes import RECEIVED


@pytest.mark.parametrize(
    ("model", "source", "message"),
    [
        (
            RefundQuotationResponse,
            {"refundTickets": [{}, {"ticketNo": {"GARCIA": 1}}]},
            "refundTickets[1].ticketNo: expected text, found dict",
        ),
        (
            RefundQuotationResponse,
            {"refundTickets": [{}, "GARCIA"]},
            "refundTickets[1]: expected an object, found str",
        ),
        (RefundQuotationResponse, {"refundTickets": "GARCIA"}, "refundTickets[0]: expected an object, found str"),
        (RefundQuotationResponse, {"serviceFee": ["GARCIA"]}, "serviceFee: expected an object, found list"),
        (
            QueryRefundOrdersResponse,
            {"refundOrders": [{}, {"refundVouchers": [{"eligiblePassengers": [{"name": ["GARCIA"]}]}]}]},
            "refundOrders[1].refundVouchers[0].eligiblePassengers[0].name: expected text, found list",
        ),
        (
            QueryRefundOrdersResponse,
            {"refundOrders": [{"refundRules": [{"refundableAncillaries": ["ALL", ["GARCIA"]]}]}]},
            "refundOrders[0].refundRules[0].refundableAncillaries[1]: expected a code, found list",
        ),
        (QueryRefundOrdersResponse, ["GARCIA"], "body: expected an object, found list"),
        (QueryRefundOrdersResponse, "GARCIA", "body: expected an object, found str"),
        (QueryRefundOrdersResponse, None, "body: expected an object, found NoneType"),
    ],
)
def test_the_path_and_not_the_value(model: type[Received], source: Any, message: str) -> None:
    with pytest.raises(WireError) as caught:
        model.from_json(json.dumps(source))
    assert str(caught.value) == message
    printed = "".join(traceback.format_exception(caught.value))
    assert "GARCIA" not in printed
    assert "During handling" not in printed  # one error, not one a level


@pytest.mark.parametrize("twin", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))], ids=["copy", "pickle"])  # noqa: S301
def test_the_error_survives_copies(twin: Any) -> None:
    with pytest.raises(WireError) as caught:
        RefundQuotationResponse.from_dict({"refundTickets": [{"ticketNo": []}]})
    again = twin(caught.value)
    assert (type(again), str(again)) == (WireError, str(caught.value))
    assert (again.path, again.expected, again.found) == ("refundTickets[0].ticketNo", "text", "list")


def test_the_error_is_ours_and_a_value_error() -> None:
    assert issubclass(WireError, AtlasRefundsError)
    assert issubclass(WireError, ValueError)


@pytest.mark.parametrize(
    ("value", "count"), [([{}, {}], 2), ({}, 1), ([], 0), (None, 0), ("", 0), ([None, {}, None], 1)]
)
def test_lists(value: Any, count: int) -> None:
    """A single object is a list of one; null, "" and null items are nothing."""
    tickets = RefundQuotationResponse.from_dict({"refundTickets": value}).refund_tickets
    assert type(tickets) is tuple
    assert len(tickets) == count


# ---- absent, null, unnamed -------------------------------------------------------------------------------------------
EACH_RECEIVED = pytest.mark.parametrize("model", RECEIVED, ids=lambda model: model.__name__)


@EACH_RECEIVED
def test_nothing_is_required_and_null_is_absent(model: type[Received]) -> None:
    empty = model.from_dict({})
    assert empty == model.from_dict(dict.fromkeys(model.NAMES)) == model.from_dict(dict.fromkeys(model.NAMES, ""))
    assert empty == model()


@EACH_RECEIVED
def test_members_without_a_field_are_kept(model: type[Received]) -> None:
    source = {**dict.fromkeys(model.NAMES), "requestId": "r1", "new": {"a": [1]}}
    assert model.from_dict(source).extra == {"requestId": "r1", "new": {"a": [1]}}
    assert model.from_dict(source).raw == source


def test_raw_is_exact() -> None:
    quote = RefundQuotationResponse.from_json('{"status": 0, "fee": 0.10, "refundTickets": [{"seat": 1.20}]}')
    assert str(quote.raw["fee"]) == "0.10"
    assert str(quote.refund_tickets[0].extra["seat"]) == "1.20"


def test_raw_does_not_take_part_in_equality() -> None:
    one, other = (RefundQuotationResponse.from_dict({"orderNo": "X", "requestId": n}) for n in ("1", "2"))
    assert one == other
    assert hash(one) == hash(other)
    assert one != RefundQuotationResponse.from_dict({"orderNo": "Y"})
