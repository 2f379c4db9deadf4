import json
from decimal import Decimal
from typing import Any

import pytest
from atlas_refunds_api.models import RefundQuotationResponse, RefundRule, ServiceFee
from atlas_refunds_api.types import WireError, loads


def fee(wire: str) -> Decimal | None:
    return ServiceFee.from_json(f'{{"transactionFee": {wire}}}').transaction_fee


@pytest.mark.parametrize(
    ("wire", "exact"),
    [
        ("165.48", "165.48"),
        ("0.1000", "0.1000"),
        ("12345678901234567.89", "12345678901234567.89"),
        ("1.5e2", "1.5E+2"),
        ("-0.01", "-0.01"),
        ("2", "2"),
        ('"350.00"', "350.00"),
        ('" 12 "', "12"),
        ('"+1.5E2"', "1.5E+2"),
    ],
)
def test_exact_from_the_bytes(wire: str, exact: str) -> None:
    amount = fee(wire)
    assert type(amount) is Decimal
    assert str(amount) == exact


@pytest.mark.parametrize("wire", ["null", '""'])
def test_null_and_empty_text_are_none(wire: str) -> None:
    assert fee(wire) is None


def test_a_float_keeps_its_shortest_form() -> None:
    """For callers who decoded the body themselves."""
    assert ServiceFee.from_dict({"transactionFee": 165.48}).transaction_fee == Decimal("165.48")


@pytest.mark.parametrize(
    "wire",
    [
        '"12,50"',
        '"1_0"',
        '"60.00 EUR"',
        '"NaN"',
        '"Infinity"',
        '" "',
        '"１２"',
        '"1e999999"',
        "1e999999",  # costs minutes and memory once somebody makes an int or a text of it
        "1e-999999",
        "true",
        "[1]",
        "{}",
    ],
)
def test_an_unreadable_amount_is_an_error_and_not_absent(wire: str) -> None:
    with pytest.raises(WireError) as caught:
        fee(wire)
    assert caught.value.path == "transactionFee"
    assert caught.value.expected == "a number"
    assert caught.value.found == type(json.loads(wire, parse_float=Decimal)).__name__
    assert str(caught.value) == f"transactionFee: expected a number, found {caught.value.found}"


def test_the_error_names_the_whole_path() -> None:
    with pytest.raises(WireError, match=r"^refundFareAmount\.originalFareAmount: expected a number, found str$"):
        RefundQuotationResponse.from_dict({"refundFareAmount": {"originalFareAmount": "SECRET"}})


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), float("inf"), float("nan")])
def test_no_infinity_from_decoded_input(value: object) -> None:
    with pytest.raises(WireError, match=r"^transactionFee: expected a number"):
        ServiceFee.from_dict({"transactionFee": value})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b'{"a":',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e9999999999999999999}',
        b'{"a": "\xff"}',
        b"[" * 4_000,
        b"9" * 5_000,
    ],
    ids=lambda content: str(content[:30]),
)
def test_what_is_not_json_is_a_wire_error(content: bytes) -> None:
    with pytest.raises(WireError, match=r"^body: expected JSON, found something else$") as caught:
        loads(content)
    assert caught.value.__context__ is None  # the decoder's error holds the whole body


@pytest.mark.parametrize(
    ("member", "wire", "read"),
    [
        ("startMinute", "525600", 525600),
        ("startMinute", '"525600"', 525600),
        ("endMinute", "-525600.0", -525600),
        ("taxRefundable", "true", True),
        ("taxRefundable", '"TRUE"', True),
        ("taxRefundable", "1", True),
        ("taxRefundable", "false", False),
        ("taxRefundable", '" False "', False),
        ("taxRefundable", "0", False),
        ("penaltyAmount", "480.0", "480.0"),
        ("penaltyAmount", '"0.00 USD"', "0.00 USD"),
        ("airline", "3", "3"),
    ],
)
def test_other_kinds_in_other_clothes(member: str, wire: str, read: object) -> None:
    rule = RefundRule.from_json(f'{{"{member}": {wire}}}')
    found = getattr(rule, snake(member))
    assert (found, type(found)) == (read, type(read))


@pytest.mark.parametrize(
    ("member", "value", "expected"),
    [
        ("startMinute", Decimal("1.5"), "a whole number"),
        ("startMinute", True, "a number"),
        ("startMinute", Decimal("1e2000000"), "a number"),
        ("taxRefundable", 2, "true or false"),
        ("taxRefundable", "yes", "true or false"),
        ("taxRefundable", [], "true or false"),
        ("penaltyAmount", True, "text"),
        ("airline", {}, "text"),
    ],
)
def test_other_kinds_refused(member: str, value: Any, expected: str) -> None:
    with pytest.raises(WireError) as caught:
        RefundRule.from_dict({member: value})
    assert (caught.value.path, caught.value.expected) == (member, expected)


def snake(member: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in member)
