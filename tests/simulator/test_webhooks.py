"""What the simulator announces, to a real server, and what goes wrong on the way."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from atlas_refunds import NotificationError, RefundStatus, parse_notification
from atlas_refunds.simulator import Simulator, serve
from atlas_refunds.simulator.webhooks import FATES, FORGERIES
from tests.layer.wire_server import WireServer, answers, closes_before_answer, wire_server

from .conftest import TEN_DAYS, Api

SEVEN_WEEKS = timedelta(weeks=7)


@pytest.fixture
async def hook() -> AsyncIterator[WireServer]:
    async with wire_server() as server:
        server.plays(answers({}))
        yield server


def bodies(hook: WireServer) -> list[Any]:
    return [call.json for call in hook.calls]


def statuses(hook: WireServer) -> list[int]:
    """As our own parser reads them."""
    events = [parse_notification(call.body, dict(call.headers)) for call in hook.calls]
    return [int(str(event.refund.refund_status)) for event in events if event.refund]


@pytest.mark.parametrize("shape", ["flat", "enveloped", "current"])
async def test_each_change_is_announced_once_in_its_shape(
    shape: str, simulator: Simulator, api: Api, hook: WireServer
) -> None:
    simulator.webhooks.set(f"{hook.url}/hook", shape=shape)
    await api.submit()
    await simulator.deliver()
    assert hook.calls == []  # who submits has an answer
    for step in (timedelta(hours=4), TEN_DAYS, SEVEN_WEEKS):
        simulator.clock.advance(step)
        await simulator.deliver()
        await simulator.deliver()
    assert statuses(hook) == [1, 3, 2]
    assert {call.path for call in hook.calls} == {"/hook"}
    assert dict(hook.calls[0].headers)["content-type"] == "application/json;charset=UTF-8"
    body = bodies(hook)[-1]
    claims = body if shape == "flat" else body["data"]
    assert claims["refundStatus"] == ("2" if shape == "enveloped" else 2)
    assert ("status" in body, "type" in body) == (shape == "current", shape != "flat")
    assert [sent.answer for sent in simulator.webhooks.log] == ["HTTP 200"] * 3


async def test_as_in_the_published_samples_the_amounts_do_not_add_up(
    simulator: Simulator, api: Api, hook: WireServer
) -> None:
    simulator.webhooks.set(hook.url)
    await api.submit("SIM-PENALTY")
    simulator.clock.advance(SEVEN_WEEKS)
    await simulator.deliver()
    assert parse_notification(hook.calls[-1].body).adds_up is False


async def test_what_was_before_the_address_is_not_announced(simulator: Simulator, api: Api, hook: WireServer) -> None:
    await api.submit()
    simulator.clock.advance(TEN_DAYS)
    await simulator.deliver()
    simulator.webhooks.set(hook.url)
    simulator.clock.advance(SEVEN_WEEKS)
    await simulator.deliver()
    assert statuses(hook) == [2]


async def run_refunds(simulator: Simulator, api: Api, url: str, number: int, **settings: object) -> None:
    simulator.webhooks.set(url, **settings)
    for order in range(number):
        await api.submit(f"SIM-REFUNDED.{order}")
    for _ in range(8):
        simulator.clock.advance(timedelta(weeks=1))
        await simulator.deliver()


async def test_lost_twice_late_and_forged_in_their_shares(simulator: Simulator, api: Api, hook: WireServer) -> None:
    await run_refunds(simulator, api, hook.url, 60, seed=5, rates=dict.fromkeys(FATES, 0.3), late_seconds=600)
    about = Counter(sent.about for sent in simulator.webhooks.log)
    assert 0.6 < about["change"] / 180 < 0.8
    assert 0.15 < about["copy"] / about["change"] < 0.45
    assert {f"forged: {kind}" for kind in FORGERIES} <= set(about)
    assert 0.2 < sum(n for name, n in about.items() if name.startswith("forged")) / 180 < 0.4
    assert len(hook.calls) == len(simulator.webhooks.log)


async def test_what_is_late_is_overtaken(simulator: Simulator, api: Api, hook: WireServer) -> None:
    simulator.webhooks.set(hook.url, seed=1, rates={"late": 0.5}, late_seconds=600)
    for order in range(10):
        await api.submit(f"SIM-REFUNDED.{order}")
    simulator.clock.advance(SEVEN_WEEKS)
    await simulator.deliver()
    assert 0 < len(hook.calls) < 30
    simulator.clock.advance(timedelta(minutes=10))
    await simulator.deliver()
    seen: dict[str, list[int]] = {}
    for body, status in zip(hook.calls, statuses(hook), strict=True):
        seen.setdefault(str(parse_notification(body.body).order_no), []).append(status)
    assert {tuple(sorted(order)) for order in seen.values()} == {(1, 2, 3)}  # all of them came
    assert any(order != [1, 3, 2] for order in seen.values())


async def test_the_same_seed_sends_the_same(api: Api, simulator: Simulator, hook: WireServer) -> None:
    logs = []
    for _ in range(2):
        await run_refunds(simulator, api, hook.url, 8, seed=3, rates=dict.fromkeys(FATES, 0.3))
        logs.append([(sent.refund_code, sent.about, sent.shape, sent.body) for sent in simulator.webhooks.log])
        simulator.reset()
        assert simulator.webhooks.log == []
    assert logs[0] == logs[1]


@pytest.mark.parametrize("order_no", ["SIM-REFUNDED", "SIM-REJECTED"])
async def test_forged_ones_claim_what_is_not_so(
    order_no: str, simulator: Simulator, api: Api, hook: WireServer
) -> None:
    simulator.webhooks.set(hook.url, seed=2, rates={"lost": 1, "forged": 1})
    for number in range(12):
        await api.submit(f"{order_no}.{number}")
    simulator.clock.advance(SEVEN_WEEKS)
    await simulator.deliver()
    truth = RefundStatus.REFUNDED if order_no == "SIM-REFUNDED" else RefundStatus.REJECTED
    for sent in simulator.webhooks.log:
        try:
            event = parse_notification(sent.body)
        except NotificationError:
            assert sent.about == "forged: no JSON"
            continue
        known = event.order_no == sent.order_no
        claimed = event.refund and event.refund.refund_status
        assert not (known and sent.status in (2, 4) and claimed == truth)


async def test_a_receiver_that_is_not_there_is_written_down(simulator: Simulator, api: Api, hook: WireServer) -> None:
    hook.plays(closes_before_answer)
    simulator.webhooks.set(hook.url)
    await api.submit("SIM-VOID")
    simulator.clock.advance(timedelta(minutes=5))
    await simulator.deliver()
    assert {sent.answer for sent in simulator.webhooks.log} == {"RemoteProtocolError"}


async def test_served_it_delivers_by_itself(simulator: Simulator, hook: WireServer, api: Api) -> None:
    simulator.webhooks.set(hook.url)
    async with serve(simulator):
        await api.submit("SIM-REJECTED")
        simulator.clock.advance(TEN_DAYS)
        await hook.was_called()
    assert statuses(hook)[0] in (1, 4)


async def test_a_refund_can_be_ended_by_hand(simulator: Simulator, api: Api, hook: WireServer) -> None:
    simulator.webhooks.set(hook.url)
    code = (await api.submit("SIM-STUCK"))["refundCode"]
    simulator.clock.advance(TEN_DAYS)
    ended = await api.http.post("/_simulator/end", json={"refundCode": code, "refundStatus": 4})
    assert ended.json() == {"refundCode": code, "refundStatus": 4}
    order = await api.refund_order("SIM-STUCK", code)
    assert (order["refundStatus"], order["cancelReason"]) == (4, "Ended by hand.")
    await simulator.deliver()
    assert statuses(hook) == [4]
    for body in ({"refundCode": code, "refundStatus": 2}, {"refundCode": "X", "refundStatus": 2}):
        assert (await api.http.post("/_simulator/end", json=body)).status_code == 400
    code = (await api.submit("SIM-VCC"))["refundCode"]
    wrong = await api.http.post("/_simulator/end", json={"refundCode": code, "refundStatus": 3})
    assert wrong.json() == {"error": "a refund ends with one of: 2, 4, 5, 6"}


async def test_settings_and_log_over_http(simulator: Simulator, api: Api, hook: WireServer) -> None:
    wanted = {"url": hook.url, "seed": 7, "shape": "flat", "late_seconds": 0.5, "rates": {"twice": 1}}
    assert (await api.http.post("/_simulator/webhooks", json=wanted)).json() == {"settings": wanted, "log": []}
    await api.submit("SIM-VOID")
    simulator.clock.advance(timedelta(minutes=1))
    simulator.webhooks.look()
    log = (await api.http.get("/_simulator/webhooks")).json()["log"]
    assert [(entry["about"], entry["answer"]) for entry in log] == [("change", "waiting"), ("copy", "waiting")]
    assert json.loads(log[0]["body"])["orderNo"] == "SIM-VOID"


WRONG: list[tuple[object, str]] = [
    ([], "an object is wanted"),
    ({"urls": ""}, "unknown: urls"),
    ({"url": "ftp://x"}, "url is not an http address"),
    ({"url": 1}, "url is not an http address"),
    ({"seed": "7"}, "seed is not an integer"),
    ({"seed": True}, "seed is not an integer"),
    ({"shape": "round"}, "shape is one of"),
    ({"late_seconds": -1}, "late_seconds is not a number from 0 to 600"),
    ({"rates": []}, "rates is not an object"),
    ({"rates": {"eaten": 0.1}}, "rates are for: lost, twice, late, forged"),
    ({"rates": {"lost": 1.1}}, "rate of lost is not a number from 0 to 1"),
]


@pytest.mark.parametrize(("wanted", "problem"), WRONG)
async def test_wrong_settings_are_refused(wanted: object, problem: str, api: Api) -> None:
    answer = await api.http.post("/_simulator/webhooks", json=wanted)
    assert answer.status_code == 400
    assert problem in answer.json()["error"]


async def test_resending(simulator: Simulator, api: Api, hook: WireServer) -> None:
    simulator.webhooks.set(hook.url)
    await api.submit("SIM-VOID")
    simulator.clock.advance(timedelta(minutes=5))
    await simulator.deliver()
    simulator.webhooks.resend(2)
    await simulator.deliver()
    assert statuses(hook) == [1, 2, 2]
    assert simulator.webhooks.log[-1].about == "2 again"
    simulator.webhooks.load({})
    simulator.webhooks.resend(1)
    await simulator.deliver()
    assert simulator.webhooks.log[-1].answer == "no address"
    with pytest.raises(ValueError, match="no webhook has the number 9"):
        simulator.webhooks.resend(9)
