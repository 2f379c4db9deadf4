"""From Atlas' webhook through the door to who waits: the question is asked at once, and the answer is believed."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from atlas_refunds import AtlasRefunds, Credentials, OrderNo, Refund, RefundState
from atlas_refunds.polling import WAKE_EVERY
from atlas_refunds.receiving import WebhookReceiver
from atlas_refunds.simulator import CLIENT_ID, CLIENT_SECRET, Clock, Simulator, serve
from examples.demo import PASSENGERS
from tests.layer.conftest import HandClock

from .test_receiving import SECRET, serving


class Asleep(HandClock):
    """No wait for the next poll ends by itself; the time in which a second event is not listened to passes at once."""

    def __init__(self) -> None:
        super().__init__()
        self._fell_asleep = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        if seconds <= WAKE_EVERY.total_seconds():
            await super().sleep(seconds)
        else:
            self._fell_asleep.set()
            await asyncio.Event().wait()

    async def somebody_waits(self) -> None:
        await asyncio.wait_for(self._fell_asleep.wait(), 20)
        self._fell_asleep.clear()


class World:
    """Atlas on a socket, our door on another one, and a client whose schedule never comes round."""

    def __init__(self, simulator: Simulator, clock: Asleep, atlas: AtlasRefunds, hook: str) -> None:
        self.simulator, self.clock, self.atlas, self.hook = simulator, clock, atlas, hook

    async def refund(self, order_no: str) -> Refund:
        return await self.atlas.submit(OrderNo(order_no), passengers=PASSENGERS)

    @property
    def queries(self) -> int:
        calls: dict[str, int] = self.simulator.faults.describe()["calls"]  # type: ignore[assignment]
        return calls["query"]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    simulator, clock = Simulator(clock=Clock(scale=0)), Asleep()
    credentials = Credentials(CLIENT_ID, CLIENT_SECRET)
    async with (
        serve(simulator) as url,
        AtlasRefunds(credentials, base_url=url, clock=clock) as atlas,
        WebhookReceiver(SECRET, atlas.notify) as receiver,
        serving(receiver) as door,
    ):
        hook = f"{door}/{SECRET}"
        simulator.webhooks.set(hook)
        yield World(simulator, clock, atlas, hook)


async def test_a_wait_is_woken(world: World) -> None:
    seen: list[RefundState] = []
    refund = await world.refund("SIM-REJECTED")
    waiting = asyncio.ensure_future(world.atlas.wait(refund, on_update=seen.append))
    await world.clock.somebody_waits()
    world.simulator.clock.advance(timedelta(days=11))
    assert (await asyncio.wait_for(waiting, 20)).refund_status == 4
    assert [state.refund_status for state in seen] == [0, 4]


async def test_a_forged_event_wakes_and_is_not_believed(world: World) -> None:
    waiting = asyncio.ensure_future(world.atlas.wait(await world.refund("SIM-REFUNDED")))
    await world.clock.somebody_waits()
    before = world.queries
    async with httpx.AsyncClient(trust_env=False) as http:
        forged = {"orderNo": "SIM-REFUNDED", "refundStatus": 2}
        assert (await http.post(world.hook, json=forged)).status_code == 200
        await world.clock.somebody_waits()
        assert world.queries == before + 1
        assert (await http.post(world.hook, json={**forged, "orderNo": "SIM-VCC"})).status_code == 200
    assert not waiting.done()
    assert world.queries == before + 1
    world.simulator.clock.advance(timedelta(days=50))
    assert (await asyncio.wait_for(waiting, 20)).refund_status == 2


async def test_the_poller_of_many_is_woken_for_the_one(world: World) -> None:
    refunds = [await world.refund(f"SIM-REFUNDED.{number}") for number in range(5)]
    async with world.atlas.follow([refund.token for refund in refunds]) as following:
        changes = aiter(following)
        for _ in refunds:
            await asyncio.wait_for(anext(changes), 20)
        await world.clock.somebody_waits()
        before = world.queries
        world.simulator.ledger.end(str(refunds[3].refund_code), 2, world.simulator.clock.now())
        change = await asyncio.wait_for(anext(changes), 20)
    assert change.token.refund_code == refunds[3].refund_code
    assert world.queries == before + 1
