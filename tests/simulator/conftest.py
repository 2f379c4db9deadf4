"""One way to call a simulator. Every answer that passes here is checked against the OpenAPI documents."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS30Validator

from atlas_refunds.simulator import CLIENT_ID, CLIENT_SECRET, Clock, Simulator
from atlas_refunds.simulator.scenarios import SCENARIOS, split_order_no

OPENAPI = Path(__file__).parents[2] / "openapi"
PATHS = {"quote": "/refundQuotation.do", "submit": "/refund.do", "query": "/queryRefundOrders.do"}
HEADERS = {"x-atlas-client-id": CLIENT_ID, "x-atlas-client-secret": CLIENT_SECRET}
ZHAO, QIAN = ("ZHAO", "YIER"), ("QIAN", "ERER")

Body = dict[str, Any]


def sample(name: str) -> Any:
    return json.loads((OPENAPI / "samples" / f"reference-2025.{name}.json").read_text("utf-8"))


def _response_schema(document: str, path: str) -> Body:
    """With the components beside it, so that its references resolve."""
    spec = json.loads((OPENAPI / document).read_text("utf-8"))
    schema = spec["paths"][path]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    if reference := schema.get("$ref"):
        schema = spec["components"]["schemas"][reference.rsplit("/", 1)[1]]
    return {**schema, "components": spec["components"]}


_VALIDATORS = {path: OAS30Validator(_response_schema("corrected.json", path)) for path in PATHS.values()}
_PUBLISHED_MEMBERS = {path: set(_response_schema("merged.json", path)["required"]) for path in PATHS.values()}


def checked(path: str, response: httpx.Response) -> Body:
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json;charset=UTF-8"
    body: Body = response.json()
    assert type(body["status"]) is int
    if body["status"] == 0:
        assert body.keys() >= _PUBLISHED_MEMBERS[path]
    else:
        assert list(body) == ["status", "msg"]
        assert isinstance(body["msg"], str)
    # The unknown status is the one answer that breaks the schema, as its scenario promises.
    errors = [error for error in _VALIDATORS[path].iter_errors(body) if error.instance != 7]
    assert not errors, errors
    return body


def passenger(name: tuple[str, str] = ZHAO, *, order_no: str = "SIM-REFUNDED", **changes: Any) -> Body:
    """An entry of refundRequestList as the booking has it, but for the changes."""
    segments = [
        {"depDate": segment.dep_date, "flightNo": segment.flight_no}
        | {"depAirport": segment.dep_airport, "arrAirport": segment.arr_airport}
        for segment in SCENARIOS[split_order_no(order_no)[0]].segments
    ]
    return {"lastName": name[0], "firstName": name[1], "segments": segments, "refundReason": "1"} | changes


class Api:
    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def send(self, operation: str, body: object) -> Body:
        path = PATHS[operation]
        return checked(path, await self.http.post(path, json=body))

    async def quote(self, order_no: str = "SIM-REFUNDED", *names: tuple[str, str], **changes: Any) -> Body:
        body = {"orderNo": order_no, "refundRequestList": self.people(order_no, *names)}
        return await self.send("quote", body | changes)

    async def submit(self, order_no: str = "SIM-REFUNDED", *names: tuple[str, str], **changes: Any) -> Body:
        """By list, unless the changes name an offer."""
        people = None if "refundOfferId" in changes else self.people(order_no, *names)
        return await self.send("submit", {"orderNo": order_no, "refundRequestList": people} | changes)

    async def query(self, order_no: str, code: str, **changes: Any) -> Body:
        return await self.send("query", {"orderNo": order_no, "refundCode": code} | changes)

    async def refund_order(self, order_no: str, code: str, **changes: Any) -> Body:
        body = await self.query(order_no, code, **changes)
        (refund_order,) = body["refundOrders"]
        return dict(refund_order)

    @staticmethod
    def people(order_no: str, *names: tuple[str, str], **changes: Any) -> list[Body]:
        return [passenger(name, order_no=order_no, **changes) for name in names or (ZHAO, QIAN)]


class Ticker:
    """A monotonic clock that is moved by hand."""

    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def ticker() -> Ticker:
    return Ticker()


@pytest.fixture
def simulator(ticker: Ticker) -> Simulator:
    return Simulator(clock=Clock(scale=0, monotonic=ticker))


@pytest.fixture
async def api(simulator: Simulator) -> AsyncIterator[Api]:
    transport = httpx.ASGITransport(app=simulator.asgi)
    async with httpx.AsyncClient(transport=transport, base_url="http://atlas", headers=HEADERS) as http:
        yield Api(http)


TWO_HOURS = timedelta(hours=2)
TEN_DAYS = timedelta(days=10)
