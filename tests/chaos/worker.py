"""One life of a caller: a process with its own journal, on some kind of client. It is killed, interrupted, or ends."""

import asyncio
import faulthandler
import logging
import os
import random
import ssl
import sys
import threading
import time
import traceback
import warnings
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, TextIO

import attrs

from atlas_refunds import AtlasRefunds, Credentials, RateLimit, Timeouts

from .clients import NAMES, client
from .fasttime import FastClock, FastLoop
from .faultserver import CERTIFICATE
from .procedure import Caller, Job, Journal, SlowGuard, jobs

SECRET = "secret-of-the-campaign"
HUNG = 30.0  # seconds; no call may take a tenth of it
ALL_DONE, MORE_TO_DO, IS_HUNG = 0, 10, 11
TIMEOUTS = Timeouts(**{name: timedelta(seconds=s) for name, s in
                       (("connect", 30), ("quote", 60), ("submit", 80), ("query", 60))})  # fmt: skip


@attrs.frozen(kw_only=True)
class Life:
    """What one process is to do."""

    folder: Path
    ports: dict[bool, int]
    caller: int
    refunds: int
    seed: int
    number: int
    """Of this life among those of the campaign; decides the kind of client."""
    seconds: float
    width: int = 40
    cut_off: float = 0.3
    naive: bool = False

    @property
    def kind(self) -> str:
        return NAMES[self.number % len(NAMES)]

    @property
    def tls(self) -> bool:
        return self.number // len(NAMES) % 5 in (1, 3)

    @property
    def way(self) -> str:
        return f"{self.kind} over TLS" if self.tls else self.kind


def live(life: Life) -> int:
    """Runs in a process of its own; what it returns is the exit status."""
    log = (life.folder / f"caller{life.caller}.log").open("a")
    os.dup2(log.fileno(), 1)
    os.dup2(log.fileno(), 2)
    logging.basicConfig(stream=log, level=logging.INFO, format="%(name)s %(message)s", force=True)
    os.environ["SSL_CERT_FILE"] = str(CERTIFICATE)
    journal = Journal(life.folder / f"caller{life.caller}.journal")
    report_complaints(journal, life.way)
    try:
        with asyncio.Runner(loop_factory=FastLoop) as runner:
            return runner.run(work(life, journal, log))
    except KeyboardInterrupt:
        journal.note("interrupted")
        return MORE_TO_DO
    except BaseException:
        journal.note("untyped", what=traceback.format_exc()[-2000:])
        raise


async def work(life: Life, journal: Journal, log: TextIO) -> int:
    chance = random.Random(f"{life.seed} {life.number}")  # noqa: S311
    kind, tls, way = life.kind, life.tls, life.way
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: journal.note(
            "complaint", way=way, what=f"{context['message']}: {context.get('exception')!r}"
        )
    )
    to_do = [job for job in jobs(life.caller, life.refunds) if not journal.is_over(job)]
    to_do.sort(key=lambda job: journal.step(job) not in ("intent", "open"))
    journal.note("started", way=way, pid=os.getpid(), to_do=len(to_do))
    before, clock = descriptors(), FastClock()
    async with client(kind, ssl.create_default_context(cafile=CERTIFICATE)) as http:
        guard = SlowGuard(chance.uniform(0, 2)) if chance.random() < 0.5 else None
        atlas = AtlasRefunds(
            Credentials(kind, SECRET),
            base_url=f"{'https' if tls else 'http'}://127.0.0.1:{life.ports[tls]}",
            http_client=http,
            timeouts=TIMEOUTS,
            limit=RateLimit(in_flight=24),
            guard=guard,
            clock=clock,
        )
        caller = Caller(atlas, journal, clock.now, life.seed, life.cut_off, life.naive)
        threading.Thread(target=end_when_hung, args=(caller, journal, log), daemon=True).start()
        async with atlas:
            await bring_to_an_end(caller, to_do, life)
            open_questions = {unknown.order for unknown in atlas.unsettled}
            forgotten = open_questions - {job.order for job in to_do if journal.step(job) == "open"}
        if guard is not None and guard.owed:
            journal.note("guard not told", times=guard.owed)
        if forgotten:
            journal.note("unsettled keeps", what=sorted(map(str, forgotten)))
    for _ in range(20):
        await asyncio.sleep(0)
    tasks = [repr(task) for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    left = descriptors() - before
    journal.note("ended", way=way, descriptors=sorted(left), tasks=tasks)
    return MORE_TO_DO if any(not journal.is_over(job) for job in to_do) else ALL_DONE


async def bring_to_an_end(caller: Caller, to_do: list[Job], life: Life) -> None:
    waiting, until = list(reversed(to_do)), time.monotonic() + life.seconds

    async def one_after_the_other() -> None:
        while waiting and time.monotonic() < until:
            await caller.refund(waiting.pop())

    await asyncio.gather(*(one_after_the_other() for _ in range(life.width)))


def descriptors() -> set[str]:
    """What is open, by number and target."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            found.add(f"{number} {os.readlink(f'/proc/self/fd/{number}')}")
    return {name for name in found if "/proc/" not in name}


def end_when_hung(caller: Caller, journal: Journal, log: TextIO) -> None:
    """A thread of its own, for the event loop may be what hangs."""
    while True:
        time.sleep(1)
        hung = [name for name, began in list(caller.under_way.items()) if time.monotonic() - began > HUNG]
        if hung:
            journal.note("hung", what=hung)
            faulthandler.dump_traceback(log, all_threads=True)
            os._exit(IS_HUNG)


def report_complaints(journal: Journal, way: str) -> None:
    """What Python would only print: exceptions nobody retrieved, sockets nobody closed."""

    def showwarning(message: Warning | str, *_: Any, **__: Any) -> None:
        if "coroutine 'work' was never awaited" not in str(message):  # interrupted before it had begun
            journal.note("complaint", way=way, what=str(message)[:500])

    warnings.simplefilter("always", ResourceWarning)
    warnings.showwarning = showwarning
    sys.unraisablehook = lambda args: journal.note("complaint", way=way, what=f"{args.err_msg}: {args.exc_value!r}")
