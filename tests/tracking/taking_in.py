"""What the caller of a tracked refund does: submit each order under its own key until the tracker has taken it."""

import asyncio
from contextlib import suppress
from pathlib import Path

import attrs

from atlas_refunds import AlreadySubmittedError, AtlasRefunds, AtlasRefundsError, OrderNo
from atlas_refunds.tracking import Tracker
from tests.chaos.procedure import PEOPLE


@attrs.frozen
class Caller:
    """Keeps books of its own: which offer it accepted for which order, written down before it is submitted."""

    atlas: AtlasRefunds
    tracker: Tracker
    books: Path

    async def take_in(self, orders: list[str], at_once: int = 4) -> None:
        waiting = list(reversed(orders))

        async def one_after_the_other() -> None:
            while waiting:
                await self.refund(waiting.pop())

        await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))

    async def refund(self, order_no: str) -> None:
        """Until it is known under its key; a refund that is known cannot be quoted any more."""
        while True:
            with suppress(AtlasRefundsError):  # a passing fault of the network, or of the database
                if await self.tracker.find(order_no) is None:
                    await self.submit(order_no)
                return
            await asyncio.sleep(0.1)

    async def submit(self, order_no: str) -> None:
        try:
            quote = await self.atlas.quote(OrderNo(order_no), PEOPLE)
        except AlreadySubmittedError:  # the database was restored, and does not know the key any more: it is looked for
            offer = self.offers()[order_no]
            await self.tracker.submit(OrderNo(order_no), key=order_no, offer_id=offer, passengers=PEOPLE)
            return
        with self.books.open("a", encoding="ascii") as books:
            books.write(f"{order_no} {quote.refund_offer_id}\n")
        await self.tracker.submit(quote, key=order_no)

    def offers(self) -> dict[str, str]:
        found = dict[str, str]()
        for line in self.books.read_text("ascii").splitlines():
            order_no, _, found[order_no] = line.partition(" ")
        return found
