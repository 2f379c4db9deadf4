"""What a claim is worth: the truth by query, whether they agree, and whether it may be about another refund."""

import json
from typing import Any

import pytest

from atlas_refunds import (
    AtlasRefunds,
    Confirmation,
    Deviation,
    Event,
    InvalidRequestError,
    NoAnswerError,
    RefundState,
    RefundToken,
    UnverifiedNotification,
    parse_notification,
)
from tests.layer.conftest import CODE, CREDENTIALS, ONCE, ORDER, HandClock, queried, wire
from tests.layer.wire_server import WireServer, answers, closes_before_answer, refuses

TOKEN = RefundToken(order=ORDER, refund_code=CODE)
__all__ = ["wire"]


def event(**claims: object) -> UnverifiedNotification:
    return parse_notification(json.dumps({"orderNo": ORDER.order_no, **claims}).encode())


def listed(*refunds: tuple[str | None, int]) -> dict[str, Any]:
    return {"status": 0, "refundOrders": [{"refundCode": code, "refundStatus": status} for code, status in refunds]}


class World:
    def __init__(self, wire: WireServer) -> None:
        self.wire, self.events = wire, list[Event]()
        self.atlas = AtlasRefunds(
            CREDENTIALS, base_url=wire.url, clock=HandClock(), retry=ONCE, on_event=self.events.append
        )

    @property
    def deviations(self) -> list[str]:
        found = [event for event in self.events if isinstance(event, Deviation) and event.operation == "confirm"]
        return [f"{deviation.place}: {deviation.kind}, {deviation.value}" for deviation in found]


@pytest.fixture
def world(wire: WireServer) -> World:
    return World(wire)


async def test_a_claim_that_agrees(world: World) -> None:
    world.wire.plays(answers(queried(2)))
    async with world.atlas as atlas:
        found = await atlas.confirm(event(refundStatus="2"), TOKEN)
    assert isinstance(found, Confirmation)
    assert isinstance(found, RefundState)
    assert found.refund_status == 2
    assert (found.agrees, found.others, found.is_ambiguous) == (True, (), False)
    assert found.token == TOKEN
    assert found.raw["refundCode"] == CODE
    assert [call.json["refundCode"] for call in world.wire.calls] == [CODE, None]
    assert world.deviations == []


async def test_a_claim_that_does_not_agree_is_reported(world: World) -> None:
    world.wire.plays(answers(queried(1)))
    async with world.atlas as atlas:
        found = await atlas.confirm(event(refundStatus=2), TOKEN)
    assert found.refund_status == 1
    assert (found.agrees, found.is_refunded) == (False, False)
    assert world.deviations == ["refundStatus: not as the webhook claims, 1"]


@pytest.mark.parametrize("body", [{"refundStatus": None}, {"type": "order.ticketed", "orderStatus": 2}])
async def test_an_event_that_claims_no_status(body: dict[str, object], world: World) -> None:
    world.wire.plays(answers(queried(1)))
    async with world.atlas as atlas:
        assert (await atlas.confirm(event(**body), TOKEN)).agrees is None
    assert world.deviations == []


async def test_an_order_with_several_refunds_is_ambiguous(world: World) -> None:
    """The one that was asked about agrees, and the event may be about its sibling all the same."""
    world.wire.plays(answers(queried(4)), answers(listed((CODE, 4), ("202505-0013", 4), (None, 0))))
    async with world.atlas as atlas:
        found = await atlas.confirm(event(refundStatus=4), TOKEN)
    assert (found.agrees, found.others, found.is_ambiguous) == (True, ("202505-0013", ""), True)


async def test_where_atlas_lists_nothing_without_a_code_it_stays_open(world: World) -> None:
    world.wire.plays(answers(queried(2)), refuses(810))
    async with world.atlas as atlas:
        found = await atlas.confirm(event(refundStatus=2), TOKEN)
    assert (found.agrees, found.others, found.is_ambiguous) == (True, None, True)


async def test_what_cannot_be_asked_is_not_guessed(world: World) -> None:
    async with world.atlas as atlas:
        world.wire.plays(closes_before_answer)
        with pytest.raises(NoAnswerError):
            await atlas.confirm(event(refundStatus=2), TOKEN)
        world.wire.plays(answers(queried(2)), closes_before_answer)
        with pytest.raises(NoAnswerError):
            await atlas.confirm(event(refundStatus=2), TOKEN)


async def test_another_order_is_refused(world: World) -> None:
    world.wire.plays(answers(queried(2)))
    async with world.atlas as atlas:
        with pytest.raises(InvalidRequestError, match="another one"):
            await atlas.confirm(event(orderNo="X2", refundStatus=2), TOKEN)
    assert len(world.wire.calls) == 1
