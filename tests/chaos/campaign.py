"""`make chaos`: many refunds, several processes, faults on every call, kill -9 at random; then the books are compared.

The simulator executes every submit that reaches it (Atlas' own protection would hide a caller who submits twice) and
counts, each caller keeps a journal. A refund executed twice, or one that its caller believes in but that was never
executed (and the other way round), is a failure of the package. `--naive` runs callers that repeat after an unclear
outcome, to show that the campaign would notice.
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
from collections import Counter
from pathlib import Path
from typing import Any

import attrs
import httpx

FAULTS: dict[str, dict[str, float]] = {
    "submit": {
        "lost_answer": 0.06,
        "refused": 0.04,
        "delayed": 0.04,
        "late": 0.03,
        "reset_mid_body": 0.04,
        "slow_loris": 0.01,
        "html_200": 0.02,
        "bad_gateway": 0.03,
        "gateway_refusal": 0.02,
        "http_522": 0.02,
        "truncated_json": 0.03,
        "too_many_requests": 0.01,
        "system_error": 0.02,
        "empty": 0.02,
    },
    "quote": {"refused": 0.03, "reset_mid_body": 0.03, "gateway_refusal": 0.03, "html_200": 0.01, "delayed": 0.02},
    "query": {"refused": 0.03, "reset_mid_body": 0.03, "bad_gateway": 0.03, "html_200": 0.01, "delayed": 0.02},
}
ORDERS = "SIM-REFUNDED.w"


@attrs.frozen(kw_only=True)
class Books:
    """What both sides say after the campaign."""

    refunds: int
    seconds: float
    kills: int
    executed: Counter[int]
    """Executions per refund, and how many refunds had so many."""
    steps: Counter[str]
    verdicts: Counter[str]
    played: Counter[str]
    twice: tuple[str, ...]
    lost: tuple[str, ...]
    """Believed to be submitted but never executed, or executed without its caller's knowledge."""
    unknown: tuple[str, ...]

    @property
    def clean(self) -> bool:
        return not self.twice and not self.lost

    def __str__(self) -> str:
        counted = ", ".join(f"{name} {number}" for name, number in sorted(self.played.items()))
        return "\n".join(
            (
                f"{self.refunds} refunds in {self.seconds:.0f} s, {self.kills} processes killed",
                f"faults played: {sum(self.played.values())} ({counted})",
                f"unclear outcomes: {sum(self.verdicts.values())} reconciliations {dict(self.verdicts)}",
                f"executions per refund: {dict(sorted(self.executed.items()))}",
                f"executed twice: {len(self.twice)} {list(self.twice[:5])}",
                f"lost: {len(self.lost)} {list(self.lost[:5])}",
                f"outcome stayed unknown: {len(self.unknown)} {list(self.unknown[:5])}",
            )
        )


async def campaign(
    *, refunds: int, processes: int, kills: int, seed: int, query_without_code: str, naive: bool
) -> Books:
    """Run it to the end; a caller that is killed is started again."""
    chance, began = random.Random(seed), time.monotonic()  # noqa: S311 - repeatable on purpose
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        simulator, url = await start_simulator(query_without_code)
        try:
            async with httpx.AsyncClient(base_url=url) as control:
                settings = {"seed": seed, "delay_seconds": 0.3, "rates": FAULTS}
                (await control.post("/_simulator/faults", json=settings)).raise_for_status()
                each = refunds // processes
                killed = await drive(url, folder, each, processes, kills, chance, naive=naive)
                await asyncio.sleep(0.5)  # for what is executed late
                state = (await control.get("/_simulator/state")).json()
                faults = (await control.get("/_simulator/faults")).json()
        finally:
            simulator.terminate()
            await simulator.wait()
        return compare(folder, state, faults, killed, each * processes, time.monotonic() - began)


async def start_simulator(query_without_code: str) -> tuple[asyncio.subprocess.Process, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "atlas_refunds.simulator", "--port", "0", "--day", "86400"),
        *("--query-without-code", query_without_code, "--accept-duplicates"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    first = (await process.stdout.readline()).decode()
    return process, first.removeprefix("listening on ").strip()


async def drive(
    url: str, folder: Path, each: int, processes: int, kills: int, chance: random.Random, *, naive: bool
) -> int:
    """Start the callers, kill one now and then, and start it again until all have ended by themselves."""

    async def start(number: int) -> asyncio.subprocess.Process:
        command = (sys.executable, "-m", "tests.chaos.procedure", url, str(folder / f"{number}.db"))
        return await asyncio.create_subprocess_exec(*command, f"{ORDERS}{number}.", str(each), *["--naive"] * naive)

    running = {number: await start(number) for number in range(processes)}
    killed = 0
    while running:
        await asyncio.sleep(chance.uniform(0.5, 1.5))
        for number, process in list(running.items()):
            if process.returncode == 0:
                del running[number]
            elif process.returncode is not None:
                running[number] = await start(number)
        if running and killed < kills:
            victim = running[chance.choice(list(running))]
            if victim.returncode is None:
                os.kill(victim.pid, signal.SIGKILL)
                await victim.wait()
                killed += 1
    return killed


def compare(folder: Path, state: Any, faults: Any, kills: int, refunds: int, seconds: float) -> Books:
    """Both sides' books, entry by entry."""
    executed = executions(state)
    steps: dict[str, str] = {}
    verdicts: Counter[str] = Counter()
    for path in folder.glob("*.db"):
        with sqlite3.connect(path) as db:
            steps.update(db.execute("select order_no, step from refunds"))
            verdicts.update(verdict for (verdict,) in db.execute("select verdict from unclear"))
    believed = {order for order, step in steps.items() if step == "submitted"}
    unknown = {order for order, step in steps.items() if step == "unknown"}
    return Books(
        refunds=refunds,
        seconds=seconds,
        kills=kills,
        executed=Counter(executed.get(order, 0) for order in steps),
        steps=Counter(steps.values()),
        verdicts=verdicts,
        played=Counter({f"{op} {name}": n for op, names in faults["played"].items() for name, n in names.items()}),
        twice=tuple(sorted(order for order, count in executed.items() if count > 1)),
        lost=tuple(sorted(believed.symmetric_difference(order for order in executed if order not in unknown))),
        unknown=tuple(sorted(unknown)),
    )


def executions(state: Any) -> dict[str, int]:
    return {order: entry["submissions"] for order, entry in state["orders"].items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refunds", type=int, default=2400)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--query-without-code", choices=["refuse", "list"], default="list")
    parser.add_argument("--naive", action="store_true")
    books = asyncio.run(campaign(**vars(parser.parse_args())))
    print(books)
    return 0 if books.clean else 1


if __name__ == "__main__":
    sys.exit(main())
