"""`python -m tests.tracking.figures`: what many pending refunds cost a worker, and how punctual it is.

The refunds are real rows. Atlas is a stub inside the worker, so that what is measured is the tracker; what the stub
takes of each look is said too. On PostgreSQL the server's own CPU and its WAL are counted, with `--workers` several
workers share one database.
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
from pathlib import Path
from typing import Any

import attrs
import sqlalchemy as sa

from atlas_refunds import AtlasRefunds, Credentials, OrderNo, OrderRef, RefundState, RefundToken
from atlas_refunds.tracking import Policy, Step, Tracked, Tracker
from atlas_refunds.tracking.records import to_row
from atlas_refunds.tracking.schema import REFUNDS, migrate, open_engine, transaction

from .postgres import Cluster, fresh_database, own_cluster

WEEK, ACCOUNT = timedelta(days=7), "figures"
ANSWER = {
    "orderNo": "F", "refundStatus": 1, "refundQuoteType": "AccurateQuote", "refundOfferId": "q",
    "refundTickets": [{"lastName": "A", "firstName": "B", "ticketNo": "1"}],
    "serviceFee": {"currency": "USD", "transactionFee": 2},
    "refundFareAmount": {"currency": "USD", "originalFareAmount": 165.48, "estimatedRefundAmount": 165.48},
}  # fmt: skip


class Stub(AtlasRefunds):
    """Answers each poll at once with what Atlas would send, and notes when it came."""

    def __init__(self) -> None:
        super().__init__(Credentials("id", "secret"), base_url="https://atlas.example")
        self.polls: dict[str, float] = {}

    async def get(self, order: OrderRef, refund_code: str | None, **_: Any) -> RefundState:
        assert isinstance(order, OrderNo)
        self.polls.setdefault(order.order_no, time.time())
        return RefundState.from_dict({**ANSWER, "refundCode": refund_code}, order=order)


def fill(url: str, refunds: int) -> float:
    """So many refunds that are due in a week; how many were written per second."""
    database = open_engine(url)
    migrate(database)
    began = time.monotonic()
    for start in range(0, refunds, 5000):
        with transaction(database) as (c, now):
            rows = [row_of(number, now) for number in range(start, min(start + 5000, refunds))]
            c.execute(REFUNDS.insert(), [to_row(row) for row in rows])
    seconds = time.monotonic() - began
    with database.connect() as c:
        if database.dialect.name == "postgresql":
            c.execution_options(isolation_level="AUTOCOMMIT").execute(sa.text("vacuum analyze"))
    database.dispose()
    return refunds / seconds


def row_of(number: int, now: Any) -> Tracked:
    order = f"F{number:07}"
    return Tracked(
        key=order, account=ACCOUNT, order_no=order, step=Step.FOLLOWED, subject="0" * 32, created_at=now,
        changed_at=now, sent_at=now, token=RefundToken(order=OrderNo(order), refund_code=order), look_at=now + WEEK,
    )  # fmt: skip


def plan(url: str, first: int, count: int, per_second: float) -> dict[str, float]:
    """Make some of them due soon, one after the other; when each is due."""
    database = open_engine(url)
    with transaction(database) as (c, now):
        due = {f"F{first + n:07}": now.timestamp() + 3 + (n / per_second if per_second else 0) for n in range(count)}
        change = REFUNDS.update().where(REFUNDS.c.key == sa.bindparam("k")).values(look_at=sa.bindparam("at"))
        c.execute(change, [{"k": key, "at": at} for key, at in due.items()])
    database.dispose()
    return due


async def work(url: str) -> None:
    """One worker; writes when each look came and what it used, whenever it is asked to by a line on stdin."""
    began = time.monotonic()
    async with Stub() as atlas, Tracker(atlas, url=url, policy=Policy(polls_per_second=2000), account=ACCOUNT):
        print(f"ready {time.monotonic() - began:.2f}", flush=True)
        while command := (await asyncio.to_thread(sys.stdin.readline)).strip():
            if command == "polls":
                print(" ".join(f"{key}:{at}" for key, at in atlas.polls.items()), flush=True)
                atlas.polls.clear()
            else:
                times = os.times()
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
                print(times.user + times.system, peak, flush=True)


@attrs.define
class Workers:
    """Processes that work on one database, and what they and the server use."""

    url: str
    cluster: Cluster | None
    processes: list[subprocess.Popen[str]]

    def ask(self, what: str) -> list[str]:
        answers = []
        for process in self.processes:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(what + "\n")
            process.stdin.flush()
            answers.append(process.stdout.readline())
        return answers

    def used(self) -> tuple[float, float, float]:
        """CPU seconds of the workers, of the server, and bytes of WAL, so far."""
        own = sum(float(answer.split()[0]) for answer in self.ask("used"))
        return own, server_cpu(self.cluster), wal(self.url)

    def peak(self) -> float:
        return max(float(answer.split()[1]) for answer in self.ask("used"))

    def looks(self, due: dict[str, float], seconds: float) -> dict[str, float]:
        polls: dict[str, float] = {}
        until = time.monotonic() + seconds
        while len(polls) < len(due) and time.monotonic() < until:
            time.sleep(0.5)
            for answer in self.ask("polls"):
                polls |= {key: float(at) for key, _, at in (word.partition(":") for word in answer.split())}
        return polls


def measure(url: str, cluster: Cluster | None, count: int) -> None:
    command = [sys.executable, "-m", "tests.tracking.figures", "--work", url]
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(count)]
    workers = Workers(url, cluster, processes)
    try:
        ready = [process.stdout.readline().split()[1] for process in processes if process.stdout]
        time.sleep(3)
        before, since = workers.used(), time.monotonic()
        time.sleep(15)
        after, seconds = workers.used(), time.monotonic() - since
        print(f"  {count} workers: ready {', '.join(ready)} s; idle {(after[0] - before[0]) / seconds / count:.1%} of a"
              f" core each, server {(after[1] - before[1]) / seconds:.1%}", flush=True)  # fmt: skip
        for first, looks, rate in ((0, 400, 20.0), (1000, 3000, 200.0), (10_000, 5000, 0.0)):
            due = plan(url, first, looks, rate)
            before = workers.used()
            polls = workers.looks(due, 90)
            own, server, written = (now - then for now, then in zip(workers.used(), before, strict=True))
            late = sorted(at - due[key] for key, at in polls.items())
            lasted = max(polls.values()) - min(due.values())
            name, n = f"{rate:.0f}/s" if rate else "all at once", len(late)
            print(f"  {name}: {n} looks, {n / lasted:.0f}/s; late p50 {late[n // 2]:.2f}"
                  f" p99 {late[n * 99 // 100]:.2f} s; a look: {own / n * 1e3:.1f} ms worker,"
                  f" {server / n * 1e3:.1f} ms server, {written / n / 1000:.1f} kB WAL", flush=True)  # fmt: skip
        print(f"  peak memory {workers.peak():.0f} MB", flush=True)
    finally:
        for process in processes:
            process.kill()
            process.wait()


def server_cpu(cluster: Cluster | None) -> float:
    """CPU seconds of the server's processes, living and ended."""
    if cluster is None:
        return 0
    main = int((cluster.folder / "data" / "postmaster.pid").read_text().split()[0])
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(folder.name) == main:
            total += sum(map(int, stat[11:15]))
        elif int(stat[1]) == main:
            total += sum(map(int, stat[11:13]))
    return total / os.sysconf("SC_CLK_TCK")


def wal(url: str) -> float:
    if url.startswith("sqlite"):
        return 0
    return scalar(url, "select pg_current_wal_lsn() - '0/0'::pg_lsn")


def size(url: str) -> float:
    ask = "select page_count * page_size from pragma_page_count(), pragma_page_size()"
    if not url.startswith("sqlite"):
        ask = "select pg_database_size(current_database())"
    return scalar(url, ask) / 2**20


def scalar(url: str, ask: str) -> float:
    engine = open_engine(url)
    with engine.connect() as c:
        found = c.execute(sa.text(ask)).scalar_one()
    engine.dispose()
    return float(found)


def stub_cost() -> str:
    async def calls() -> float:
        async with Stub() as atlas:
            began = time.process_time()
            for _ in range(2000):
                await atlas.get(OrderNo("F"), "F")
            return (time.process_time() - began) / 2000 * 1000

    return f"the stub of Atlas takes {asyncio.run(calls()):.2f} ms a look"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refunds", type=int, default=100_000)
    parser.add_argument("--workers", type=int, action="append", help="default: 1, on PostgreSQL then 3")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--work", metavar="URL", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        asyncio.run(work(given.work))
        return 0
    print(stub_cost())
    for database in given.database or ["sqlite", "postgresql"]:
        for count in given.workers or ([1] if database == "sqlite" else [1, 3]):
            with ExitStack() as stack:
                folder = stack.enter_context(tempfile.TemporaryDirectory())
                cluster = stack.enter_context(own_cluster(fsync=True)) if database == "postgresql" else None
                if database == "postgresql" and cluster is None:
                    print("postgresql: left out, for initdb is not installed")
                    continue
                url = stack.enter_context(fresh_database(cluster.url)) if cluster else f"sqlite:///{folder}/many.db"
                speed = fill(url, given.refunds)
                print(f"{database}: {given.refunds} refunds, {speed:.0f} written per second, {size(url):.0f} MB")
                measure(url, cluster, count)
    return 0


if __name__ == "__main__":
    sys.exit(main())
