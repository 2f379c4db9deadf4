import copy
import json
import pickle
import re
from decimal import Decimal
from typing import Any

import pytest
from atlas_refunds_api.models import (
    RefundableAncillary,
    RefundMethod,
    RefundReason,
    RefundResponse,
    RefundRule,
    RefundStatus,
    RuleType,
)
from atlas_refunds_api.types import OpenEnum, WireError

from .shapes import ENUMS, fields

UNKNOWN: list[tuple[type[OpenEnum], Any]] = [
    (RefundStatus, 9),
    (RefundStatus, -1),
    (RefundStatus, "9"),
    (RefundStatus, "Refunded"),
    (RefundMethod, "voucher"),
    (RefundMethod, 7),
    (RefundReason, "2"),
]
EACH_UNKNOWN = pytest.mark.parametrize(("kind", "raw"), UNKNOWN, ids=[f"{k.__name__} {raw!r}" for k, raw in UNKNOWN])


def status(value: Any) -> RefundStatus | None:
    return RefundResponse.from_json(json.dumps({"refundStatus": value})).refund_status


# ---- known values ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("wire", ["2", '"2"', '" 2 "', "2.0"])
def test_a_known_code_in_any_clothes_is_the_member(wire: str) -> None:
    found = RefundResponse.from_json(f'{{"refundStatus": {wire}}}').refund_status
    assert found is RefundStatus.REFUNDED
    assert found.is_known


def test_a_number_for_a_code_that_is_text() -> None:
    assert RefundResponse.from_dict({"refundReason": 1}).refund_reason is RefundReason.VOLUNTARY


@pytest.mark.parametrize("value", [None, ""])
def test_null_and_empty_are_none(value: str | None) -> None:
    assert status(value) is None


def test_true_is_not_the_code_1() -> None:
    found = RefundStatus.read(True)
    assert (str(found), found.is_known) == ("True", False)
    assert status(True) == found
    assert found != RefundStatus.AIRLINE_PROCESSING


@pytest.mark.parametrize("value", [[2], {"code": 2}])
def test_what_cannot_be_a_code_is_an_error(value: Any) -> None:
    with pytest.raises(WireError, match=r"^refundStatus: expected a code, found (list|dict)$"):
        status(value)


def test_lists_of_codes() -> None:
    read = RefundRule.from_dict({"refundableAncillaries": ["ALL", "Infant", None]}).refundable_ancillaries
    assert [(code.value, code.is_known) for code in read] == [("ALL", True), ("Infant", False)]
    one = RefundRule.from_dict({"refundableAncillaries": "ALL"}).refundable_ancillaries
    assert one == (RefundableAncillary.ALL,)


@pytest.mark.parametrize("kind", ENUMS, ids=lambda kind: kind.__name__)
def test_members_are_those_of_the_specification(kind: type[OpenEnum]) -> None:
    schemas = [schema.get("items", schema) for _, _, schema in fields()]
    declared = [s["enum"] for s in schemas if s.get("title") == kind.__name__ and "enum" in s]
    assert declared
    assert all([value for value in values if value is not None] == [m.value for m in kind] for values in declared)


def test_members_have_speaking_names() -> None:
    assert [member.name for member in RefundStatus] == [
        "ATLAS_PROCESSING",
        "AIRLINE_PROCESSING",
        "REFUNDED",
        "AIRLINE_REFUNDING",
        "REJECTED",
        "FULFILLMENT_DONE",
        "WITHDRAWN",
    ]
    assert [(member.name, member.value) for member in RefundReason] == [
        ("INVOLUNTARY", "0"),
        ("VOLUNTARY", "1"),
        ("VOID", "4"),
    ]
    assert [member for kind in ENUMS for member in kind if re.match(r"VALUE_|_?\d|UNKNOWN", member.name)] == []


# ---- unknown values --------------------------------------------------------------------------------------------------
@EACH_UNKNOWN
def test_an_unknown_value_is_kept(kind: type[OpenEnum], raw: Any) -> None:
    unknown = kind.read(raw)
    assert isinstance(unknown, kind)
    assert (unknown.is_known, unknown.name, unknown.value) == (False, "UNKNOWN", raw)
    assert str(unknown) == f"{unknown}" == str(raw)
    assert repr(unknown) == f"<{kind.__name__}.UNKNOWN: {raw!r}>"


@EACH_UNKNOWN
def test_an_unknown_value_compares_by_value(kind: type[OpenEnum], raw: Any) -> None:
    unknown, again = kind.read(raw), kind.read(raw)
    assert unknown is not again
    assert unknown == again == raw
    assert hash(unknown) == hash(again) == hash(raw)
    assert {raw: 1}[unknown] == 1
    assert unknown not in list(kind)


@EACH_UNKNOWN
def test_an_unknown_value_survives_copies(kind: type[OpenEnum], raw: Any) -> None:
    unknown = kind.read(raw)
    for twin in (pickle.loads(pickle.dumps(unknown)), copy.deepcopy(unknown), copy.copy(unknown)):  # noqa: S301
        assert (type(twin), twin.value, twin.is_known) == (kind, raw, False)


@EACH_UNKNOWN
def test_foreign_input_does_not_make_the_class_grow(kind: type[OpenEnum], raw: Any) -> None:
    before = list(kind)
    kind.read(raw)
    assert list(kind) == before
    assert not kind.read(raw).is_known


def test_unknown_numbers_and_texts_differ() -> None:
    assert RefundStatus.read(9) != RefundStatus.read("9")


# ---- comparing -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ENUMS, ids=lambda kind: kind.__name__)
def test_members_compare_and_print_as_their_value(kind: type[OpenEnum]) -> None:
    for member in kind:
        assert member == member.value
        assert hash(member) == hash(member.value)
        assert f"{member}" == str(member.value)
        assert pickle.loads(pickle.dumps(member)) is member  # noqa: S301


def test_different_codes_differ() -> None:
    assert RefundStatus.REFUNDED != RefundStatus.REJECTED
    assert RefundStatus.REFUNDED != "2"
    assert RefundStatus.REFUNDED != RuleType.TAX  # 2 and "2"
    assert RefundStatus.REFUNDED is not None
    assert RefundStatus(Decimal(2)) is RefundStatus.REFUNDED
