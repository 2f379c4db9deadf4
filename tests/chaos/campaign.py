"""`make chaos`: many refunds, callers of every kind, a server full of faults, kill -9 and SIGINT; then the books.

    python -m tests.chaos.campaign --refunds 7000 --kills 420 --seed 1 --keep FOLDER

Ends with status 0 when no promise was broken. A run is not repeated to the byte, for the processes race; what meets one
order is: see `faultserver`.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import attrs

from . import fasttime
from .books import Books, compare
from .clients import NAMES
from .procedure import PEOPLE, Journal, read_lines
from .worker import ALL_DONE, IS_HUNG, MORE_TO_DO, SECRET, Life, live

LINGER = 0.5  # seconds that a request is on its way at most


@attrs.frozen(kw_only=True)
class Campaign:
    folder: Path
    refunds: int
    kills: int
    callers: int
    seed: int
    rate: float
    minutes: float
    life: float
    """Seconds after which a process ends by itself, and another kind of client goes on."""
    naive: bool

    def run(self) -> tuple[Books, Counter[str]]:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.chaos.faultserver", "--ledger", self.folder / "ledger"),
                *("--rate", str(self.rate), "--linger", str(LINGER), "--seed", str(self.seed)),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert server.stdout is not None
        try:
            plain, tls = json.loads(server.stdout.readline())
            unfinished = self.drive({False: plain, True: tls})
            time.sleep(2 * LINGER)  # for what is executed late
        finally:
            server.terminate()
            played = Counter(json.loads(server.stdout.readline() or "{}"))
            server.wait()
        journals = [list(read_lines(path)) for path in sorted(self.folder.glob("*.journal"))]
        more = {"leaked": self.leaks(), "unfinished": [f"caller {caller}" for caller in unfinished]}
        return compare(read_lines(self.folder / "ledger"), journals, more), played

    def drive(self, ports: dict[bool, int]) -> set[int]:
        """Until all refunds are over: start callers, end them at random, and start them again. Who is not done?"""
        chance, until = random.Random(self.seed), time.monotonic() + 60 * self.minutes  # noqa: S311
        journal, number, killed = Journal(self.folder / "campaign.journal"), 0, 0
        running: dict[int, int] = {}
        to_do = set(range(self.callers))
        while to_do and time.monotonic() < until:
            for caller in sorted(to_do - set(running.values())):
                share = self.refunds // self.callers
                life = Life(
                    folder=self.folder,
                    ports=ports,
                    caller=caller,
                    refunds=share,
                    seed=self.seed,
                    number=number,
                    seconds=self.life * chance.uniform(0.5, 1.5),
                    naive=self.naive,
                )
                running[start(life)] = caller
                number += 1
            time.sleep(chance.expovariate(self.callers / self.life) if killed < self.kills else 0.2)
            dying = None
            if killed < self.kills and running:
                victim, interrupted = chance.choice(list(running)), chance.random() < 0.1
                os.kill(victim, signal.SIGINT if interrupted else signal.SIGKILL)
                dying = None if interrupted else victim
            for pid in list(running):
                ended, status = os.waitpid(pid, 0 if pid == dying else os.WNOHANG)
                if ended:
                    caller = running.pop(pid)
                    code = os.waitstatus_to_exitcode(status)
                    if code == ALL_DONE:
                        to_do.discard(caller)
                    elif code == -signal.SIGKILL:
                        killed += 1
                        journal.note("killed")
                    elif code not in (MORE_TO_DO, IS_HUNG):
                        raise RuntimeError(f"caller {caller} ended with {code}: see {self.folder}")
        for pid in running:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        return to_do

    def leaks(self) -> list[str]:
        """Lines of logs with a secret or the name of a passenger in them."""
        words = (SECRET, *(person.last_name for person in PEOPLE))
        logs = [path.read_text("utf-8", "replace") for path in self.folder.glob("*.log")]
        return [line for log in logs for line in log.splitlines() if any(word in line for word in words)]


def start(life: Life) -> int:
    """A forked process: what takes time to import is there already."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        status = live(life)
    except KeyboardInterrupt:  # before it had begun, or while it ended
        status = MORE_TO_DO
    finally:
        os._exit(status)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refunds", type=int, default=7000)
    parser.add_argument("--callers", type=int, default=4, help="processes at once")
    parser.add_argument("--kills", type=int, default=420)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0.4, help="the share of requests that meet a fault")
    parser.add_argument("--life", type=float, default=2.5, help="seconds")
    parser.add_argument("--speed", type=int, default=fasttime.SPEED, help="of the callers' time")
    parser.add_argument("--minutes", type=float, default=30, help="after which it ends, finished or not")
    parser.add_argument("--naive", action="store_true", help="callers that repeat after an unclear outcome")
    parser.add_argument("--keep", type=Path, help="an empty folder for ledger, journals and logs")
    given = vars(parser.parse_args())
    keep: Path | None = given.pop("keep")
    fasttime.SPEED = given.pop("speed")
    folder = keep or Path(tempfile.mkdtemp())
    folder.mkdir(exist_ok=True)
    began = time.monotonic()
    books, played = Campaign(folder=folder, **given).run()
    print(f"{given['refunds']} refunds in {time.monotonic() - began:.0f} s, clients: {', '.join(NAMES)}")
    print(f"faults played: {played.total()}, of {len(played)} sorts")
    print(books)
    if not keep:
        shutil.rmtree(folder)
    return 0 if books.clean else 1


if __name__ == "__main__":
    sys.exit(main())
