"""A repr ends in logs: text is hidden unless the specification marks it as harmless."""

import attrs
import pytest
from atlas_refunds_api.models import (
    QueryRefundOrdersResponse,
    RefundOrder,
    RefundQuotationResponse,
    RefundResponse,
)
from atlas_refunds_api.types import Received

from .shapes import RECEIVED, SENDABLE, SENT, SentModel, fields, is_text, quote, remade, sample

CANARY = "ZQX"  # also the form of an airport, a flight and a currency
TEXT = {(name, field): bool(schema.get("x-plain")) for name, field, schema in fields() if is_text(schema)}
READ = [(model, field, plain) for model in RECEIVED for (name, field), plain in TEXT.items() if name == model.__name__]


@pytest.mark.parametrize(("model", "field", "plain"), READ, ids=[f"{m.__name__}.{f}" for m, f, _ in READ])
def test_received_text_shows_only_when_marked(model: type[Received], field: str, plain: bool) -> None:
    received = model.from_dict({field: CANARY})
    assert CANARY in [getattr(received, a.name) for a in attrs.fields(model)]
    assert (CANARY in repr(received)) == plain


def written_text(model: SentModel) -> dict[str, SentModel]:
    """The model once for each of its text fields, with the canary in it; by the member that it is written as."""
    found = {}
    for field in attrs.fields(type(model)):
        try:
            changed: SentModel = remade(model, **{field.name: CANARY})
        except ValueError:  # not a text field
            continue
        (member,) = (key for key, value in changed.to_dict().items() if value == CANARY)
        found[member] = changed
    return found


@pytest.mark.parametrize("model", SENDABLE, ids=lambda model: type(model).__name__)
def test_sent_text_shows_only_when_marked(model: SentModel) -> None:
    name, changed = type(model).__name__, written_text(model)
    assert changed.keys() == {field for owner, field in TEXT if owner == name}
    assert {field for field, m in changed.items() if CANARY in repr(m)} == {
        field for (owner, field), plain in TEXT.items() if owner == name and plain
    }


def test_every_model_takes_part() -> None:
    assert {model.__name__ for model in (*RECEIVED, *SENT)} == {name for name, _ in TEXT}


@pytest.mark.parametrize(
    "field",
    [
        "lastName",
        "firstName",
        "name",
        "airlinePNR",
        "ticketNo",
        "voucherId",
        "voucherCode",
        "note",
        "cancelReason",
        "msg",
        "cid",
    ],
)
def test_persons_and_what_is_worth_money_are_never_marked(field: str) -> None:
    marks = [plain for (_, name), plain in TEXT.items() if name == field]
    assert marks
    assert not any(marks)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (RefundQuotationResponse, "reference-2025.quote.response.json"),
        (RefundResponse, "reference-2025.submit.response.json"),
        (QueryRefundOrdersResponse, "reference-2025.query.response.json"),
    ],
)
def test_no_passenger_of_a_published_answer_shows(model: type[Received], name: str) -> None:
    shown = repr(model.from_json(sample(name)))
    assert [text for text in ("ZHAO", "YIER", "QIAN", "ERER", "S87579", "hahaha11111") if text in shown] == []
    assert "165.48" in shown


def test_no_passenger_of_a_request_shows() -> None:
    shown = repr(quote)
    assert [name for name in ("ZHAO", "YIER", "QIAN", "ERER") if name in shown] == []
    assert "U22437" in shown


def test_raw_and_unknown_members_do_not_show() -> None:
    shown = repr(RefundOrder.from_dict({"orderNo": "A1", "contact": CANARY, "refundStatus": 2}))
    assert "A1" in shown
    assert "RefundStatus.REFUNDED" in shown
    assert CANARY not in shown
