"""`python -m tests.fuzz.campaign --count 1000000 --seed 1`: mutated answers and webhooks, read as the client does.

Fails when one raises anything but an AtlasRefundsError, alters an amount, is believed successful without status 0, or
takes more than 100 ms of CPU per 100 kB.
"""

import argparse
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from functools import partial

import attrs

from . import checks
from .mutations import LONGEST, Mutator

LIMIT = 0.1  # seconds of CPU, for LONGEST bytes
STATUSES = (200,) * 30 + (201, 302, 400, 403, 429, 503, 522)
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {},
    {"retry-after": "5"},
    {"retry-after": "9" * 500, "x-request-id": "a\nb"},
    {"retry-after": "Fri, 31 Dec 9999 23:59:59 -2359", "content-encoding": "gzip"},
)


@attrs.define
class Report:
    """What came of it; `wrong` has the first of what must not be."""

    seen: Counter[str] = attrs.Factory(Counter[str])
    wrong: list[str] = attrs.Factory(list[str])
    worst: float = 0.0
    worst_bytes: int = 0

    def failed(self, kind: str, content: bytes) -> None:
        self.seen[f"WRONG: {kind}"] += 1
        if len(self.wrong) < 10:
            self.wrong.append(f"{kind}\n{content[:2_000]!r}")


def run(count: int, seed: int, *, timed: bool = True) -> Report:
    """`count` bodies, half of them answers."""
    mutator, report = Mutator(seed), Report()
    dice = mutator.dice
    for number in range(count):
        kind, headers = "webhook" if number % 2 else dice.choice(tuple(checks.READERS)), dice.choice(HEADERS)
        content, seen = mutator.body(kind), Counter[str]()
        read: Callable[[], None]
        if kind == "webhook":
            read = partial(checks.webhook, content, headers, seen)
        else:
            read = partial(checks.answer, content, kind, dice.choice(STATUSES), headers, seen)
        try:
            seconds = cpu(read)
        except checks.Wrong as wrong:
            report.failed(f"{kind}: {wrong}", content)
        except Exception as error:
            report.failed(f"{kind}: untyped {traceback.format_exception_only(error)[-1].strip()[:300]}", content)
        else:
            if timed and seconds > LIMIT and len(content) <= LONGEST:
                seconds = min(cpu(read) for _ in range(3))
                if seconds > LIMIT:
                    report.failed(f"{kind}: {seconds:.3f} s for {len(content)} bytes", content)
            if len(content) <= LONGEST and seconds > report.worst:
                report.worst, report.worst_bytes = seconds, len(content)
        for what, times in seen.items():
            report.seen[f"{'webhook' if kind == 'webhook' else 'answer'}, {what}"] += times
    return report


def cpu(read: Callable[[], None]) -> float:
    began = time.process_time()
    read()
    return time.process_time() - began


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.campaign")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.process_time()
    report = run(given.count, given.seed)
    for what, times in sorted(report.seen.items()):
        print(f"{times:>10,}  {what}")
    print(f"worst: {report.worst * 1e3:.1f} ms of CPU, for {report.worst_bytes:,} bytes; checks included")
    print(f"{given.count:,} bodies of seed {given.seed}, {time.process_time() - began:.0f} s of CPU")
    print("\n\n".join(report.wrong))
    return bool(report.wrong)


if __name__ == "__main__":
    sys.exit(main())
