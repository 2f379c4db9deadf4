"""Which call meets which fault: by chance, through the control endpoint, from the command line."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from atlas_refunds.simulator import FAULTS, Simulator
from atlas_refunds.simulator.faultplan import FaultPlan, parse_settings

from .conftest import HEADERS, Api
from .test_serving import process

FAULTS_PATH = "/_simulator/faults"
SETTINGS: dict[str, Any] = {"seed": 7, "delay_seconds": 0.02, "rates": {"submit": {"empty": 0.25, "late": 0.5}}}


def met(plan: FaultPlan, operation: Any, calls: int = 1) -> list[str | None]:
    meetings = [plan.meet(operation, None, None) for _ in range(calls)]
    return [meeting.fault.name if meeting else None for meeting in meetings]


def planned(**settings: Any) -> FaultPlan:
    plan = FaultPlan()
    plan.set(**SETTINGS | settings)
    return plan


def test_the_same_seed_plays_the_same_faults() -> None:
    assert met(planned(), "submit", 50) == met(planned(), "submit", 50)
    assert met(planned(), "submit", 50) != met(planned(seed=8), "submit", 50)


def test_setting_again_begins_again() -> None:
    plan = planned()
    first = met(plan, "submit", 50)
    plan.set(**SETTINGS)
    assert met(plan, "submit", 50) == first


def test_operations_do_not_disturb_each_other() -> None:
    both = planned(rates=SETTINGS["rates"] | {"quote": {"refused": 0.5}})
    alternating = [met(both, operation)[0] for _ in range(50) for operation in ("quote", "submit")]
    assert alternating[1::2] == met(planned(), "submit", 50)
    assert set(alternating[::2]) == {"refused", None}


def test_the_order_of_the_rates_does_not_matter() -> None:
    turned = {"submit": {"late": 0.5, "empty": 0.25}}
    assert met(planned(rates=turned), "submit", 50) == met(planned(), "submit", 50)


def test_rates_are_kept() -> None:
    counted = Counter(met(planned(), "submit", 4000))
    assert counted.keys() == {"empty", "late", None}
    assert abs(counted["empty"] - 1000) < 100
    assert abs(counted["late"] - 2000) < 120


def test_a_rate_of_one_is_always_and_of_zero_is_never() -> None:
    assert set(met(planned(rates={"submit": {"empty": 1, "late": 0}}), "submit", 500)) == {"empty"}
    every = {"submit": dict.fromkeys(FAULTS, 1 / len(FAULTS))}
    assert None not in met(planned(rates=every), "submit", 500)


async def test_the_endpoint_sets_shows_and_clears(simulator: Simulator, api: Api) -> None:
    rates = {"submit": {"system_error": 1}, "query": {}}
    answer = await api.http.post(FAULTS_PATH, json={"seed": 7, "delay_seconds": 0.02, "rates": rates})
    assert answer.status_code == 200
    assert (await api.submit())["status"] == 2
    assert (await api.quote("SIM-VCC"))["status"] == 0
    shown = (await api.http.get(FAULTS_PATH)).json()
    assert {name: shown[name] for name in shown if name != "faults"} == {
        "seed": 7,
        "delay_seconds": 0.02,
        "rates": rates,
        "calls": {"quote": 1, "submit": 1, "query": 0},
        "played": {"quote": {}, "submit": {"system_error": 1}, "query": {}},
    }
    assert shown["faults"].keys() == FAULTS.keys()
    assert shown["faults"]["refused"] == {"about": FAULTS["refused"].about, "executed": False}

    cleared = (await api.http.post(FAULTS_PATH, json={"rates": {}})).json()
    assert (cleared["rates"], cleared["played"]["submit"]) == ({}, {})
    assert (await api.submit("SIM-VCC"))["status"] == 0


async def test_reset_clears(simulator: Simulator, api: Api) -> None:
    await api.http.post(FAULTS_PATH, json=SETTINGS)
    assert (await api.submit("SIM-REFUNDED+system_error"))["status"] == 2
    await api.http.post("/_simulator/reset")
    assert simulator.faults.describe() == FaultPlan().describe()
    assert (await api.submit("SIM-REFUNDED+system_error"))["status"] == 2  # the first one again


WRONG: list[tuple[Any, str]] = [
    ([], "the whole is not an object"),
    ({"rate": {}}, "unknown: rate; known are seed, delay_seconds, rates"),
    ({"seed": "7"}, "seed is not an integer"),
    ({"seed": True}, "seed is not an integer"),
    ({"delay_seconds": -1}, "the delay is not a number of seconds from 0 to 600"),
    ({"delay_seconds": "1"}, "the delay is not a number of seconds from 0 to 600"),
    ({"delay_seconds": 10**400}, "the delay is not a number of seconds from 0 to 600"),
    ({"rates": {"pay": {}}}, "unknown operation: pay; known are quote, submit, query"),
    ({"rates": []}, "rates is not an object"),
    ({"rates": {"submit": [0.1]}}, "rates for submit is not an object"),
    ({"rates": {"submit": {"lost": 0.1}}}, f"unknown fault: lost; known are {', '.join(FAULTS)}"),
    ({"rates": {"submit": {"late": 1.1}}}, "the rate of late for submit is not a number from 0 to 1"),
    ({"rates": {"submit": {"late": float("nan")}}}, "the rate of late for submit is not a number from 0 to 1"),
    ({"rates": {"submit": {"late": True}}}, "the rate of late for submit is not a number from 0 to 1"),
    ({"rates": {"submit": {"late": 0.6, "empty": 0.5}}}, "the rates for submit add up to more than 1"),
]


@pytest.mark.parametrize(("wrong", "sentence"), WRONG)
async def test_what_is_wrong_is_said_and_changes_nothing(
    wrong: Any, sentence: str, simulator: Simulator, api: Api
) -> None:
    simulator.faults.set(**SETTINGS)
    before = simulator.faults.describe()
    answer = await api.http.post(FAULTS_PATH, content=json.dumps(wrong))
    assert (answer.status_code, answer.json()) == (400, {"error": sentence})
    assert simulator.faults.describe() == before
    with pytest.raises(ValueError, match=sentence.partition(";")[0]):
        parse_settings(wrong)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
async def test_no_json_is_refused(content: bytes, api: Api) -> None:
    answer = await api.http.post(FAULTS_PATH, content=content)
    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_ten_tenths_are_not_more_than_one(api: Api) -> None:
    rates = {"submit": dict.fromkeys(list(FAULTS)[:10], 0.1)}
    assert (await api.http.post(FAULTS_PATH, json={"rates": rates})).status_code == 200


def test_the_command_plays_faults_without_a_word(tmp_path: Path) -> None:
    """Every fault, and then the end while one is still under way."""
    file = tmp_path / "faults.json"
    file.write_text(json.dumps({"delay_seconds": 0.01, "rates": {"quote": {"empty": 1}}}))
    with process("--day", "0", "--faults", str(file)) as running:
        assert running.stdout
        assert running.stderr
        url = running.stdout.readline().split()[-1]
        with httpx.Client(base_url=url, headers=HEADERS) as http:
            assert http.post("/refundQuotation.do", json={}).content == b""
            for name in [*FAULTS, "late;delay=600"]:
                body = {"orderNo": f"SIM-REFUNDED.{name}", "refundRequestList": Api.people("SIM-REFUNDED")}
                try:
                    http.post("/refund.do", json=body, headers={"x-simulator-fault": name}, timeout=0.5)
                except httpx.TransportError:
                    continue
            orders = http.get("/_simulator/state").json()["orders"]
            assert len(orders) == sum(fault.executed for fault in FAULTS.values())
            running.terminate()
            assert running.wait(timeout=10) == 0
        assert running.stderr.read() == ""


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "No such file"),
        ("{", "Expecting property name"),
        ('{"rates": {"submit": {"lost": 1}}}', "unknown fault: lost"),
    ],
)
def test_the_command_refuses_a_wrong_file(content: str | None, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    if content is not None:
        file.write_text(content)
    with process("--faults", str(file)) as running:
        _, errors = running.communicate(timeout=10)
    assert running.returncode == 2
    assert sentence in errors
    assert "Traceback" not in errors
