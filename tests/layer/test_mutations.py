"""Any mutation of any published answer is a result or an AtlasRefundsError, never anything else.

`MUTATIONS=20000 pytest tests/layer/test_mutations.py` is the long run.
"""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from atlas_refunds_api import types as wire
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atlas_refunds import AtlasRefundsError, Refund, RefundQuote, RefundState, parse_notification
from atlas_refunds.caller import understood
from atlas_refunds.envelope import Answer
from atlas_refunds.transport import Request

from .conftest import ORDER, SAMPLES

EXAMPLES = int(os.environ.get("MUTATIONS", "300"))
SECOND = timedelta(seconds=1)
NOW = datetime(2025, 5, 12, tzinfo=UTC)
BODIES = {path.name: path.read_bytes() for path in sorted(SAMPLES.glob("*.json")) if path.name != "index.json"}
READERS: dict[str, Callable[[dict[str, Any], str | None], object]] = {
    "quote": lambda body, _: RefundQuote.from_dict(body, order=ORDER, passengers=()),
    "submit": lambda body, _: Refund.from_dict(body, order=ORDER, submitted=NOW),
    "query": lambda body, _: wire.many(body, "refundOrders", lambda one: RefundState.from_dict(one, order=ORDER)),
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [at]
    if isinstance(value, dict):
        found += [place for key, child in value.items() for place in places(child, (*at, key))]
    elif isinstance(value, list):
        found += [place for index, child in enumerate(value) for place in places(child, (*at, index))]
    return found


def replaced(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    copy = value.copy()
    copy[place[0]] = replaced(value[place[0]], place[1:], new)
    return copy


@st.composite
def mutated_body(draw: st.DrawFn) -> bytes:
    """A sample with some values replaced, or with some of its bytes."""
    content = draw(st.sampled_from(list(BODIES.values())))
    if draw(st.booleans()):
        body = json.loads(content)
        for _ in range(draw(st.integers(1, 3))):
            body = replaced(body, draw(st.sampled_from(places(body))), draw(VALUES))
        return json.dumps(body).encode()
    start = draw(st.integers(0, len(content)))
    return content[:start] + draw(st.binary(max_size=8)) + content[draw(st.integers(start, len(content))) :]


@pytest.mark.parametrize("operation", READERS)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=mutated_body(), http_status=st.sampled_from([200, 200, 200, 201, 302, 429, 503, 522]))
def test_mutated_answer(operation: str, body: bytes, http_status: int) -> None:
    zero = timedelta(seconds=1)
    request = Request(
        name=operation,
        path="/",
        headers={},
        content=b"",
        timeout=zero,
        connect_timeout=zero,
        once=operation == "submit",
    )
    try:
        repr(understood(Answer(http_status, {}, body), request, READERS[operation], NOW))
    except AtlasRefundsError as error:
        str(error)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=mutated_body())
def test_mutated_webhook(body: bytes) -> None:
    try:
        repr(parse_notification(body))
    except AtlasRefundsError as error:
        str(error)
