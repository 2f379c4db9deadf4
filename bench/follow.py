"""What following many refunds costs: memory, punctuality, a restart, and polls.

python -m bench.follow [memory|timer|lateness|tasks|resumed|days] [--quick] [--each]

Each measurement has a process of its own. A task for each refund, as one would write it by hand, is measured in the
same run.
"""

import argparse
import asyncio
import gc
import os
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import attrs

from atlas_refunds import (
    AtlasRefunds,
    Clock,
    Credentials,
    Follower,
    OrderNo,
    PollSchedule,
    RateLimit,
    RefundState,
    RefundStatus,
    RefundToken,
)
from atlas_refunds.clocks import SystemClock

from .peers import run
from .processes import pin, serving
from .samples import REFUND_CODE

START: Final = datetime(2025, 5, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
Look = Callable[[RefundToken], Awaitable[RefundState]]


def tokens(count: int, code: str = "", submitted: datetime | None = None) -> list[RefundToken]:
    """As long as real ones are."""
    return [
        RefundToken(
            order=OrderNo(f"TESTA{number:016d}"),
            refund_code=code or f"202505-{number:07d}",
            submitted=submitted or datetime.now(UTC),
        )
        for number in range(count)
    ]


def follower(look: Look, schedule: PollSchedule, clock: Clock | None = None) -> Follower:
    """What `atlas.follow` makes, with a look of our own in place of HTTP."""
    clock = clock or SystemClock()
    return Follower(
        look, tokens=(), schedule=schedule, payment_mode=None, clock=clock, workers=64, buffer=1000, forever=True
    )


@asynccontextmanager
async def consumed(made: Follower) -> AsyncIterator[Follower]:
    """Run it, with somebody who takes the changes."""

    async def take() -> None:
        async for _ in made:
            pass

    async with made:
        taking = asyncio.create_task(take())
        yield made
        await made.stop()
        await taking


def state(token: RefundToken, status: int = 1, **more: Any) -> RefundState:
    assert isinstance(token.order, OrderNo)  # noqa: S101
    return RefundState(
        order=token.order,
        order_no=token.order.order_no,
        refund_code=token.refund_code,
        refund_status=RefundStatus(status),
        **more,
    )


# ---- memory ----------------------------------------------------------------------------------------------------------
def resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as pages:
        return int(pages.read().split()[1]) * os.sysconf("SC_PAGESIZE")


async def memory(count: int) -> str:
    """Added by refunds that were polled once and wait for their next poll, beside the caller's own tokens."""
    polled = 0

    async def look(token: RefundToken) -> RefundState:
        nonlocal polled
        polled += 1
        return state(token)

    async def alone(token: RefundToken) -> None:
        async with asyncio.timeout(86_400):
            await look(token)
            await asyncio.sleep(86_400)

    async with consumed(follower(look, PollSchedule())) as refunds:
        refunds.add(*tokens(10))
        await until(lambda: polled == 10)
        gc.collect()
        before, given = resident(), tokens(count)
        own, polled = resident() - before, 0
        refunds.add(*given)
        await until(lambda: polled == count)
        gc.collect()
        ours = resident() - before - own
        before, polled = resident(), 0
        tasks = [asyncio.create_task(alone(token)) for token in given]
        await until(lambda: polled == count)
        gc.collect()
        theirs = resident() - before
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    share = ours / max(theirs, 1)
    return (
        f"{count:,} followed refunds: {ours / 2**20:.1f} MiB, {ours / count:.0f} bytes each, {share:.2f} "
        f"of what a task each takes; the caller's tokens: {own / 2**20:.1f} MiB"
    )


async def until(done: Callable[[], bool]) -> None:
    while not done():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


# ---- punctuality -----------------------------------------------------------------------------------------------------
class Punctuality:
    """Polls that do nothing but note how late they are: more than a second after the one before."""

    def __init__(self) -> None:
        self._last: dict[int, float] = {}
        self.late: list[float] = []
        self.is_counting = False

    async def look(self, token: RefundToken) -> RefundState:
        now, key = time.monotonic(), id(token)
        if self.is_counting:
            self.late.append(now - self._last[key] - 1)
        self._last[key] = now
        return NOTHING_NEW

    async def told(self, seconds: float) -> str:
        """After everybody was polled at least once."""
        await asyncio.sleep(2.5)
        self.is_counting, cpu, began = True, time.process_time(), time.monotonic()
        await asyncio.sleep(seconds)
        self.is_counting, cpu, took = False, time.process_time() - cpu, time.monotonic() - began
        missed = sum(began + took > last + 1 for last in self._last.values())
        made = len(self.late) / (len(self.late) + missed)
        return f"{made:.0%} of due polls made, p99 {p99(self.late):.1f} ms late, {cpu / took:.0%} of a processor"


NOTHING_NEW: Final = state(RefundToken(order=OrderNo("TESTA1"), refund_code="202505-1"))


def p99(late: list[float]) -> float:
    """In milliseconds."""
    return sorted(late)[len(late) * 99 // 100] * 1000


async def lateness(count: int, seconds: float, *, is_ours: bool = True) -> str:
    measured, given = Punctuality(), tokens(count)

    async def alone(token: RefundToken, first: float) -> None:
        await asyncio.sleep(first)
        while True:
            await measured.look(token)
            await asyncio.sleep(1)

    if not is_ours:
        tasks = [asyncio.create_task(alone(token, number / count)) for number, token in enumerate(given)]
        told = await measured.told(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return told
    async with consumed(follower(measured.look, PollSchedule.every(SECOND))) as refunds:
        began = time.monotonic()
        for part in range(1000):  # evenly, over five seconds
            refunds.add(*given[part * count // 1000 : (part + 1) * count // 1000])
            await asyncio.sleep(max(0.0, began + part / 200 - time.monotonic()))
        return await measured.told(seconds)


async def timer(seconds: float) -> str:
    """What the machine itself adds."""
    late: list[float] = []
    end = time.monotonic() + seconds
    while (now := time.monotonic()) < end:
        await asyncio.sleep(0.001)
        late.append(time.monotonic() - now - 0.001)
    return f"p99 {p99(late):.1f} ms late"


# ---- a restart -------------------------------------------------------------------------------------------------------
async def resumed(count: int) -> str:
    """All at once over real sockets; the server tells how many calls it had at a time. Answers take 2 ms."""
    limit = RateLimit(per_second=1e9, burst=10**9)
    with serving() as server:
        given, began, base_url = tokens(count, REFUND_CODE), time.monotonic(), server.plain + "/after/2"
        atlas = AtlasRefunds(Credentials("bench", "secret"), base_url=base_url, limit=limit)
        async with atlas, atlas.follow(given) as refunds:
            ended = [change.error is None async for change in refunds]
        took, seen = time.monotonic() - began, server.seen()
    return (
        f"{count:,} tokens resumed at once: {len(ended):,} asked, {ended.count(False)} failed, {took:.1f} s; the "
        f"server saw {seen['requests']:,} requests, {seen['most_waiting']} at a time at most (bound {limit.in_flight}) "
        f"and {seen['connections'] - 1} connections"
    )


# ---- fifty days ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Life:
    """What becomes of a refund: day it is confirmed, day it ends, what Atlas expected."""

    kind: str
    confirmed: float
    ends: float
    expected: tuple[float, float] | None = None
    last_status: int = 2
    fast: bool = False

    def status(self, day: float) -> int:
        if day >= self.ends:
            return self.last_status
        return 3 if day >= self.confirmed else 1 if day >= 1 / 6 else 0


NEVER = float("inf")
KINDS: dict[str, Callable[[random.Random], Life]] = {
    "announced as fast": lambda dice: Life("announced as fast", 0.1, dice.uniform(0.2, 3), fast=True),
    "announced as fast, stuck": lambda _: Life("announced as fast, stuck", NEVER, NEVER, fast=True),
    "paid when expected": lambda dice: dated("paid when expected", dice, slip=dice.uniform(-1, 1)),
    "paid ten days later": lambda dice: dated("paid ten days later", dice, slip=10),
    "paid, no dates given": lambda dice: Life("paid, no dates given", dice.uniform(3, 20), dice.uniform(21, 49)),
    "rejected": lambda dice: Life("rejected", NEVER, dice.uniform(1, 20), last_status=4),
    "stuck for ever": lambda dice: Life("stuck for ever", NEVER, NEVER),
}


def dated(kind: str, dice: random.Random, *, slip: float) -> Life:
    confirmed, paid = dice.uniform(3, 15), dice.uniform(20, 38)
    return Life(kind, confirmed + slip / 2, paid + slip, (confirmed, paid))


@dataclass
class Leaping:
    """A clock that leaps over each sleep, up to the last day."""

    last_day: float
    seconds: float = 0.0
    is_over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def day(self) -> float:
        return self.seconds / 86_400

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        if self.seconds + seconds > self.last_day * 86_400:
            self.is_over.set()
            await asyncio.Event().wait()
        self.seconds += seconds


async def days(count: int, *, last_day: float = 50, each: bool = False) -> str:
    """Polls of refunds, and how long after its end the end was seen, by kind; `each`: the days of all polls."""
    dice, clock, began = random.Random(1), Leaping(last_day), time.perf_counter()  # noqa: S311
    kinds = list(KINDS)
    lives: dict[RefundToken, Life] = {}
    for number, plain in enumerate(tokens(count, submitted=START)):
        life = KINDS[kinds[number % len(kinds)]](dice)
        lives[attrs.evolve(plain, fast=life.fast)] = life
    polls: dict[RefundToken, list[float]] = {token: [] for token in lives}
    seen_after: dict[RefundToken, float] = {}

    def on(expected: float) -> date:
        return (START + timedelta(days=expected)).date()

    async def look(token: RefundToken) -> RefundState:
        polls[token].append(clock.day)
        life = lives[token]
        if clock.day >= life.ends:
            seen_after[token] = (clock.day - life.ends) * 24
        confirmation, refund = map(on, life.expected) if life.expected else (None, None)
        return state(
            token, life.status(clock.day), expected_confirmation_date=confirmation, expected_refund_date=refund
        )

    async with consumed(follower(look, PollSchedule(), clock)) as refunds:
        refunds.add(*lives)
        await clock.is_over.wait()
    took = time.perf_counter() - began
    counts = {token: len(asked) for token, asked in polls.items()}
    lines = [f"{count:,} refunds, {last_day:g} days in {took:.1f} s, {sum(counts.values()):,} polls; by kind:"]
    lines += by_kind(lives, counts, seen_after)
    if each:
        for token, asked in polls.items():
            lines.append(f"  {token.refund_code}, {lives[token].kind}: {' '.join(f'{day:.2f}' for day in asked)}")
    return "\n".join([*lines, f"  most polls of one refund: {max(counts.values())}"])


def by_kind(
    lives: dict[RefundToken, Life], polls: dict[RefundToken, int], seen_after: dict[RefundToken, float]
) -> Iterator[str]:
    for kind in KINDS:
        own = [token for token, life in lives.items() if life.kind == kind]
        each = sorted(polls[token] for token in own)
        late = sorted(seen_after[token] for token in own if token in seen_after)
        seen = f"end seen after {statistics.median(late):.0f} h, {late[-1]:.0f} h at most" if late else "no end to see"
        yield f"  {kind:24} {each[0]:3} to {each[-1]:3} polls, median {statistics.median(each):3.0f}; {seen}"


# ---- all of it -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Size:
    refunds: int = 50_000
    resumed: int = 10_000
    followed_for_days: int = 1_000
    seconds: float = 5.0
    each: bool = False


QUICK = Size(refunds=5_000, resumed=1_000, followed_for_days=60, seconds=1.0)

MEASUREMENTS: dict[str, tuple[str, Callable[[Size], Coroutine[Any, Any, str]]]] = {
    "memory": ("", lambda size: memory(size.refunds)),
    "timer": ("a timer alone, in a process that does nothing else: ", lambda size: timer(size.seconds)),
    "lateness": ("one poller, each refund asked every second: ", lambda size: lateness(size.refunds, size.seconds)),
    "tasks": ("the same, a task each: ", lambda size: lateness(size.refunds, size.seconds, is_ours=False)),
    "resumed": ("", lambda size: resumed(size.resumed)),
    "days": ("", lambda size: days(size.followed_for_days, each=size.each)),
}
IN_TURN = ["memory", *["timer", "lateness", "tasks"] * 3, "resumed", "days"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=MEASUREMENTS, help="only this one")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--each", action="store_true", help="with `days`: when each refund was asked about")
    arguments = parser.parse_args()
    if arguments.what:
        pin(1)
        words, measure = MEASUREMENTS[arguments.what]
        print(words + asyncio.run(measure(replace(QUICK if arguments.quick else Size(), each=arguments.each))))
    else:
        for name in IN_TURN:
            print(run(sys.executable, "-m", "bench.follow", name, *["--quick"] * arguments.quick), end="", flush=True)


if __name__ == "__main__":
    main()
