"""`python -m tests.tracking.figures`: what many pending refunds cost a worker, and how punctual it is.

The refunds are real rows with real jobs. Atlas is a stub inside the worker, so that what is measured is the tracker.
"""

import argparse
import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import attrs
import sqlalchemy as sa
from atlas_refunds.tracking.rows import rows

from atlas_refunds import AtlasRefunds, Credentials, OrderNo, OrderRef, RefundState, RefundStatus, RefundToken
from atlas_refunds.tracking import Policy, Step, Tracked, Tracker
from atlas_refunds.tracking.engine import Engine
from atlas_refunds.tracking.schema import migrate, open_engine

from .postgres import fresh_database, own_cluster

WEEK = timedelta(days=7).total_seconds()
IDLE, WAKE_UPS, PER_SECOND, HERD = 30, 600, 20, 300


class Stub(AtlasRefunds):
    """Answers each poll at once, and notes when it came."""

    def __init__(self) -> None:
        super().__init__(Credentials("id", "secret"), base_url="https://atlas.example")
        self.polls: dict[str, float] = {}

    async def get(self, order: OrderRef, refund_code: str | None, **_: Any) -> RefundState:
        assert isinstance(order, OrderNo)
        self.polls.setdefault(order.order_no, time.time())
        return RefundState(order=order, refund_code=refund_code, refund_status=RefundStatus(1))


def fill(url: str, refunds: int, *, wait: float = WEEK) -> float:
    """So many refunds that are due in a while (seconds), with their jobs; how many were written per second."""
    database = open_engine(url)
    migrate(database)
    engine = Engine(database)
    engine.migrate()
    began = time.monotonic()
    for start in range(0, refunds, 500):
        with rows(database, engine.enqueue) as r:
            for number in range(start, min(start + 500, refunds)):
                order = f"F{number:06}"
                row = Tracked(
                    key=order, order_no=order, step=Step.FOLLOWED, created_at=r.now, changed_at=r.now,
                    token=RefundToken(order=OrderNo(order), refund_code=order), look_at=r.now + wait,
                )  # fmt: skip
                r.insert(row)
                r.schedule(row, row.look_at)
    seconds = time.monotonic() - began
    engine.close()
    database.dispose()
    return refunds / seconds


def plan(url: str) -> dict[str, float]:
    """Make some of them due soon, one after the other; when each is due."""
    database = open_engine(url)
    engine, due = Engine(database), {}
    with rows(database, engine.enqueue) as r:
        for number in range(WAKE_UPS):
            row = r.found(f"F{number:06}")
            row = r.save(row, attrs.evolve(row, look_at=r.now + 8 + number / PER_SECOND))
            due[row.key] = row.look_at
            r.schedule(row, row.look_at)
    engine.close()
    database.dispose()
    return due


async def measure(url: str) -> str:
    """One worker over all of it."""
    atlas, began = Stub(), time.monotonic()
    async with atlas, Tracker(atlas, url=url, policy=Policy(polls_per_second=100)):
        ready = time.monotonic() - began
        await asyncio.sleep(20)  # the thorough round at the start
        cpu, since = cpu_seconds(), time.monotonic()
        await asyncio.sleep(IDLE)
        idle = (cpu_seconds() - cpu) / (time.monotonic() - since)
        due = await asyncio.to_thread(plan, url)
        async with asyncio.timeout(120):
            while not due.keys() <= atlas.polls.keys():  # noqa: ASYNC110 - it is to be idle
                await asyncio.sleep(0.5)
        late = sorted(atlas.polls[key] - moment for key, moment in due.items())
        return (
            f"ready {ready:.2f} s, idle CPU {idle:.1%} of a core, {WAKE_UPS} wake-ups at "
            f"{PER_SECOND}/s: late p50 {late[WAKE_UPS // 2]:.2f} s, p99 {late[WAKE_UPS * 99 // 100]:.2f} s, "
            f"longest {late[-1]:.2f} s, peak memory {memory():.0f} MB"
        )


def budget(url: str) -> str:
    """Two workers, all refunds due at once: how many looks begin in any second, by the engine's own books."""
    fill(url, HERD, wait=0)
    command = [sys.executable, "-m", "tests.tracking.figures", "--work", url]
    workers = [subprocess.Popen(command), subprocess.Popen(command)]
    schema = "" if url.startswith("sqlite") else "atlas_refunds_engine."
    ask = f"select started_at_epoch_ms from {schema}workflow_status where status = 'SUCCESS'"  # noqa: S608
    engine, begun = open_engine(url), list[float]()
    while len(begun) < HERD:
        time.sleep(1)
        with engine.connect() as c:
            begun = sorted(moment / 1000 for moment in c.execute(sa.text(ask)).scalars())
    engine.dispose()
    for worker in workers:
        worker.kill()
        worker.wait()
    most = max(sum(1 for later in begun if moment <= later < moment + 1) for moment in begun)
    mean = HERD / (begun[-1] - begun[0])
    return f"budget {PER_SECOND}/s, two workers: {mean:.1f}/s on average, at most {most} in any second"


async def work(url: str) -> None:
    async with Stub() as atlas, Tracker(atlas, url=url, policy=Policy(polls_per_second=PER_SECOND)):
        await asyncio.Event().wait()


def cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system


def memory() -> float:
    """The most that was resident, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refunds", type=int, default=100_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--measure", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--work", metavar="URL", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        asyncio.run(work(given.work))
    if given.measure:
        print(asyncio.run(measure(given.measure)), flush=True)
        return 0
    for database in given.database or ["sqlite", "postgresql"]:
        with ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            cluster = stack.enter_context(own_cluster()) if database == "postgresql" else None
            if database == "postgresql" and cluster is None:
                print("postgresql: left out, for initdb is not installed")
                continue
            url, other = (
                stack.enter_context(fresh_database(cluster.url)) if cluster else f"sqlite:///{folder}/{name}.db"
                for name in ("many", "herd")
            )
            speed = fill(url, given.refunds)
            print(
                f"{database}: {given.refunds} refunds, {speed:.0f} written per second, {size(url):.0f} MB on disk",
                flush=True,
            )
            program = [sys.executable, "-m", "tests.tracking.figures", "--measure", url]
            if os.spawnv(os.P_WAIT, sys.executable, program):  # noqa: S606 - a process of its own, without our memory
                return 1
            print(f"{database}: {budget(other)}", flush=True)
    return 0


def size(url: str) -> float:
    engine = open_engine(url)
    ask = "select page_count * page_size from pragma_page_count(), pragma_page_size()"
    if not url.startswith("sqlite"):
        ask = "select pg_database_size(current_database())"
    with engine.connect() as c:
        octets = c.execute(sa.text(ask)).scalar_one()
    engine.dispose()
    return float(octets) / 2**20


if __name__ == "__main__":
    sys.exit(main())
