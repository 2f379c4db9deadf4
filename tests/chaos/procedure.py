"""A caller that follows the documented procedure: intent on disk, submit, and reconcile what is unclear.

Runs as a process of its own and can be killed at any moment; started again, it goes on from its journal.
"""

import argparse
import asyncio
import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from atlas_refunds import (
    AlreadySubmittedError,
    AtlasRefunds,
    AtlasRefundsError,
    Credentials,
    OrderNo,
    OutcomeUnknownError,
    RateLimit,
    RefundPassenger,
    RefundReason,
    RefundSegment,
    RetryPolicy,
    Timeouts,
    Verdict,
)

FLIGHT = RefundSegment(dep_date=date(2030, 6, 15), flight_no="U22437", dep_airport="LTN", arr_airport="CDG")
PEOPLE = tuple(
    RefundPassenger(last_name=last, first_name=first, refund_reason=RefundReason.VOLUNTARY, segments=[FLIGHT])
    for last, first in (("ZHAO", "YIER"), ("QIAN", "ERER"))
)
PATIENCE = timedelta(seconds=1.5)  # longer than any request of this campaign lingers on its way
TRIES = 30


class Journal:
    """What this caller knows, on disk before it acts: one row an order, with the step that was reached."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("pragma synchronous = full")
        self._db.execute("create table if not exists refunds (order_no primary key, step, offer_id, code)")
        self._db.execute("create table if not exists unclear (order_no, verdict)")

    def step(self, order_no: str) -> tuple[str, str | None]:
        row = self._db.execute("select step, offer_id from refunds where order_no = ?", (order_no,)).fetchone()
        return row or ("new", None)

    def write(self, order_no: str, step: str, *, offer_id: str | None = None, code: str | None = None) -> None:
        self._db.execute("insert or replace into refunds values (?, ?, ?, ?)", (order_no, step, offer_id, code))

    def note(self, order_no: str, verdict: str) -> None:
        self._db.execute("insert into unclear values (?, ?)", (order_no, verdict))


async def refund(atlas: AtlasRefunds, journal: Journal, order_no: str) -> None:
    """Bring one order to an end: submitted, or unknown after many tries."""
    for _ in range(TRIES):
        step, offer_id = journal.step(order_no)
        try:
            if step == "intent":
                # Nobody knows when it was sent, or whether it lingers on its way: patience counts from now.
                unknown = OutcomeUnknownError(
                    "the process ended",
                    order=OrderNo(order_no),
                    offer_id=offer_id,
                    passengers=PEOPLE,
                    at=datetime.now(UTC),
                )
                await settle(atlas, journal, unknown)
            elif step == "new":
                await submit(atlas, journal, order_no)
            else:
                return
        except AtlasRefundsError:
            await asyncio.sleep(0.05)  # a passing fault of the network that surrounds us
    if journal.step(order_no)[0] in ("new", "intent"):
        journal.write(order_no, "unknown")


async def submit(atlas: AtlasRefunds, journal: Journal, order_no: str) -> None:
    try:
        quote = await atlas.quote(OrderNo(order_no), PEOPLE)
        journal.write(order_no, "intent", offer_id=quote.refund_offer_id)
        made = await atlas.submit(quote)
    except OutcomeUnknownError as unknown:
        await settle(atlas, journal, unknown)
    except AlreadySubmittedError:
        journal.write(order_no, "submitted")
    except AtlasRefundsError:  # a clear answer: this submit was not executed
        journal.write(order_no, "new")
        raise
    else:
        journal.write(order_no, "submitted", code=made.refund_code)


async def settle(atlas: AtlasRefunds, journal: Journal, unknown: OutcomeUnknownError) -> None:
    assert isinstance(unknown.order, OrderNo)
    order_no = unknown.order.order_no
    found = await atlas.reconcile(unknown, patience=PATIENCE)
    journal.note(order_no, found.verdict.value)
    if found.verdict is Verdict.SUBMITTED:
        journal.write(order_no, "submitted", code=found.token.refund_code if found.token else None)
    elif found.verdict is Verdict.NOT_SUBMITTED:
        journal.write(order_no, "new")


async def naive_refund(atlas: AtlasRefunds, journal: Journal, order_no: str) -> None:
    """What not to do: repeat until it works."""
    while journal.step(order_no)[0] != "submitted":
        try:
            made = await atlas.submit(OrderNo(order_no), passengers=PEOPLE)
        except AtlasRefundsError:
            continue
        journal.write(order_no, "submitted", code=made.refund_code)


async def work(url: str, orders: list[str], journal: Journal, at_once: int, *, naive: bool) -> None:
    waiting = list(reversed(orders))
    seconds = {name: timedelta(seconds=0.7) for name in ("connect", "quote", "submit", "query")}
    atlas = AtlasRefunds(
        Credentials("simulator", "simulator-secret"),
        base_url=url,
        timeouts=Timeouts(**seconds),
        retry=RetryPolicy(base=timedelta(seconds=0.05)),
        limit=RateLimit(per_second=10_000, burst=10_000, after_limit=timedelta(seconds=0.05)),
    )

    async def one_after_the_other() -> None:
        while waiting:
            await (naive_refund if naive else refund)(atlas, journal, waiting.pop())

    async with atlas:
        await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("journal", type=Path)
    parser.add_argument("prefix")
    parser.add_argument("orders", type=int)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--naive", action="store_true")
    given = parser.parse_args()
    orders = [f"{given.prefix}{number}" for number in range(given.orders)]
    asyncio.run(work(given.url, orders, Journal(given.journal), given.at_once, naive=given.naive))


if __name__ == "__main__":
    main()
