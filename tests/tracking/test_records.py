"""Rows and back, and what they do not show."""

import json

import attrs
import pytest

from atlas_refunds import InvalidRequestError, OrderNo, PaymentMode, RefundStatus
from atlas_refunds.tracking import Change, Step, Tracked
from atlas_refunds.tracking.intents import intent_of, intent_text
from atlas_refunds.tracking.records import from_row, to_row

from .test_decisions import FOLLOWED, INTENT, NOW, TOKEN, UNCLEAR

CHANGE = Change(key="k", number=2, at=NOW, step=Step.FINAL, status=RefundStatus(2), token=TOKEN, retry_at=None)


@pytest.mark.parametrize(
    "row", [UNCLEAR, attrs.evolve(FOLLOWED, payment_mode=PaymentMode.VCC, status=RefundStatus(99))]
)
def test_a_refund_comes_back_as_it_was_stored(row: Tracked) -> None:
    assert from_row(Tracked, {**to_row(row), "a_later_release": "adds a column"}) == row


def test_a_change_comes_back_as_it_was_stored() -> None:
    assert from_row(Change, to_row(CHANGE)) == CHANGE
    assert (CHANGE.id, CHANGE.is_final, CHANGE.is_refunded) == ("k/2", True, True)


def test_an_intent_comes_back_whole() -> None:
    assert intent_text(intent_of(INTENT)) == INTENT
    assert intent_of(INTENT).order == OrderNo("A1")
    with pytest.raises(InvalidRequestError, match="intent is deleted"):
        _ = FOLLOWED.submission


def test_no_name_and_no_secret_is_shown() -> None:
    assert "ZHAO" in INTENT
    for shown in (repr(UNCLEAR), str(UNCLEAR), json.dumps(UNCLEAR.to_json()), json.dumps(CHANGE.to_json())):
        assert not [name for name in ("ZHAO", "YIER", "QIAN", "ERER") if name in shown]


def test_times_are_readable() -> None:
    assert UNCLEAR.to_json()["sent_at"] == "2027-01-15T08:00:00+00:00"
