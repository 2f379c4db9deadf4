"""An open question of the service: a query without refundCode is refused, or lists all refunds of the order."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from atlas_refunds.simulator import Simulator

from .conftest import HEADERS, QIAN, ZHAO, Api, Body
from .test_serving import process

WITHOUT: list[Body] = [{}, {"refundCode": None}, {"refundCode": ""}]


async def codes(api: Api, order_no: str, **changes: Any) -> Sequence[str]:
    answer = await api.send("query", {"orderNo": order_no} | changes)
    return [refund["refundCode"] for refund in answer["refundOrders"]]


@pytest.mark.parametrize("without", WITHOUT)
async def test_it_lists_the_refunds_of_the_order(without: Body, simulator: Simulator, api: Api) -> None:
    simulator.query_without_code = "list"
    assert await codes(api, "SIM-REFUNDED", **without) == []
    made = [(await api.submit("SIM-REFUNDED", name))["refundCode"] for name in (ZHAO, QIAN)]
    other = (await api.submit("SIM-VCC"))["refundCode"]
    assert await codes(api, "SIM-REFUNDED", **without) == made
    assert await codes(api, "SIM-VCC", **without) == [other]
    assert await codes(api, "SIM-REFUNDED", refundCode=made[1]) == made[1:]
    assert (await api.send("query", {"orderNo": "SIM-NOWHERE"} | without))["status"] == 801


@pytest.mark.parametrize("without", WITHOUT)
async def test_it_is_refused_by_default(without: Body, api: Api) -> None:
    await api.submit()
    assert (await api.send("query", {"orderNo": "SIM-REFUNDED"} | without))["status"] == 810


async def test_the_endpoint_sets_it_and_reset_takes_it_back(api: Api) -> None:
    refuse, listed = {"query_without_code": "refuse"}, {"query_without_code": "list"}
    assert (await api.http.get("/_simulator/settings")).json() == refuse
    assert (await api.http.post("/_simulator/settings", json=listed)).json() == listed
    assert (await api.http.get("/_simulator/settings")).json() == listed
    await api.http.post("/_simulator/reset")
    assert (await api.http.get("/_simulator/settings")).json() == refuse


def test_reset_goes_back_to_what_was_chosen_at_first() -> None:
    simulator = Simulator(query_without_code="list")
    simulator.query_without_code = "refuse"
    simulator.reset()
    assert str(simulator.query_without_code) == "list"


@pytest.mark.parametrize("wrong", [[], {"query_without_code": "lists"}, {"query_without_code": []}, {"query": "list"}])
async def test_a_wrong_setting_is_refused(wrong: Any, api: Api) -> None:
    answer = await api.http.post("/_simulator/settings", json=wrong)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_the_command_has_an_option() -> None:
    with process("--query-without-code", "list") as running:
        assert running.stdout
        url = running.stdout.readline().split()[-1]
        answer = httpx.post(url + "/queryRefundOrders.do", json={"orderNo": "SIM-REFUNDED"}, headers=HEADERS)
    assert answer.json() == {"refundOrders": [], "status": 0, "msg": None}
