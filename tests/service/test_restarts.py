"""The service restarted, killed and flooded: each test has one of its own."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from .processes import SECRET
from .world import World, running


@pytest.fixture
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    settings: dict[str, str] = getattr(request, "param", {})
    async with running(tmp_path, **settings) as made:
        yield made


async def test_killed_while_a_submit_is_on_its_way(world: World) -> None:
    """The answer is lost with the process; the intent is not."""
    await world.faults(0.9, submit={"delayed": 1.0})
    amount = (await world.shop.post("k1", "SIM-REFUNDED")).json()["amount"]
    submitting = asyncio.ensure_future(world.shop.post("k1", "SIM-REFUNDED", amount))
    await world.executed("SIM-REFUNDED")
    await world.service.end(signal.SIGKILL)
    with pytest.raises(httpx.HTTPError):
        await submitting
    await world.service.start()
    assert (await world.shop.look("k1"))["step"] == "submitting"
    await world.until("k1", step="submitted")
    assert await world.submissions("SIM-REFUNDED") == 1


async def test_restarted_in_the_middle_of_a_refund(world: World) -> None:
    await world.accepted("k1", "SIM-REFUNDED")
    await world.until("k1", refund_status="0")
    for number, days, status in ((signal.SIGTERM, 1, "1"), (signal.SIGKILL, 10, "3")):
        await world.service.end(number)
        await world.days(days)
        await world.service.start()
        await world.until("k1", refund_status=status)
    await world.days(50)
    await world.until("k1", step="refunded")
    steps = [json.loads(event)["status"] for event in await world.events("k1")]
    assert steps == ["", "", "0", "1", "3", "2"]


@pytest.mark.parametrize("world", [{"POLL_SECONDS": "3600"}], indirect=True)
async def test_a_webhook_is_a_reason_to_ask_and_nothing_else(world: World) -> None:
    await world.accepted("k1", "SIM-REFUNDED")
    await world.until_asked(1)
    await claim(world, 1)
    await world.until_asked(2)
    view = await world.shop.look("k1")
    assert (view["step"], view["refund_status"]) == ("submitted", "0")
    await world.days(50)
    await claim(world, 2)
    await world.until("k1", step="refunded")


@pytest.mark.parametrize("world", [{"POLL_SECONDS": "3600", "WAKE_SECONDS": "3600"}], indirect=True)
async def test_a_flood_of_forged_webhooks_costs_no_query_within_the_interval(world: World) -> None:
    await world.accepted("k1", "SIM-REFUNDED")
    await world.until_asked(1)
    await world.days(50)
    await asyncio.gather(*(claim(world, number) for number in range(200)))
    view = await world.shop.look("k1")
    assert (view["step"], view["refund_status"]) == ("submitted", "0")
    assert await world.queries() == 1


async def claim(world: World, amount: int) -> None:
    """Says that the money is back; each with another amount, so that none is a copy."""
    body = {"orderNo": "SIM-REFUNDED", "refundStatus": 2, "finalRefundAmount": amount}
    assert (await world.http.post(f"/hooks/atlas/{SECRET}", json=body)).status_code == 200
