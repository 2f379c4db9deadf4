"""`/_simulator`: what tests in other processes look at, and how they step the clock. Not part of Atlas."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .clock import DAY, Clock, scale_for
from .faultplan import FaultPlan
from .requests import Json
from .scenarios import Scenario
from .service import QUERY_WITHOUT_CODE, Service
from .webhooks import Webhooks

Target = TypeVar("Target")


def routes(service: Service, faults: FaultPlan, webhooks: Webhooks) -> list[Route]:
    return [
        Route("/scenarios", _endpoint(service, _scenarios), methods=["GET"]),
        Route("/state", _endpoint(service, _state), methods=["GET"]),
        Route("/clock", _endpoint(service, _set_clock), methods=["POST"]),
        Route("/settings", _endpoint(service, _settings), methods=["GET"]),
        Route("/settings", _endpoint(service, _set_settings), methods=["POST"]),
        Route("/faults", _endpoint(faults, _faults), methods=["GET"]),
        Route("/faults", _endpoint(faults, _set_faults), methods=["POST"]),
        Route("/webhooks", _endpoint(webhooks, _webhooks), methods=["GET"]),
        Route("/webhooks", _endpoint(webhooks, _set_webhooks), methods=["POST"]),
        Route("/end", _endpoint(service, _end), methods=["POST"]),
        Route("/reset", _endpoint(service, _reset), methods=["POST"]),
    ]


def _endpoint(target: Target, handler: Callable[[Target, bytes], object]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(handler(target, await request.body()))
        except (ValueError, OverflowError, RecursionError) as wrong:
            return JSONResponse({"error": str(wrong)}, status_code=400)

    return endpoint


def _scenarios(service: Service, _: bytes) -> list[Json]:
    return [_describe(scenario) for scenario in service.scenarios.values()]


def _describe(scenario: Scenario) -> Json:
    return {
        "orderNo": scenario.order_no,
        "airlinePNR": scenario.pnr,
        "carrier": scenario.carrier,
        "about": scenario.about,
        "payment": scenario.lifecycles[0].payment,
        "passengers": [
            {"lastName": passenger.last_name, "firstName": passenger.first_name, "passengerType": passenger.type}
            for passenger in scenario.passengers
        ],
        "segments": [
            {
                "depDate": segment.dep_date,
                "flightNo": segment.flight_no,
                "depAirport": segment.dep_airport,
                "arrAirport": segment.arr_airport,
            }
            for segment in scenario.segments
        ],
    }


def _state(service: Service, _: bytes) -> Json:
    now = service.clock.now()
    return {
        "clock": _clock(service.clock),
        "orders": {
            order_no: {
                "submissions": len(refunds),
                "refunds": [{"refundCode": refund.code, "refundStatus": refund.status(now)} for refund in refunds],
            }
            for order_no, refunds in service.ledger.by_order().items()
        },
    }


def _clock(clock: Clock) -> Json:
    return {"now": clock.now().isoformat(), "seconds_per_day": DAY / clock.scale if clock.scale else 0}


def _set_clock(service: Service, raw: bytes) -> Json:
    """{"advance_seconds": n}, {"seconds_per_day": x} or both; all is checked before anything changes."""
    changes = _members(raw, "advance_seconds", "seconds_per_day")
    step = timedelta(seconds=_number(changes.get("advance_seconds", 0)))
    seconds_per_day = changes.get("seconds_per_day")
    scale = service.clock.scale if seconds_per_day is None else scale_for(_number(seconds_per_day))
    service.clock.advance(step)
    service.clock.scale = scale
    return _clock(service.clock)


def _settings(service: Service, _: bytes) -> Json:
    return {"query_without_code": service.query_without_code}


def _set_settings(service: Service, raw: bytes) -> Json:
    """{"query_without_code": "refuse"} or "list"."""
    wanted = _members(raw, "query_without_code").get("query_without_code", service.query_without_code)
    if wanted not in QUERY_WITHOUT_CODE:
        raise ValueError(f"query_without_code is one of: {', '.join(QUERY_WITHOUT_CODE)}")
    service.query_without_code = wanted
    return _settings(service, raw)


def _faults(faults: FaultPlan, _: bytes) -> Json:
    return faults.describe()


def _set_faults(faults: FaultPlan, raw: bytes) -> Json:
    faults.load(json.loads(raw))
    return faults.describe()


def _webhooks(webhooks: Webhooks, _: bytes) -> Json:
    return webhooks.describe()


def _set_webhooks(webhooks: Webhooks, raw: bytes) -> Json:
    webhooks.load(json.loads(raw))
    return webhooks.describe()


def _end(service: Service, raw: bytes) -> Json:
    """{"refundCode": "202505-0001", "refundStatus": 4}: it takes this final status now, whatever was to come."""
    wanted = _members(raw, "refundCode", "refundStatus")
    now = service.clock.now()
    refund = service.ledger.end(str(wanted.get("refundCode")), int(_number(wanted.get("refundStatus"))), now)
    return {"refundCode": refund.code, "refundStatus": refund.status(now)}


def _members(raw: bytes, *known: str) -> Json:
    wanted: object = json.loads(raw)
    if not isinstance(wanted, dict):
        raise ValueError("an object is wanted")
    members = cast("Json", wanted)
    if unknown := members.keys() - set(known):
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    return members


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a number is wanted")
    return float(value)


def _reset(service: Service, _: bytes) -> Json:
    service.reset()
    return _clock(service.clock)
