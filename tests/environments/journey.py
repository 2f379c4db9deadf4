"""What a service does with refunds, each step as the documentation shows it. Raises unless each ends as it should.

The environment has ATLAS_PLAIN_URL and ATLAS_TLS_URL, the same local Atlas twice; ATLAS_TEST_CA vouches for the second;
ATLAS_TEST_FOLDER is for databases.
"""

import asyncio
import itertools
import json
import os
import urllib.request
from collections.abc import AsyncIterator
from datetime import date, timedelta

from atlas_refunds import AtlasRefunds, OrderNo, PollSchedule, RefundPassenger, RefundReason, RefundSegment
from atlas_refunds.receiving import WebhookReceiver

FLIGHT = RefundSegment(dep_date=date(2030, 6, 15), flight_no="U22437", dep_airport="LTN", arr_airport="CDG")
ZHAO = RefundPassenger(last_name="ZHAO", first_name="YIER", refund_reason=RefundReason.VOLUNTARY, segments=[FLIGHT])
SECRET = "a-secret-of-the-webhook-for-tests"
OFTEN = PollSchedule.every(timedelta(milliseconds=20))
SELDOM = PollSchedule.every(timedelta(hours=1))

numbers = itertools.count()


def an_order(scenario: str = "SIM-REFUNDED") -> OrderNo:
    """An order that nobody has refunded yet."""
    return OrderNo(f"{scenario}.{os.getpid()}x{next(numbers)}")


async def calls(atlas: AtlasRefunds) -> None:
    """Quote, submit, wait, follow."""
    refund = await atlas.submit(await atlas.quote(an_order(), [ZHAO]))
    assert (await atlas.wait(refund, schedule=OFTEN)).is_refunded
    tokens = [(await atlas.submit(an_order(), passengers=[ZHAO])).token for _ in range(3)]
    async with atlas.follow(tokens, schedule=OFTEN) as refunds:
        final = [change async for change in refunds if change.state and change.state.is_final]
    assert len(final) == 3


async def webhook(atlas: AtlasRefunds) -> None:
    """The schedule would ask in an hour: only the webhook can have woken it."""
    refund = await atlas.submit(await atlas.quote(an_order("SIM-STUCK"), [ZHAO]))
    asked = asyncio.Event()
    waiting = asyncio.create_task(atlas.wait(refund, schedule=SELDOM, on_update=lambda _: asked.set()))
    await asked.wait()
    await asyncio.to_thread(end, refund.refund_code)
    async with WebhookReceiver(SECRET, atlas.notify) as hooks:
        assert isinstance(refund.order, OrderNo)
        assert await hooks.receive(SECRET, {}, announcement(refund.order.order_no), None) == 200
    assert not (await waiting).is_refunded


async def tracking(atlas: AtlasRefunds) -> None:
    """On a database of its own, until the handler hears of the end."""
    from atlas_refunds.tracking import Change, Policy, Tracker  # takes a second, which most processes here do not need

    policy = Policy(schedule=PollSchedule.every(timedelta(milliseconds=100)), polls_per_second=100)
    final: asyncio.Queue[str] = asyncio.Queue()

    async def on_change(change: Change) -> None:
        if change.is_final:
            await final.put(change.key)

    url = f"sqlite:///{os.environ['ATLAS_TEST_FOLDER']}/{os.getpid()}-{next(numbers)}.db"
    tracker = await Tracker(atlas, url=url, on_change=on_change, policy=policy).__aenter__()
    try:
        await tracker.submit(await atlas.quote(an_order(), [ZHAO]), key="refund-7")
        assert await final.get() == "refund-7"
    finally:
        await tracker.aclose(seconds=0)  # nothing is under way, and the engine takes two seconds to see it


async def announcement(order_no: str) -> AsyncIterator[bytes]:
    """The webhook as Atlas sends it, in the form with least in it."""
    yield json.dumps({"orderNo": order_no, "refundStatus": 4}).encode()


def end(refund_code: str | None) -> None:
    """Atlas rejects a refund. Without httpx, whose import is one of the things that a first call does."""
    wanted = json.dumps({"refundCode": refund_code, "refundStatus": 4}).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{os.environ['ATLAS_PLAIN_URL']}/_simulator/end", wanted, timeout=30) as answer:
        answer.read()
