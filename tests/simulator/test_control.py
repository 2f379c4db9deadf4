from datetime import timedelta
from typing import Any

import pytest

from atlas_refunds.simulator import SCENARIOS, Simulator
from atlas_refunds.simulator.clock import START

from .conftest import Api


async def test_scenarios_list_what_a_request_needs(api: Api) -> None:
    listed = (await api.http.get("/_simulator/scenarios")).json()
    assert [entry["orderNo"] for entry in listed] == list(SCENARIOS)
    entry = next(entry for entry in listed if entry["orderNo"] == "SIM-RETURN")
    people = [{**passenger, "segments": entry["segments"], "refundReason": "1"} for passenger in entry["passengers"]]
    assert (await api.quote("SIM-RETURN", refundRequestList=people))["status"] == 0


def test_every_order_has_its_own_airline_pnr() -> None:
    assert len({(scenario.pnr, scenario.carrier) for scenario in SCENARIOS.values()}) == len(SCENARIOS)


async def test_state_counts_executed_submissions_only(api: Api) -> None:
    first = await api.submit("SIM-REFUNDED")
    await api.submit("SIM-REFUNDED")
    await api.submit("SIM-NOT-TICKETED")
    await api.quote("SIM-VCC")
    state = (await api.http.get("/_simulator/state")).json()
    assert state["orders"] == {
        "SIM-REFUNDED": {"submissions": 1, "refunds": [{"refundCode": first["refundCode"], "refundStatus": 0}]}
    }
    await api.http.post("/_simulator/clock", json={"advance_seconds": 10 * 86_400})
    state = (await api.http.get("/_simulator/state")).json()
    assert state["orders"]["SIM-REFUNDED"]["refunds"][0]["refundStatus"] == 3


async def test_the_clock_is_stepped_and_scaled(simulator: Simulator, api: Api) -> None:
    answer = await api.http.post("/_simulator/clock", json={"advance_seconds": 3600.5, "seconds_per_day": 2})
    now = START + timedelta(seconds=3600.5)
    assert answer.json() == {"now": now.isoformat(), "seconds_per_day": 2}
    assert simulator.clock.scale == 43_200
    answer = await api.http.post("/_simulator/clock", json={"seconds_per_day": 0})
    assert answer.json() == {"now": now.isoformat(), "seconds_per_day": 0}


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {"advance": 1},
        {"advance_seconds": "1"},
        {"advance_seconds": True},
        {"advance_seconds": -1},
        {"advance_seconds": 1e300},
        {"advance_seconds": 10**400},
        {"advance_seconds": 1, "seconds_per_day": -1},
    ],
)
async def test_a_wrong_change_of_the_clock_changes_nothing(wrong: Any, simulator: Simulator, api: Api) -> None:
    answer = await api.http.post("/_simulator/clock", json=wrong)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert (simulator.clock.now(), simulator.clock.scale) == (START, 0)


async def test_reset_forgets_everything(simulator: Simulator, api: Api) -> None:
    offer = (await api.quote("SIM-VCC"))["refundOfferId"]
    await api.submit("SIM-REFUNDED")
    await api.submit("SIM-IN-PROGRESS")
    simulator.clock.advance(timedelta(days=1))
    assert (await api.http.post("/_simulator/reset")).json() == {"now": START.isoformat(), "seconds_per_day": 0}
    assert (await api.http.get("/_simulator/state")).json()["orders"] == {}
    assert (await api.submit("SIM-VCC", refundOfferId=offer))["status"] == 805
    assert (await api.submit("SIM-REFUNDED"))["status"] == 0
