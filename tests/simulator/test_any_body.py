"""Whatever is sent, the answer is a body with an integer status."""

import asyncio
import json
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas_refunds.simulator import SCENARIOS, Clock, Simulator

from .conftest import HEADERS, PATHS, Api, checked

ANY_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def near_miss(right: Any) -> st.SearchStrategy[Any]:
    """What is right, with any member at any depth replaced."""
    match right:
        case dict():
            return st.fixed_dictionaries({}, optional={name: near_miss(part) for name, part in right.items()})
        case list():
            return st.lists(st.one_of(*map(near_miss, right)), max_size=3) | ANY_JSON
        case _:
            return st.just(right) | ANY_JSON


ORDER_NO = st.sampled_from([*SCENARIOS, "SIM-REFUNDED.", ".", "SIM-NOWHERE"])
BODIES = ANY_JSON | st.builds(
    lambda body, order_no: body | {"orderNo": order_no},
    near_miss(
        {"refundRequestList": Api.people("SIM-REFUNDED"), "displayCurrency": "EUR"}
        | {"refundOfferId": "q_b893711fcfae4e9d949e9965576bfd3a", "refundCode": "202505-0001", "carrier": None}
    ),
    ORDER_NO,
)


@given(path=st.sampled_from(sorted(PATHS.values())), body=BODIES)
@settings(max_examples=300, deadline=None)
def test_any_json_is_answered(path: str, body: Any) -> None:
    asyncio.run(answered(path, json.dumps(body).encode()))


@given(path=st.sampled_from(sorted(PATHS.values())), raw=st.binary())
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_answered(path: str, raw: bytes) -> None:
    asyncio.run(answered(path, raw))


async def answered(path: str, raw: bytes) -> None:
    """`ASGITransport` raises what the application raises, so nothing can hide behind an error page."""
    transport = httpx.ASGITransport(app=Simulator(clock=Clock(scale=0)).asgi)
    async with httpx.AsyncClient(transport=transport, base_url="http://atlas", headers=HEADERS) as http:
        checked(path, await http.post(path, content=raw))
