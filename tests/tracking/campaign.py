"""`make tracking-chaos`: many refunds, workers killed at random, faults on every call; then three books are compared.

The simulator knows what it executed and where each refund stands, the tracking database what it believes, and the
journal of the handlers what they were told. On PostgreSQL three workers share one database, one of them with a clock
that is a day off; with `--outage` the database is away for a minute in the middle.
"""

import argparse
import asyncio
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import AsyncExitStack, ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import httpx
import sqlalchemy as sa

from atlas_refunds.tracking import Action, Policy, Step
from atlas_refunds.tracking.schema import open_engine, transaction
from atlas_refunds.tracking.store import Store

from .postgres import Cluster, fresh_database, installed, own_cluster, pooled, pooler
from .proxy import Proxy, proxy
from .simulated import FAULTS, start_simulator

LIVES = ("SIM-REFUNDED", "SIM-REJECTED", "SIM-VCC", "SIM-WITHDRAWN")
TABLES = ("atlas_refund", "atlas_refund_change", "atlas_refund_account")
SKEW = 86_400.0  # seconds
FAULTS_HERE = {  # without the gateway that doubles a request: then an answer "exists already" means that we sent twice
    **FAULTS,
    "submit": {name: rate for name, rate in FAULTS["submit"].items() if name != "duplicate"},
}


@attrs.frozen(kw_only=True)
class Books:
    """What the books say after the campaign."""

    refunds: int
    seconds: float
    kills: int
    outage: float
    steps: Counter[str]
    twice: tuple[str, ...]
    """Executed more than once."""
    sent_again: int
    """Submits that met the refund which they were to make."""
    lost: tuple[str, ...]
    """Never executed."""
    wrong: tuple[str, ...]
    """Not at the end at which Atlas has them."""
    untold: tuple[str, ...]
    """Changes whose handler was never called."""
    disordered: tuple[str, ...]
    told: Counter[int]
    """How often handlers were called for one change, and for how many changes."""
    notices: Counter[str]
    remarks: tuple[str, ...]
    """What helps to understand a campaign that is not clean."""
    failover: tuple[float, ...]
    """Seconds from a kill until every refund that the dead worker held had been taken over or let go."""

    @property
    def clean(self) -> bool:
        return not (self.twice or self.sent_again or self.lost or self.wrong or self.untold or self.disordered)

    def __str__(self) -> str:
        times = sorted(self.failover)
        failover = (
            f"median {times[len(times) // 2]:.1f} s, longest {times[-1]:.1f} s of {len(times)}" if times else "none"
        )
        return "\n".join(
            (
                f"{self.refunds} refunds in {self.seconds:.0f} s, {self.kills} workers harmed, "
                f"database away for {self.outage:.0f} s",
                f"steps: {dict(self.steps)}",
                f"executed twice: {len(self.twice)} {list(self.twice[:5])}, sent again: {self.sent_again}",
                f"lost: {len(self.lost)} {list(self.lost[:5])}",
                f"not at their true end: {len(self.wrong)} {list(self.wrong[:5])}",
                f"changes never told: {len(self.untold)} {list(self.untold[:5])}, "
                f"out of order: {len(self.disordered)} {list(self.disordered[:5])}",
                f"calls per change: {dict(sorted(self.told.items()))}",
                f"notices: {dict(self.notices)}",
                f"failover, beyond 1 s: {failover}",
                *self.remarks,
            )
        )


@attrs.define
class Campaign:
    """One run of it."""

    url: str
    database_url: str
    folder: Path
    refunds: int
    kills: int
    workers: int
    chance: random.Random
    patience: float
    every: float
    hold: float
    down: float = 0  # seconds that a killed worker stays away
    harms: tuple[str, ...] = ("kill",)
    proxies: dict[int, tuple[Proxy, Proxy]] = attrs.field(factory=dict)
    """Of each worker, to Atlas and to the database."""
    running: dict[int, asyncio.subprocess.Process] = attrs.field(factory=dict)
    before: dict[int, int] = attrs.field(factory=dict)
    failover: list[float] = attrs.field(factory=list)
    watching: list[asyncio.Task[None]] = attrs.field(factory=list)
    killed: int = 0

    @property
    def ends(self) -> str:
        """A refund that was rejected, and whose key a restore lost, is quoted and submitted anew: a person decides."""
        return "('final', 'review')" if "restore" in self.harms else "('final')"

    @property
    def share(self) -> int:
        """Refunds of one life that one worker takes in."""
        return self.refunds // len(LIVES) // self.workers

    @property
    def orders(self) -> list[str]:
        return [f"{life}.t{w}.{i}" for life in LIVES for w in range(self.workers) for i in range(self.share)]

    async def run(self, cluster: Cluster | None, outage: float) -> None:
        for number in range(self.workers):
            await self.start(number)
        away = asyncio.create_task(self.away(cluster, outage)) if outage else None
        while self.killed < self.kills:
            victim = self.chance.randrange(self.workers)
            await self.at_work(victim)
            await asyncio.sleep(self.chance.uniform(0.2, 3))
            await getattr(self, self.chance.choice(self.harms))(victim)
        if away is not None:
            await away
        until = time.monotonic() + self.patience
        while time.monotonic() < until and not await asyncio.to_thread(self.ended):  # noqa: ASYNC110 - other processes
            await asyncio.sleep(1)
        await asyncio.gather(*self.watching)
        for process in self.running.values():
            process.send_signal(signal.SIGKILL)
            await process.wait()

    async def start(self, number: int) -> None:
        orders = [f"{life}.t{number}.:{self.share}" for life in LIVES]
        skew = SKEW if self.workers > 1 and number == 0 else 0
        self.before[number] = self.worked(number)
        with (self.folder / f"worker{number}.log").open("ab") as log:
            url, database_url = self.addresses(number)
            self.running[number] = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.tracking.worker", url, database_url),
                *(
                    str(self.folder / "journal"),
                    *orders,
                    "--skew",
                    str(skew),
                    "--every",
                    str(self.every),
                    "--hold",
                    str(self.hold),
                ),
                stdout=log,
                stderr=log,
            )

    def addresses(self, number: int) -> tuple[str, str]:
        """Of Atlas and of the database, as this worker sees them."""
        if number not in self.proxies:
            return self.url, self.database_url
        to_atlas, to_database = self.proxies[number]
        database = sa.make_url(self.database_url).set(port=to_database.port)
        return f"http://127.0.0.1:{to_atlas.port}", database.render_as_string(hide_password=False)

    async def freeze(self, number: int) -> None:
        """For longer than a hold: others take over, and then it goes on."""
        self.killed += 1
        self.running[number].send_signal(signal.SIGSTOP)
        await asyncio.sleep(self.hold + 2)
        self.running[number].send_signal(signal.SIGCONT)

    async def partition(self, number: int) -> None:
        """It reaches neither Atlas nor the database, for longer than a hold."""
        self.killed += 1
        for network in self.proxies[number]:
            network.cut()
        await asyncio.sleep(self.hold + 2)
        for network in self.proxies[number]:
            network.heal()

    async def restore(self, _: int) -> None:
        """The database becomes what it was some seconds ago."""
        await asyncio.to_thread(self.sql, *(f"create table backup_{name} as select * from {name}" for name in TABLES))  # noqa: S608
        await asyncio.sleep(self.chance.uniform(2, 6))
        for process in self.running.values():
            process.send_signal(signal.SIGKILL)
            await process.wait()
        for name in TABLES:
            again = (
                f"delete from {name}",  # noqa: S608
                f"insert into {name} select * from backup_{name}",  # noqa: S608
                f"drop table backup_{name}",
            )
            await asyncio.to_thread(self.sql, *again)
        engine = open_engine(self.database_url)
        action = Action(at=datetime.now(UTC), key=None, what="after-restore")
        await asyncio.to_thread(Store(engine, Policy()).restored, action)
        engine.dispose()
        with (self.folder / "journal").open("a", encoding="ascii") as journal:
            journal.write("restored\n")
        self.killed += len(self.running)
        for number in self.running:
            await self.start(number)

    def sql(self, *statements: str) -> None:
        engine = open_engine(self.database_url)
        with transaction(engine) as (c, _):
            for statement in statements:
                c.execute(sa.text(statement))
        engine.dispose()

    async def at_work(self, number: int) -> None:
        """Until this worker has started, or cannot because the database is away."""
        with suppress(TimeoutError):
            async with asyncio.timeout(10):
                while self.worked(number) == self.before[number]:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)

    def worked(self, number: int) -> int:
        """How often this worker has begun to work."""
        log = self.folder / f"worker{number}.log"
        return log.read_text("utf-8", "replace").count("working\n") if log.exists() else 0

    async def kill(self, number: int) -> None:
        victim = self.running[number]
        if victim.returncode is not None:
            raise RuntimeError(
                f"worker {number} ended by itself: {(self.folder / f'worker{number}.log').read_text()[-3000:]}"
            )
        os.kill(victim.pid, signal.SIGKILL)
        await victim.wait()
        self.killed += 1
        self.watching.append(asyncio.create_task(self.watch_failover()))
        await asyncio.sleep(self.down)
        await self.start(number)

    async def watch_failover(self) -> None:
        """Until nothing is held any more by whoever held it at the moment of the kill."""
        began, held = time.monotonic(), {""}
        try:
            held = await asyncio.to_thread(self.column, "held_by is not null", "held_by")
            while held and time.monotonic() - began < 60:
                await asyncio.sleep(0.25)
                held &= await asyncio.to_thread(self.column, "held_by is not null", "held_by")
        except sa.exc.SQLAlchemyError:
            return  # the database is away, or not there yet
        if time.monotonic() - began > 1:  # or they were the living workers' own
            self.failover.append(time.monotonic() - began)

    async def away(self, cluster: Cluster | None, seconds: float) -> None:
        """The database is away: stopped, or its file locked."""
        await asyncio.sleep(self.kills)
        if cluster is not None:
            await asyncio.to_thread(cluster.stop)
            await asyncio.sleep(seconds)
            await asyncio.to_thread(cluster.start)
            return
        with sqlite3.connect(sa.make_url(self.database_url).database or "", timeout=30) as lock:
            lock.execute("begin exclusive")
            await asyncio.sleep(seconds)

    def ended(self) -> bool:
        try:
            return len(self.column(f"step in {self.ends}", "key")) == self.refunds
        except sa.exc.SQLAlchemyError:
            return False

    def column(self, where: str, column: str) -> set[str]:
        engine = open_engine(self.database_url)
        try:
            with engine.connect() as c:
                return set(c.execute(sa.text(f"select {column} from atlas_refund where {where}")).scalars())  # noqa: S608
        finally:
            engine.dispose()


async def campaign(
    *,
    database: str,
    refunds: int,
    kills: int,
    seed: int,
    outage: float = 0,
    patience: float = 300,
    day: float = 0.3,
    hold: float = 5,
    harms: tuple[str, ...] = ("kill",),
    bouncer: bool = False,
) -> Books:
    """Run it to the end. `database`: "sqlite" or "postgresql"."""
    began = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cluster = stack.enter_context(own_cluster()) if database == "postgresql" else None
        if database == "postgresql" and cluster is None:
            raise RuntimeError("initdb is not installed")
        url = stack.enter_context(fresh_database(cluster.url)) if cluster else f"sqlite:///{folder}/refunds.db"
        if bouncer and cluster:
            port = stack.enter_context(pooled(pooler() or "", cluster, folder))
            url = sa.make_url(url).set(port=port).render_as_string(hide_password=False)
        simulator, atlas_url = await start_simulator("list")
        workers = 3 if cluster else 1
        here = Campaign(
            url=atlas_url,
            database_url=url,
            folder=folder,
            refunds=refunds - refunds % (len(LIVES) * workers),
            kills=kills,
            workers=workers,
            chance=random.Random(seed),  # noqa: S311
            patience=patience,
            every=day * 10,
            hold=hold,
            down=2 if cluster else 0,
            harms=harms,
        )
        network = AsyncExitStack()
        for number in range(workers if "partition" in harms else 0):
            ports = (sa.make_url(address).port or 0 for address in (atlas_url, url))
            to_atlas, to_database = [await network.enter_async_context(proxy(port)) for port in ports]
            here.proxies[number] = to_atlas, to_database
        try:
            async with httpx.AsyncClient(base_url=atlas_url, timeout=30) as control:
                (await control.post("/_simulator/clock", json={"seconds_per_day": day})).raise_for_status()
                settings = {"seed": seed, "delay_seconds": 0.3, "rates": FAULTS_HERE}
                (await control.post("/_simulator/faults", json=settings)).raise_for_status()
                await here.run(cluster, outage)
                state = (await control.get("/_simulator/state")).json()
        finally:
            await network.aclose()
            simulator.terminate()
            await simulator.wait()
        return compare(here, state, time.monotonic() - began, outage)


def compare(here: Campaign, state: Any, seconds: float, outage: float) -> Books:
    """The three books, entry by entry."""
    engine = open_engine(here.database_url)
    with engine.connect() as c:
        believed = {row.key: row for row in c.execute(sa.text("select key, step, status from atlas_refund"))}
        recorded = [f"{row.key}/{row.number}" for row in c.execute(sa.text("select * from atlas_refund_change"))]
    engine.dispose()
    journal = here.folder / "journal"
    lines = [line.split() for line in journal.read_text("ascii").splitlines()] if journal.exists() else []
    calls = [words[1] for words in lines if words[0] == "change"]
    heard: dict[tuple[str, int], list[int]] = defaultdict(list)
    restored = 0
    for words in lines:
        restored += words[0] == "restored"  # what was told before may be told again
        if words[0] == "change":
            key, _, number = words[1].rpartition("/")
            heard[key, restored].append(int(number))
    true = {order: entry["refunds"][-1]["refundStatus"] for order, entry in state["orders"].items() if entry["refunds"]}
    return Books(
        refunds=here.refunds,
        seconds=seconds,
        kills=here.killed,
        outage=outage,
        steps=Counter(row.step for row in believed.values()),
        twice=tuple(order for order, entry in state["orders"].items() if entry["submissions"] > 1),
        sent_again=sum(words[0] == "submit" and words[1] in ("803", "816", "817", "818") for words in lines),
        lost=tuple(order for order in here.orders if order not in true),
        wrong=tuple(
            key
            for key, row in ((key, believed.get(key)) for key in here.orders)
            if row is None
            or row.step not in here.ends
            or (row.step == Step.FINAL.value and int(row.status) != int(true.get(key, -1)))
        ),
        untold=tuple(set(recorded) - set(calls)),
        disordered=tuple(key for (key, _), numbers in heard.items() if numbers != sorted(numbers)),
        told=Counter(Counter(calls).values()),
        notices=Counter(" ".join(words[1:]) for words in lines if words[0] == "notice"),
        remarks=tuple(remarks(here)),
        failover=tuple(here.failover),
    )


def remarks(here: Campaign) -> list[str]:
    """Refunds that did not come to their end, and the last lines of the workers."""
    query = (
        "select key, step, tries, note, look_at, held_until, attempt from atlas_refund where step <> 'final' limit 10"
    )
    engine = open_engine(here.database_url)
    with engine.connect() as c:
        rows = [f"now {time.time():.1f}: {tuple(row)}" for row in c.execute(sa.text(query))]
    engine.dispose()
    logs = [path.read_text("utf-8", "replace") for path in here.folder.glob("worker*.log")]
    return rows + [log[-2000:] for log in logs if rows or "Traceback" in log]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--refunds", type=int, default=1200)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--patience", type=float, default=300, help="seconds to wait for the end")
    parser.add_argument("--hold", type=float, default=5, help="seconds after which a worker counts as dead")
    harms = ["kill", "freeze", "partition", "restore"]
    parser.add_argument(
        "--harm", dest="harms", choices=harms, nargs="+", default=["kill"], help="by chance one of them"
    )
    parser.add_argument("--bouncer", action="store_true", help="with PgBouncer in transaction mode in between")
    parser.add_argument("--outage", type=float, default=0, help="seconds that the database is away")
    given = parser.parse_args()
    if given.database == "postgresql" and installed() is None:
        print("left out: PostgreSQL's initdb is not installed")
        return 0
    if given.bouncer and pooler() is None:
        print("without PgBouncer, which is not installed")
        given.bouncer = False
    books = asyncio.run(campaign(**vars(given) | {"harms": tuple(given.harms)}))
    print(books)
    return 0 if books.clean else 1


if __name__ == "__main__":
    sys.exit(main())
