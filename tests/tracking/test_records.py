"""Rows and back, and what they do not show."""

import json
from datetime import date
from decimal import Decimal

import attrs
import pytest

from atlas_refunds import AirlinePnr, InvalidRequestError, OrderNo, OrderRef, PaymentMode, RefundState, RefundStatus
from atlas_refunds.tracking import Change, Policy, Step, Tracked
from atlas_refunds.tracking.personal import intent_of, intent_text, state_of, state_text, subject_of
from atlas_refunds.tracking.records import from_row, to_row

from .test_decisions import FOLLOWED, INTENT, NOW, ORDER, POLICY, SUBJECT, TOKEN, UNCLEAR

CHANGE = Change(key="k", account="shop", number=2, at=NOW, step=Step.FINAL, status=RefundStatus(2), token=TOKEN)


@pytest.mark.parametrize(
    "row", [UNCLEAR, attrs.evolve(FOLLOWED, payment_mode=PaymentMode.VCC, status=RefundStatus(99))]
)
def test_a_refund_comes_back_as_it_was_stored(row: Tracked) -> None:
    assert from_row(Tracked, {**to_row(row), "a_later_release": "adds a column"}) == row


def test_a_change_comes_back_as_it_was_stored() -> None:
    assert from_row(Change, to_row(CHANGE)) == CHANGE
    assert (CHANGE.id, CHANGE.is_final, CHANGE.is_refunded) == ("k/2", True, True)


SEALING = attrs.evolve(POLICY, seal=lambda text: text[::-1], unseal=lambda text: text[::-1])


@pytest.mark.parametrize("policy", [POLICY, SEALING])
@pytest.mark.parametrize("order", [OrderNo("A1"), AirlinePnr("S24933", carrier="G9")])
def test_an_intent_comes_back_whole(policy: Policy, order: OrderRef) -> None:
    subject = attrs.evolve(SUBJECT, order=order, fast=True, display_currency="EUR")
    assert intent_of(intent_text(subject, policy), policy) == subject


def test_a_sealed_intent_shows_nothing_and_needs_its_key() -> None:
    sealed = intent_text(SUBJECT, SEALING)
    assert "ZHAO" not in sealed
    assert "OAHZ" not in sealed
    with pytest.raises(InvalidRequestError, match="no unseal"):
        intent_of(sealed, POLICY)
    with pytest.raises(InvalidRequestError, match="intent is deleted"):
        intent_of(None, POLICY)


def test_a_subject_is_who_and_which_segments_in_any_sequence() -> None:
    turned = attrs.evolve(SUBJECT, passengers=SUBJECT.passengers[::-1], offer_id="a newer quote")
    assert subject_of(turned) == subject_of(SUBJECT)
    assert subject_of(attrs.evolve(SUBJECT, passengers=SUBJECT.passengers[:1])) != subject_of(SUBJECT)


SAID = {
    "orderNo": "A1", "refundCode": "R1", "refundStatus": 2, "cancelReason": "Duplicate Refund Record",
    "expectedRefundDate": "20300615", "refundVouchers": [{"voucherCode": "CANARY-V"}], "guide": "CANARY-G",
    "refundFareAmount": {"currency": "EUR", "estimatedRefundAmount": Decimal("12.500000000000000001")},
    "refundTickets": [{"lastName": "ZHAO", "firstName": "YIER", "ticketNo": "CANARY-T"}],
}  # fmt: skip


def test_a_state_is_kept_exactly_but_without_names_tickets_and_vouchers() -> None:
    text = state_text(RefundState.from_dict(SAID, order=ORDER))
    assert not [word for word in ("ZHAO", "YIER", "CANARY") if word in text]
    state = state_of(text, ORDER)
    assert state.refund_fare_amount is not None
    assert state.refund_fare_amount.estimated_refund_amount == Decimal("12.500000000000000001")
    assert (state.expected_refund_date, state.is_refunded) == (date(2030, 6, 15), True)
    assert state.cancel_reason == "Duplicate Refund Record"


def test_no_name_and_no_secret_is_shown() -> None:
    assert "ZHAO" in INTENT
    for shown in (repr(UNCLEAR), str(UNCLEAR), json.dumps(UNCLEAR.to_json()), json.dumps(CHANGE.to_json())):
        assert not [name for name in ("ZHAO", "YIER", "QIAN", "ERER") if name in shown]


def test_times_are_readable() -> None:
    assert UNCLEAR.to_json()["sent_at"] == "2027-01-15T08:00:00+00:00"
    assert CHANGE.to_json()["status"] == 2
