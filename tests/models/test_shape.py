import copy
import json
import pickle
import typing
from decimal import Decimal
from importlib.resources import files
from typing import Any

import attrs
import pytest
from atlas_refunds_api.models import (
    QueryRefundOrdersResponse,
    RefundCompletedEvent,
    RefundCompletedNotification,
    RefundOrder,
    RefundQuotationResponse,
    RefundResponse,
    RefundStatus,
)
from atlas_refunds_api.types import Received, WireError
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from .shapes import CLASSES, ENUMS, RECEIVED, SENDABLE, SENT, SentModel, fields, sample

MODELS: list[type[Any]] = [*RECEIVED, *SENT]
EACH_RECEIVED = pytest.mark.parametrize("model", RECEIVED, ids=lambda model: model.__name__)
EACH_MODEL = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)


def test_every_schema_has_its_class() -> None:
    assert {model.__name__ for model in MODELS} == {name for name, _, _ in fields()}
    assert {*RECEIVED, *SENT, *ENUMS} == {*CLASSES}
    assert {*SENT} == {type(model) for model in SENDABLE}


@EACH_MODEL
def test_annotations_are_plain(model: type[Any]) -> None:
    """Money is never a float, and absent is None: no third value to test for."""
    hints = " ".join(map(str, typing.get_type_hints(model).values()))
    assert "float" not in hints
    assert "Unset" not in hints


@EACH_MODEL
def test_models_are_frozen_slotted_and_keyword_only(model: type[Any]) -> None:
    instance = next((m for m in SENDABLE if type(m) is model), None) or model()
    assert not hasattr(instance, "__dict__")
    for field in attrs.fields(model):
        assert field.kw_only
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(instance, field.name, None)


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])  # noqa: S301
@pytest.mark.parametrize("model", SENDABLE, ids=lambda model: type(model).__name__)
def test_sent_models_survive_copies(model: SentModel, twin: Any) -> None:
    assert twin(model) == model
    assert twin(model).to_dict() == model.to_dict()


READ: list[tuple[type[Received], str]] = [
    (RefundQuotationResponse, "reference-2025.quote.response.json"),
    (RefundResponse, "reference-2025.submit.response.json"),
    (QueryRefundOrdersResponse, "reference-2025.query.response.json"),
    (RefundCompletedNotification, "webhook-2025.json"),
    (RefundCompletedEvent, "flow-2022.webhook.json"),
    (RefundQuotationResponse, "flow-2022.quote.response.json"),
    (RefundResponse, "flow-2022.submit.response.json"),
]
EACH_ANSWER = pytest.mark.parametrize(("model", "name"), READ, ids=[name for _, name in READ])


@EACH_ANSWER
def test_received_models_survive_copies(model: type[Received], name: str) -> None:
    received = model.from_json(sample(name))
    for twin in (pickle.loads(pickle.dumps(received)), copy.deepcopy(received)):  # noqa: S301
        assert twin == received
        assert hash(twin) == hash(received)
        assert twin.raw == received.raw


@EACH_ANSWER
def test_the_published_answers_are_read_whole(model: type[Received], name: str) -> None:
    """Members without a field are the flat amounts of 2022 only, and no member that is not null is read as None."""
    received = model.from_json(sample(name))
    legacy = {
        "currency",
        "originalTotalFareAmount",
        "originalTotalAncillaryAmount",
        "originalTotalAmount",
        "airlinePenaltyAmountForFare",
        "airlinePenaltyAmountForAncillaries",
        "airlinePenaltyAmount",
        "estimatedRefundAmount",
        "transactionFee",
    }
    assert received.extra.keys() == (legacy if name.startswith("flow-2022") and "webhook" not in name else set())
    given = sum(value not in (None, "", []) for key, value in received.raw.items() if key not in received.extra)
    read = [getattr(received, field.name) for field in attrs.fields(model) if field.name != "raw"]
    assert sum(value not in (None, ()) for value in read) == given


def test_models_can_be_made_by_hand() -> None:
    made = RefundOrder(order_no="X", refund_status=RefundStatus.REFUNDED)
    assert made == RefundOrder.from_dict({"orderNo": "X", "refundStatus": 2})
    assert attrs.evolve(made, order_no="Y").order_no == "Y"


@attrs.frozen(kw_only=True)
class Tagged(RefundOrder):
    tag: str
    seen: int = 0


def test_a_subclass_with_fields_of_its_own() -> None:
    tagged = Tagged.from_dict({"orderNo": "X", "other": 1}, tag="t", seen=2)
    assert (type(tagged), tagged.order_no, tagged.tag, tagged.seen, tagged.extra) == (Tagged, "X", "t", 2, {"other": 1})
    assert Tagged.from_json(b'{"orderNo": "X"}', tag="t").order_no == "X"
    with pytest.raises(TypeError, match="tag"):
        Tagged.from_dict({})


def test_the_package_says_that_it_is_typed() -> None:
    assert files("atlas_refunds_api").joinpath("py.typed").is_file()


# ---- any answer at all -----------------------------------------------------------------------------------------------
names = st.sampled_from(sorted({field for _, field, _ in fields()}))
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["", "2", "20250701", "12.50", "1e400", "true", " 0 "])
)


def containers(children: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return st.lists(children, max_size=3) | st.dictionaries(names | st.text(max_size=3), children, max_size=6)


anything = st.recursive(scalars, containers, max_leaves=20)


@EACH_RECEIVED
@given(value=anything | st.dictionaries(names, anything, max_size=8))
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_any_json_is_read_or_a_wire_error(model: type[Received], value: Any) -> None:
    try:
        received = model.from_json(json.dumps(value))
    except WireError:
        return
    assert received.raw == json.loads(json.dumps(value), parse_float=Decimal)
    assert pickle.loads(pickle.dumps(received)) == received  # noqa: S301
    assert repr(received).startswith(model.__name__)
