"""`/_simulator`: what tests in other processes look at, and how they step the clock. Not part of Atlas."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .clock import DAY, Clock, scale_for
from .requests import Json
from .scenarios import Scenario
from .service import Service

Handler = Callable[[Service, bytes], object]


def routes(service: Service) -> list[Route]:
    return [
        Route("/scenarios", _endpoint(service, _scenarios), methods=["GET"]),
        Route("/state", _endpoint(service, _state), methods=["GET"]),
        Route("/clock", _endpoint(service, _set_clock), methods=["POST"]),
        Route("/reset", _endpoint(service, _reset), methods=["POST"]),
    ]


def _endpoint(service: Service, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(handler(service, await request.body()))
        except (ValueError, OverflowError) as wrong:
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
    wanted: object = json.loads(raw)
    if not isinstance(wanted, dict):
        raise ValueError("an object is wanted")
    changes = cast("dict[str, object]", wanted)
    if unknown := changes.keys() - {"advance_seconds", "seconds_per_day"}:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    step = timedelta(seconds=_number(changes.get("advance_seconds", 0)))
    seconds_per_day = changes.get("seconds_per_day")
    scale = service.clock.scale if seconds_per_day is None else scale_for(_number(seconds_per_day))
    service.clock.advance(step)
    service.clock.scale = scale
    return _clock(service.clock)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a number is wanted")
    return float(value)


def _reset(service: Service, _: bytes) -> Json:
    service.reset()
    return _clock(service.clock)
