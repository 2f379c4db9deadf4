"""A refund that Atlas does not list: a wrong code, or one that was submitted a moment ago."""

from datetime import timedelta

import pytest

from atlas_refunds import AtlasRefunds, PollSchedule, RefundNotFoundError, RefundToken

from .conftest import CODE, CREDENTIALS, ONCE, ORDER, HandClock, queried
from .wire_server import WireServer, answers, refuses

TOKEN = RefundToken(order=ORDER, refund_code=CODE)
NOT_LISTED = answers({"status": 0, "refundOrders": []})


async def test_a_refund_that_is_not_listed_is_given_up_within_minutes(wire: WireServer, clock: HandClock) -> None:
    """Other failures in between say nothing about it; a listing in between begins the count anew."""
    wire.plays(*[NOT_LISTED] * 4, answers(queried(0)), *[NOT_LISTED, refuses(2)] * 4, NOT_LISTED)
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock, retry=ONCE) as patient:
        with pytest.raises(RefundNotFoundError):
            await patient.wait(TOKEN, schedule=PollSchedule.every(timedelta(minutes=3)))
    assert len(wire.calls) == 14
    wire.calls.clear()
    wire.plays(NOT_LISTED)
    began = clock.now()
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock, retry=ONCE) as by_default:
        with pytest.raises(RefundNotFoundError):
            await by_default.wait(TOKEN)
    assert len(wire.calls) == 5
    assert timedelta(minutes=10) < clock.now() - began < timedelta(minutes=16)


async def test_a_refund_that_is_not_listed_is_told_once_and_not_followed_any_more(
    atlas: AtlasRefunds, wire: WireServer
) -> None:
    wire.plays(*[NOT_LISTED] * 4, answers(queried(0)), NOT_LISTED)
    async with atlas.follow([TOKEN]) as refunds:
        seen, gone = [change async for change in refunds]
    assert seen.state is not None
    assert isinstance(gone.error, RefundNotFoundError)
    assert gone.is_last
    assert len(wire.calls) == 10
