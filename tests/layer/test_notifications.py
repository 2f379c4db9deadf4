"""Every shape in which the webhook was published or seen, and every body that is none."""

import gzip
import json
import sys
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas_refunds import NotificationError, RefundStatus, UnverifiedNotification, parse_notification

from .conftest import sample_bytes

CLAIM = {"orderNo": "X1", "refundStatus": 2, "currency": "USD", "finalRefundAmount": 37.32}


def parse(body: object, **more: Any) -> UnverifiedNotification:
    return parse_notification(json.dumps(body).encode(), **more)


SHAPES: dict[str, dict[str, Any]] = {
    "flat": CLAIM,
    "flat with cid": {"cid": "c", **CLAIM},
    "flat with a status of its own": {"status": -1, **CLAIM},
    "flat with nulls": {"type": None, "data": None, "notificationId": None, **CLAIM},
    "enveloped": {"cid": "c", "type": "order.refundComplete", "data": CLAIM},
    "the spelling of the text": {"cid": "c", "type": "order.refundCompleted", "data": CLAIM},
    "another case": {"cid": "c", "type": "order.REFUNDcomplete", "data": CLAIM},
    "as other events are today": {"cid": "c", "type": "order.refundComplete", "status": -1, "data": CLAIM},
    "without cid": {"type": "order.refundComplete", "status": -1, "data": CLAIM},
    "enveloped without data": {"type": "order.refundComplete", **CLAIM},
    "status as text": {"type": "order.refundComplete", "data": {**CLAIM, "refundStatus": "2"}},
    "amount as text": {"type": "order.refundComplete", "data": {**CLAIM, "finalRefundAmount": "37.32"}},
    "order number as number": {**CLAIM, "orderNo": 10**20},
    "an empty name": {"type": "", **CLAIM},
    "surprises": {**CLAIM, "refundTickets": [{"lastName": "ZHAO"}], "new": {"deep": [1]}},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_refund_event_in_every_shape(shape: str) -> None:
    event = parse(SHAPES[shape])
    assert event.is_refund
    assert event.refund is not None
    assert event.order_no == event.refund.order_no
    assert event.order_no in ("X1", str(10**20))
    assert event.refund.refund_status is RefundStatus.REFUNDED
    assert event.refund.final_refund_amount == Decimal("37.32")
    assert event.raw == json.loads(json.dumps(SHAPES[shape]), parse_float=Decimal)


def test_the_same_claim_has_the_same_key_in_every_shape() -> None:
    keys = {parse(body).dedupe_key for shape, body in SHAPES.items() if shape != "order number as number"}
    assert len(keys) == 1


@pytest.mark.parametrize("change", [{"orderNo": "X2"}, {"refundStatus": 4}, {"finalRefundAmount": 37.33}])
def test_another_claim_has_another_key(change: dict[str, object]) -> None:
    assert parse({**CLAIM, **change}).dedupe_key != parse(CLAIM).dedupe_key


def test_the_amount_counts_and_not_its_spelling() -> None:
    body = json.dumps(CLAIM)
    assert len({parse_notification(body.replace("37.32", n).encode()).dedupe_key for n in ("40", "40.00", "4e1")}) == 1


def test_the_id_of_a_notification_is_its_key() -> None:
    first, again = (parse({"notificationId": "n-1", "type": "order.refundComplete", "data": CLAIM}) for _ in "12")
    other = parse({"notificationId": "n-2", "type": "order.refundComplete", "data": CLAIM})
    assert first.dedupe_key == again.dedupe_key != other.dedupe_key


@pytest.mark.parametrize("status", [0, 1, 3, 4, 5, 6, 7, "4", None])
def test_complete_is_only_a_name(status: object) -> None:
    event = parse({**CLAIM, "refundStatus": status})
    assert event.refund is not None
    assert event.refund.refund_status == (None if status is None else RefundStatus(status))


OTHERS = ["order.ticketed", "order.addonComplete", "order.void", "order.schedulechange", "order.scheduleChange"]


@pytest.mark.parametrize("name", [*OTHERS, "email.schedulechange", "email.all", "abnormal.cancelled", "airline.status"])
def test_another_event_is_itself(name: str) -> None:
    event = parse({"cid": "c", "type": name, "status": -1, "data": {"orderNo": "X1", "orderStatus": 3, "fare": 1.5}})
    assert (event.event, event.is_refund, event.refund, event.order_no) == (name, False, None, "X1")
    assert event.adds_up is None
    assert event.dedupe_key == parse(json.loads(json.dumps(event.raw, default=float))).dedupe_key


def test_an_event_without_an_order() -> None:
    event = parse({"type": "airline.status", "data": {"airline": "U2"}})
    assert (event.order_no, event.is_refund) == (None, False)
    assert event.dedupe_key != parse({"type": "airline.status", "data": {"airline": "G9"}}).dedupe_key


BAD: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"orderNo=X1",
    "a list": b"[]",
    "text": b'"order.refundComplete"',
    "null": b"null",
    "NaN": b'{"orderNo": "X1", "finalRefundAmount": NaN}',
    "no order": b'{"refundStatus": 2}',
    "an empty order": b'{"orderNo": "", "refundStatus": 2}',
    "no order in the data": b'{"type": "order.refundComplete", "orderNo": "X1", "data": {}}',
    "an order that is a list": b'{"orderNo": ["X1"]}',
    "an amount that is none": b'{"orderNo": "X1", "finalRefundAmount": "much"}',
    "an amount of years": b'{"orderNo": "X1", "finalRefundAmount": 1e2000000}',
    "a name that is a number": b'{"type": 5, "data": {"orderNo": "X1"}}',
    "other bytes": b"\xff\xfe\x00",
    "JSON in UTF-16": json.dumps(CLAIM).encode("utf-16"),
    "an order twice": b'{"orderNo": "X1", "orderNo": "X2", "refundStatus": 2}',
    "an order that is no number": b'{"orderNo": "ZHAO YIER", "refundStatus": 2}',
    "an order of many lines": b'{"orderNo": "X1\\nX2", "refundStatus": 2}',
    "an order without end": json.dumps({**CLAIM, "orderNo": "X" * 65}).encode(),
    "a name of words": b'{"type": "order refunded for ZHAO", "data": {"orderNo": "X1"}}',
    "deep": b"[" * 100_000,
    "a deep member": b'{"type": "x", "data": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "half of it": sample_bytes("webhook-2025.json")[:-20],
    "too long": json.dumps({**CLAIM, "padding": "x" * 300_000}).encode(),
}


@pytest.mark.parametrize("body", BAD)
def test_what_cannot_be_read_is_an_error_of_ours(body: str) -> None:
    with pytest.raises(NotificationError):
        parse_notification(BAD[body])


def test_no_depth_is_between_what_can_be_read_and_what_cannot() -> None:
    outcomes = list[bool]()
    for depth in range(1, 1100):
        body = b'{"type": "x", "data": ' + b"[" * depth + b"]" * depth + b"}"
        try:
            outcomes.append(parse_notification(body).event == "x")
        except NotificationError:
            outcomes.append(False)
    assert outcomes[0]
    assert not outcomes[-1] or sys.version_info >= (3, 12)  # there C code has a limit of its own
    assert sorted(outcomes, reverse=True) == outcomes


def test_the_expected_client() -> None:
    body = {"cid": "mine", **CLAIM}
    assert parse(body, expected_cid="mine").is_refund
    for wrong in ({**CLAIM}, {**CLAIM, "cid": "theirs"}, {**CLAIM, "cid": None}):
        with pytest.raises(NotificationError, match="another client"):
            parse(wrong, expected_cid="mine")


@pytest.mark.parametrize("name", ["Content-Encoding", "content-encoding"])
def test_a_compressed_body_is_for_the_web_framework(name: str) -> None:
    with pytest.raises(NotificationError, match="decode it first"):
        parse_notification(gzip.compress(json.dumps(CLAIM).encode()), {name: "gzip"})
    assert parse(CLAIM, headers={name: "gzip"}).is_refund  # aiohttp's server has unpacked it
    assert parse(CLAIM, headers={name: "identity", "Content-Type": "application/json"}).is_refund


@pytest.mark.parametrize(
    ("change", "adds_up"),
    [
        ({}, True),
        ({"finalRefundAmount": 37.32}, False),
        ({"transactionFee": None}, None),
        ({"airlinePenaltyAmount": None}, None),
        ({"originalTotalAmount": ""}, None),
        ({"finalRefundAmount": None}, None),
        ({"finalRefundAmount": "45.320"}, True),
    ],
)
def test_whether_the_amounts_add_up(change: dict[str, object], adds_up: bool | None) -> None:
    amounts = {"originalTotalAmount": 47.32, "airlinePenaltyAmount": 0, "transactionFee": 2, "finalRefundAmount": 45.32}
    assert parse({**CLAIM, **amounts, **change}).adds_up is adds_up


@given(st.binary())
def test_any_bytes_are_an_event_or_an_error_of_ours(body: bytes) -> None:
    with pytest.raises(NotificationError):
        parse_notification(body)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = ["cid", "type", "data", "orderNo", "refundStatus", "finalRefundAmount", "currency", "notificationId"]
CLAIMS = st.dictionaries(st.sampled_from(NAMES), JSON_VALUES | st.sampled_from(["order.refundComplete", "X1", 2]))


@given(CLAIMS, st.none() | CLAIMS)
def test_any_members_are_an_event_or_an_error_of_ours(body: dict[str, Any], data: dict[str, Any] | None) -> None:
    try:
        event = parse(body if data is None else {**body, "data": data})
    except NotificationError:
        return
    assert event.is_refund == (event.refund is not None)
    assert event.order_no is not None or not event.is_refund
    assert len(event.dedupe_key) == 64
    assert isinstance(event.adds_up, bool | None)


# ---- what was published, damaged -------------------------------------------------------------------------------------
PUBLISHED = [sample_bytes(name) for name in ("flow-2022.webhook.json", "webhook-2025.json")]
PUBLISHED += [json.dumps(body).encode() for body in SHAPES.values()]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A published body with a few bytes changed, taken out, doubled or cut off."""
    body = bytearray(draw(st.sampled_from(PUBLISHED)))
    for _ in range(draw(st.integers(1, 4))):
        at, end = sorted(draw(st.tuples(st.integers(0, len(body)), st.integers(0, len(body)))))
        body[at:end] = draw(
            st.sampled_from([b"", b"null", b'""', bytes(body[at:end]) * 2, draw(st.binary(max_size=8))])
        )
    return bytes(body)


@given(mutated())
def test_a_damaged_body_is_an_event_or_an_error_of_ours(body: bytes) -> None:
    try:
        event = parse_notification(body)
    except NotificationError:
        return
    assert event == parse_notification(body)
    assert not event.is_refund or event.dedupe_key == parse_notification(b" " + body).dedupe_key
    assert event.order_no is None or event.order_no.isascii()
    assert isinstance(event.adds_up, bool | None)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=40, min_value=-(10**30), max_value=10**30))
def test_an_amount_is_exact_in_any_context(amount: Decimal) -> None:
    amounts = {"originalTotalAmount": str(amount), "airlinePenaltyAmount": 0, "transactionFee": 0}
    with localcontext(prec=3):
        event = parse({**CLAIM, **amounts, "finalRefundAmount": str(amount)})
        assert event.adds_up
    assert event.refund is not None
    assert event.refund.final_refund_amount == amount
    near = f"{amount:f}1"
    assert parse({**CLAIM, "finalRefundAmount": near}).dedupe_key != event.dedupe_key


def test_the_published_samples_do_not_add_up() -> None:
    for body in PUBLISHED[:2]:
        event = parse_notification(body)
        assert event.is_refund
        assert event.adds_up is False


def test_text_is_no_body() -> None:
    with pytest.raises(NotificationError, match="not UTF-8 bytes"):
        parse_notification('{"orderNo": "X1"}')  # type: ignore[arg-type]
