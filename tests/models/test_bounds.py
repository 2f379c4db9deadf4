"""What a body may cost, and that whatever was read can be printed."""

import json
from decimal import Decimal
from typing import Any

import pytest
from atlas_refunds_api.models import RefundOrder, RefundResponse, RefundRule, RefundStatus, RefundTicket, ServiceFee
from atlas_refunds_api.types import MOST_VALUES, Received, WireError, calendar_date, harmless, loads

LONG = "9" * 5_000


@pytest.mark.parametrize("one", ["0", "{}", "[]", '{"a": 0}'])
def test_a_body_has_so_many_values_and_no_more(one: str) -> None:
    signs = sum(map(one.count, ",[{")) + 1  # and the comma before it
    most = (MOST_VALUES - 1) // signs  # the list's own bracket
    padding = " " * MOST_VALUES
    assert len(loads(f"[{padding}{','.join([one] * most)}]")) == most
    with pytest.raises(WireError, match=rf"^body: expected at most {MOST_VALUES} values, found more$"):
        loads(f"[{padding}{','.join([one] * (most + 2))}]".encode())


TOO_LONG: list[tuple[type[Received], dict[str, Any]]] = [
    (RefundResponse, {"status": LONG}),
    (RefundResponse, {"status": int(LONG[:4_000])}),
    (RefundResponse, {"status": 2**63}),
    (RefundResponse, {"status": Decimal(2**63)}),
    (RefundOrder, {"refundStatus": 10**20}),
    (ServiceFee, {"transactionFee": 10**100}),
    (ServiceFee, {"transactionFee": LONG}),
    (ServiceFee, {"transactionFee": "0." + "0" * 99 + "1e-9"}),
    (RefundTicket, {"ticketNo": 10**100}),
]


@pytest.mark.parametrize(("model", "body"), TOO_LONG)
def test_a_number_that_is_none_of_theirs_is_an_error(model: type[Received], body: dict[str, Any]) -> None:
    (member,) = body
    with pytest.raises(WireError, match=f"^{member}: expected "):
        model.from_dict(body)


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (RefundResponse, {"status": 2**63 - 1, "expectedRefundDate": int(LONG[:4_000]), "isRefundable": 1}),
        (RefundOrder, {"refundStatus": LONG, "orderNo": 10**99}),
        (RefundOrder, {"refundStatus": -(2**62), "refundTickets": [{"ticketNo": Decimal("1E+5000")}]}),
        (ServiceFee, {"transactionFee": 10**99}),
    ],
)
def test_whatever_was_read_can_be_printed(model: type[Received], body: dict[str, Any]) -> None:
    read = model.from_dict(body)
    assert len(repr(read)) < 2_000
    assert read == model.from_dict(body)


def test_true_or_false_is_asked_without_printing() -> None:
    with pytest.raises(WireError, match=r"^isRefundable: expected true or false, found int$"):
        RefundResponse.from_dict({"isRefundable": 10**5_000})


def test_long_text_for_a_date_is_not_kept() -> None:
    before = calendar_date.cache_info().currsize
    assert RefundResponse.from_dict({"expectedRefundDate": LONG}).expected_refund_date is None
    assert calendar_date.cache_info().currsize == before


ODD = ["ZHAO/YIER", "a b", "\x1b[31m", "R1\nERROR forged", "é", "x" * 65, ""]


@pytest.mark.parametrize("odd", ODD)
def test_what_does_not_look_like_a_code_is_not_shown(odd: str) -> None:
    assert harmless(odd) == "(not shown)"
    order = RefundOrder.from_dict({"refundCode": odd, "refundStatus": odd, "refundMethod": odd})
    assert not odd or odd not in repr(order)
    assert repr(RefundStatus.read(odd)) == "<RefundStatus.UNKNOWN: '(not shown)'>"
    assert order.refund_code == (odd or None)
    rule = RefundRule.from_json(json.dumps({"refundableAncillaries": [odd or "x y"]}))
    assert "(not shown)" in repr(rule)


@pytest.mark.parametrize("code", ["202505-0012", "Refunded", "7", "x" * 64, "1.5E+3"])
def test_a_code_is_shown(code: str) -> None:
    assert harmless(code) == code
    assert repr(code) in repr(RefundOrder.from_dict({"refundCode": code}))
