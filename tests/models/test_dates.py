import datetime
import json
from typing import Any

import attrs
import pytest
from atlas_refunds_api.models import RefundOrder, RefundVoucher

from .shapes import RECEIVED, SENT, fields, segment


def refund_date(value: Any) -> RefundOrder:
    return RefundOrder.from_json(json.dumps({"expectedRefundDate": value}))


@pytest.mark.parametrize("value", ["20250701", "2025-07-01", 20250701])
def test_read(value: str | int) -> None:
    assert refund_date(value).expected_refund_date == datetime.date(2025, 7, 1)


def test_a_leap_day() -> None:
    assert refund_date("20240229").expected_refund_date == datetime.date(2024, 2, 29)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "20251301",
        "20250230",
        "00000000",
        "soon",
        "2025",
        "202507",
        "2025W214",
        "2025-182",
        "2025-7-1",
        "20250701T10",
        " 20250701",
        "20250701\n",
        "２０２５０７０１",
        True,
        2025,
        20250701.5,
        {"a": 1},
        [],
    ],
)
def test_what_is_no_date_is_none_and_kept_in_raw(value: Any) -> None:
    """A date informs; it must not cost the rest of the answer."""
    order = refund_date(value)
    assert order.expected_refund_date is None
    assert order.raw["expectedRefundDate"] == value


def test_what_is_nested_too_deep_to_print_is_no_date_either() -> None:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    assert RefundOrder.from_dict({"expectedRefundDate": nested}).expected_refund_date is None


def test_written_as_the_wire_has_it() -> None:
    assert segment.to_dict()["depDate"] == "20250513"


def test_every_date_of_the_specification_is_a_date() -> None:
    declared = [(name, field) for name, field, schema in fields() if schema.get("format") == "yyyymmdd"]
    read = [(model, field) for model in RECEIVED for name, field in declared if name == model.__name__]
    for model, field in read:
        values = attrs.asdict(model.from_dict({field: "20250701"}), filter=lambda a, _: a.name != "raw").values()
        assert datetime.date(2025, 7, 1) in values, field
    sent = {*declared} - {(model.__name__, field) for model, field in read}
    assert sent == {("RefundSegment", "depDate")}  # as above


def test_dates_are_dates_and_not_times() -> None:
    assert type(RefundVoucher.from_dict({"travelEndDate": "20250701"}).travel_end_date) is datetime.date
    annotated = {str(field.type) for model in (*RECEIVED, *SENT) for field in attrs.fields(model)}
    assert not any("datetime.datetime" in name for name in annotated)
