"""A service that tracks its refunds: takes its orders in, works, and notes what its handler hears.

Runs as a process of its own and can be killed at any moment; started again, it goes on. `skew` puts its clock wrong.
"""

import argparse
import asyncio
import os
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

real_time = time.time


class SkewedClock:
    """A machine whose clock is wrong."""

    def __init__(self, skew: float) -> None:
        self._skew = skew

    def now(self) -> datetime:
        return datetime.fromtimestamp(real_time() + self._skew, UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("atlas_url")
    parser.add_argument("database_url")
    parser.add_argument("journal")
    parser.add_argument("orders", nargs="*", metavar="PREFIX:COUNT")
    parser.add_argument("--skew", type=float, default=0)
    parser.add_argument("--every", type=float, default=3)
    parser.add_argument("--hold", type=float, default=5)
    given = parser.parse_args()
    if given.skew:
        time.time = lambda: real_time() + given.skew
    asyncio.run(work(given))


async def work(given: argparse.Namespace) -> None:
    from atlas_refunds import AtlasRefunds, Attempt, Credentials, Event, PollSchedule, RateLimit, RetryPolicy, Timeouts
    from atlas_refunds.tracking import Change, Policy, Tracker, TrackerUnavailableError
    from tests.tracking.taking_in import Caller

    journal = os.open(given.journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    chance = random.Random()  # noqa: S311 - which call fails does not matter

    def note(*words: object) -> None:
        os.write(journal, (" ".join(map(str, words)) + "\n").encode())  # one line, one write: whole or not at all

    def on_event(event: Event) -> None:
        if isinstance(event, Attempt) and event.operation == "submit":
            note("submit", event.code)

    async def on_change(change: Change) -> None:
        note("change", change.id, change.step.value, change.status)
        if chance.random() < 0.05:
            raise RuntimeError("the handler fails now and then")

    second = timedelta(seconds=1)
    atlas = AtlasRefunds(
        Credentials("simulator", "simulator-secret"),
        base_url=given.atlas_url,
        timeouts=Timeouts(**dict.fromkeys(("connect", "quote", "submit", "query"), 0.7 * second)),
        retry=RetryPolicy(base=0.05 * second),
        limit=RateLimit(per_second=10_000, burst=10_000, after_limit=0.05 * second),
        on_event=on_event,
        clock=SkewedClock(given.skew),
    )
    policy = Policy(
        schedule=PollSchedule.every(given.every * second),
        polls_per_second=80,
        hold=given.hold * second,
        patience=(given.hold + 1) * second,
        resubmit=True,
        first_retry=0.2 * second,
        longest_retry=2 * second,
    )
    orders = [f"{prefix}{i}" for prefix, _, n in (text.partition(":") for text in given.orders) for i in range(int(n))]
    async with atlas:
        while True:
            try:
                async with Tracker(
                    atlas, url=given.database_url, policy=policy, on_change=on_change,
                    account="campaign", on_notice=lambda notice: note("notice", notice.kind.value),
                ) as tracker:  # fmt: skip
                    print("working", flush=True)
                    await Caller(atlas, tracker, Path(given.journal + ".books")).take_in(orders)
                    note("taken in")
                    await asyncio.Event().wait()
            except TrackerUnavailableError:
                await asyncio.sleep(0.5)


if __name__ == "__main__":
    main()
