"""What the caller of a tracked refund does: submit each order under its own key until the tracker has taken it."""

import asyncio
from contextlib import suppress

from atlas_refunds import AlreadySubmittedError, AtlasRefunds, AtlasRefundsError, OrderNo
from atlas_refunds.tracking import Tracker
from tests.chaos.procedure import PEOPLE


async def take_in(atlas: AtlasRefunds, tracker: Tracker, orders: list[str], at_once: int = 4) -> None:
    waiting = list(reversed(orders))

    async def one_after_the_other() -> None:
        while waiting:
            await refund(atlas, tracker, waiting.pop())

    await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))


async def refund(atlas: AtlasRefunds, tracker: Tracker, order_no: str) -> None:
    """Until it is known under its key; a refund that is known cannot be quoted any more."""
    while True:
        try:
            if await tracker.find(order_no) is None:
                await tracker.submit(await atlas.quote(OrderNo(order_no), PEOPLE), key=order_no)
            return
        except AlreadySubmittedError:  # the database was restored, and does not know the key any more: it is looked for
            with suppress(AtlasRefundsError):
                await tracker.submit(OrderNo(order_no), key=order_no, offer_id="of our own books", passengers=PEOPLE)
        except AtlasRefundsError:
            await asyncio.sleep(0.1)  # a passing fault of the network, or of the database
