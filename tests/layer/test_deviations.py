"""What Atlas sends and its specification does not allow: noticed by place and kind, told once, counted."""

from typing import Any

import pytest
from atlas_refunds_api.models import QueryRefundOrdersResponse, RefundQuotationResponse, RefundResponse
from atlas_refunds_api.types import Deviations, Received, loads
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas_refunds import ApiError, AtlasRefunds, Deviation, Event
from atlas_refunds.deviations import MOST, MOST_AT_ONCE, Note, notes

from .conftest import CODE, CREDENTIALS, ORDER, HandClock, queried, sample_bytes
from .test_mutations import VALUES
from .wire_server import WireServer, answers

SUBMIT = loads(sample_bytes("reference-2025.submit.response.json"))
RULE = SUBMIT["refundRules"][0]
MODELS: dict[str, type[Received]] = {
    "quote": RefundQuotationResponse,
    "submit": RefundResponse,
    "query": QueryRefundOrdersResponse,
}


def of(**changed: Any) -> list[Note]:
    body = {key: value for key, value in {**SUBMIT, **changed}.items() if value != "ABSENT"}
    return list(notes(RefundResponse.from_dict(body)))


FOUND: dict[str, tuple[dict[str, Any], list[tuple[str, str, str | None]]]] = {
    "unknown member": ({"seatNo": "12A"}, [("RefundResponse.seatNo", "unknown member", "string")]),
    "member with a strange name": ({"ZHAO YIER": 1}, [("RefundResponse.(not shown)", "unknown member", "integer")]),
    "unknown code": ({"refundMethod": "Cheque"}, [("RefundResponse.refundMethod", "unknown code", "Cheque")]),
    "unknown code like a sentence": (
        {"refundMethod": "to ZHAO/YIER"},
        [("RefundResponse.refundMethod", "unknown code", "(not shown)")],
    ),
    "code as text": ({"refundStatus": "0"}, [("RefundResponse.refundStatus", "other type", "string")]),
    "absent": ({"refundCode": "ABSENT"}, [("RefundResponse.refundCode", "absent", None)]),
    "null": ({"refundCode": None}, [("RefundResponse.refundCode", "null or empty", None)]),
    "null where allowed": ({"fastConfirmation": None, "cancelReason": None}, []),
    "text for a number": (
        {"serviceFee": {"currency": "USD", "transactionFee": "3"}},
        [("ServiceFee.transactionFee", "other type", "string")],
    ),
    "number for text": ({"orderNo": 20250512}, [("RefundResponse.orderNo", "other type", "integer")]),
    "date that is none": (
        {"expectedRefundDate": "soon"},
        [("RefundResponse.expectedRefundDate", "other type", "string")],
    ),
    "one object for a list": ({"refundRules": RULE}, [("RefundResponse.refundRules", "other type", "object")]),
    "code in a list": (
        {"refundRules": [{**RULE, "refundableAncillaries": ["ALL", "Infant"]}]},
        [("RefundRule.refundableAncillaries", "unknown code", "Infant")],
    ),
    "true as text": ({"isRefundable": "true"}, [("RefundResponse.isRefundable", "other type", "string")]),
}


@pytest.mark.parametrize("case", FOUND)
def test_each_kind_is_found_at_its_place(case: str) -> None:
    changed, expected = FOUND[case]
    assert of(**changed) == expected


@pytest.mark.parametrize("operation", MODELS)
def test_published_answers_do_not_deviate_and_cost_nothing(operation: str) -> None:
    before = Deviations.count
    model = MODELS[operation].from_json(sample_bytes(f"reference-2025.{operation}.response.json"))
    assert Deviations.count == before
    assert not list(notes(model))


@settings(max_examples=500)
@given(st.dictionaries(st.sampled_from(sorted(SUBMIT)) | st.text(max_size=8), VALUES, max_size=4))
def test_whatever_deviates_was_counted_while_reading(changed: dict[str, Any]) -> None:
    """The count is what decides whether anybody looks: it must not miss what a look would find."""
    before = Deviations.count
    try:
        model = RefundResponse.from_dict({**SUBMIT, **changed})
    except ValueError:
        return
    assert bool(list(notes(model))) == (Deviations.count != before)


async def test_each_is_told_once_and_counted(wire: WireServer, clock: HandClock) -> None:
    wire.plays(answers(queried(7, refundCode=CODE)))
    events: list[Event] = []
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock, on_event=events.append) as atlas:
        for _ in range(3):
            await atlas.query(ORDER, CODE)
        told = [event for event in events if isinstance(event, Deviation) and event.kind == "unknown code"]
        assert [(event.operation, event.place, event.value) for event in told] == [
            ("query", "RefundOrder.refundStatus", "7")
        ]
        assert atlas.deviations[Note("RefundOrder.refundStatus", "unknown code", "7")] == 3


async def test_foreign_names_do_not_fill_the_memory(wire: WireServer, clock: HandClock) -> None:
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock) as atlas:
        for answer in range(2 * MOST // MOST_AT_ONCE):
            wire.plays(answers(queried(0, **{f"member{answer}x{number}": 1 for number in range(MOST)})))
            await atlas.query(ORDER, CODE)
        assert len(atlas.deviations) == MOST


async def test_one_answer_does_not_fill_the_log(wire: WireServer, clock: HandClock) -> None:
    wire.plays(answers({"status": 0, "refundOrders": [{f"member{number}": 1} for number in range(MOST)]}))
    events: list[Event] = []
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock, on_event=events.append) as atlas:
        await atlas.query(ORDER, CODE)
    assert sum(isinstance(event, Deviation) for event in events) <= MOST_AT_ONCE


@pytest.mark.parametrize(("status", "told"), [(7777, ["7777"]), (422, [])])
async def test_a_gateways_own_status_in_the_body_is_no_code(
    wire: WireServer, clock: HandClock, status: int, told: list[str]
) -> None:
    wire.plays(answers({"status": status, "message": "Unprocessable Entity"}, 422))
    events: list[Event] = []
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock, on_event=events.append) as atlas:
        with pytest.raises(ApiError):
            await atlas.query(ORDER, CODE)
    assert [event.value for event in events if isinstance(event, Deviation)] == told
