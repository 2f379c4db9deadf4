"""A caller that follows docs/submitting.md: intent on disk, submit, and reconcile what is unclear.

Its submits are cancelled or cut off by a time limit now and then: drawn by the seed, the refund and the number of the
try.
"""

import asyncio
import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeAlias

import attrs

from atlas_refunds import (
    Advice,
    AirlinePnr,
    AlreadySubmittedError,
    ApiError,
    AtlasRefunds,
    AtlasRefundsError,
    InvalidRequestError,
    NotSentError,
    OrderNo,
    OrderRef,
    OutcomeUnknownError,
    Refund,
    RefundPassenger,
    RefundQuote,
    RefundReason,
    RefundSegment,
    Submission,
    SubmitResult,
    Verdict,
)
from atlas_refunds.submitting import OrderLocks

FLIGHT = RefundSegment(dep_date=date(2030, 6, 15), flight_no="U22437", dep_airport="LTN", arr_airport="CDG")
PEOPLE = tuple(
    RefundPassenger(last_name=last, first_name=first, refund_reason=RefundReason.VOLUNTARY, segments=[FLIGHT])
    for last, first in (("ZHAO", "YIER"), ("QIAN", "ERER"))
)
TRIES = 12  # of one process, for one refund
UNDECIDED = 3  # verdicts without a decision after which a refund is left open
Line: TypeAlias = dict[str, Any]


@attrs.frozen
class Job:
    """One refund: passengers of an order, which is named by its number or by its PNR."""

    pnr: str
    passengers: tuple[RefundPassenger, ...]
    by_pnr: bool = False
    without_offer: bool = False

    @property
    def order(self) -> OrderRef:
        return AirlinePnr(self.pnr, carrier="U2") if self.by_pnr else OrderNo(f"ORDER{self.pnr}")

    @property
    def key(self) -> str:
        return " ".join([f"ORDER{self.pnr}", *sorted(person.last_name for person in self.passengers)])


def jobs(caller: int, count: int) -> list[Job]:
    """One order in four is refunded passenger by passenger, one in four is named by its PNR."""
    made: list[Job] = []
    number = 0
    while len(made) < count:
        pnr, number = f"W{caller}N{number:05}", number + 1
        groups = [PEOPLE] if number % 4 else [(person,) for person in PEOPLE]
        made += [Job(pnr, group, number % 4 == 1, number % 5 == 2) for group in groups]
    return made[:count]


class Journal:
    """What a caller knows, on disk before it acts.

    `intent` begins an attempt; `executed`, `not executed` and `open` are what its caller believes of it.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(self._file, b"\n")  # the last line of a killed process may be torn
        self.last: dict[str, Line] = {}
        self._undecided: Counter[str] = Counter()
        for line in read_lines(path):
            self._remember(line)

    def _remember(self, line: Line) -> None:
        if "job" in line:
            self.last[line["job"]] = line
            self._undecided[line["job"]] += line["step"] == "open" and "verdict" in line

    def note(self, step: str, job: Job | None = None, **more: object) -> None:
        line = {"at": time.time(), "step": step, **({"job": job.key} if job else {}), **more}
        os.write(self._file, (json.dumps(line) + "\n").encode())
        if job:
            os.fsync(self._file)
        self._remember(line)

    def step(self, job: Job) -> str:
        return str(self.last.get(job.key, {}).get("step", "not executed"))

    def codes(self, job: Job) -> set[str]:
        """Of the other refunds of the order."""
        order = job.key.split()[0]
        lines = (line for key, line in self.last.items() if key.split()[0] == order and key != job.key)
        return {line["code"] for line in lines if line.get("code")}

    def is_over(self, job: Job) -> bool:
        return self.step(job) == "executed" or self._undecided[job.key] >= UNDECIDED


def read_lines(path: Path) -> Iterator[Line]:
    for line in path.read_bytes().splitlines():
        with suppress(ValueError):
            yield json.loads(line)


class SlowGuard(OrderLocks):
    """A guard that takes its time, as one with a database does. `owed` are ends that it did not hear of."""

    def __init__(self, pause: float) -> None:
        super().__init__()
        self._pause = pause
        self.owed = 0

    async def before(self, submission: Submission) -> None:
        await super().before(submission)
        self.owed += 1

    async def after(self, submission: Submission, result: SubmitResult) -> None:
        await asyncio.sleep(self._pause)
        await super().after(submission, result)
        self.owed -= 1


class CutOffError(Exception):
    """The submit was cancelled, or cut off by a time limit, by its own caller."""


@attrs.define
class Caller:
    """Brings refunds to an end: executed, or open after many tries."""

    atlas: AtlasRefunds
    journal: Journal
    now: Callable[[], datetime]
    seed: int
    cut_off: float
    """The share of submits that are cut off."""
    naive: bool = False
    """Takes an unclear outcome for none, as nobody should."""
    under_way: dict[str, float] = attrs.field(factory=dict)
    """Calls that have not returned, and when they began; for whoever looks after hung ones."""
    _questions: dict[str, OutcomeUnknownError] = attrs.field(factory=dict)

    async def refund(self, job: Job) -> None:
        for number in range(TRIES):
            if self.journal.is_over(job):
                return
            try:
                await (self.submit(job, number) if self.journal.step(job) == "not executed" else self.settle(job))
            except AtlasRefundsError:
                await asyncio.sleep(5)  # the quote failed: nothing was submitted
            except Exception as error:
                self.journal.note("untyped", what=f"{job.key}: {type(error).__name__}: {error}"[:500])
                if self.journal.step(job) == "not executed":
                    return

    async def submit(self, job: Job, number: int) -> None:
        """Steps 1 to 3 of the procedure."""
        quote = None
        try:
            if not job.without_offer:
                with self.looked_after("quote", job):
                    quote = await self.atlas.quote(job.order, job.passengers)
        except AlreadySubmittedError as error:
            self.journal.note("executed", job, why=f"a quote is refused with code {error.code}")
            return
        self.journal.note("intent", job, offer=quote and quote.refund_offer_id)
        try:
            with self.looked_after("submit", job):
                made = await self.sent(job, quote, number)
        except OutcomeUnknownError as unknown:
            if unknown not in self.atlas.unsettled:
                self.journal.note("unsettled lacks", what=job.key)
            self.ask_about(job, unknown)
        except CutOffError:
            self.look_in_unsettled(job, quote)
        except asyncio.CancelledError:  # the process ends
            self.look_in_unsettled(job, quote)
            raise
        except ApiError as error:
            step = "open" if error.advice in (Advice.DUPLICATE, Advice.LOOK) else "not executed"
            self.journal.note(step, job, offer=quote and quote.refund_offer_id, why=str(error))
        except (NotSentError, InvalidRequestError) as error:
            self.journal.note("not executed", job, why=str(error))
            await asyncio.sleep(2)
        else:
            self.journal.note("executed", job, code=made.refund_code)

    async def sent(self, job: Job, quote: RefundQuote | None, number: int) -> Refund:
        chance = random.Random(f"{self.seed} {job.key} {number}")  # noqa: S311 - repeatable on purpose
        people, atlas = job.passengers, self.atlas
        submit = atlas.submit(quote) if quote else atlas.submit(job.order, passengers=people)
        if chance.random() >= self.cut_off:
            return await submit
        seconds = 100 * chance.random() ** 4
        try:
            match chance.choice(("timeout", "wait_for", "cancel")):
                case "timeout":
                    async with asyncio.timeout(seconds):
                        return await submit
                case "wait_for":
                    return await asyncio.wait_for(submit, seconds)
                case _:
                    return await cancelled_after(seconds, asyncio.ensure_future(submit))
        except TimeoutError:
            raise CutOffError from None

    def look_in_unsettled(self, job: Job, quote: RefundQuote | None) -> None:
        """A submit that was cut off left nothing, or stands in `unsettled`."""
        offer_id = quote and quote.refund_offer_id
        for unknown in self.atlas.unsettled:
            if (unknown.order, unknown.offer_id) == (job.order, offer_id) and (
                offer_id or unknown.passengers == job.passengers
            ):
                self.ask_about(job, unknown)
                return
        self.journal.note("not executed", job, why="cut off, and not in unsettled")

    def ask_about(self, job: Job, unknown: OutcomeUnknownError) -> None:
        self._questions[job.key] = unknown
        step = "not executed" if self.naive else "open"
        self.journal.note(step, job, offer=unknown.offer_id, why=unknown.seen)

    async def settle(self, job: Job) -> None:
        """Steps 4 and 5. What nothing but the journal knows of is an open question as of now."""
        unknown = self._questions.get(job.key) or OutcomeUnknownError(
            "found in the journal",
            order=job.order,
            offer_id=self.journal.last[job.key].get("offer"),
            passengers=job.passengers,
            at=self.now(),
        )
        self._questions[job.key] = unknown
        with self.looked_after("reconcile", job):
            found = await self.atlas.reconcile(unknown, known=self.journal.codes(job))
        if found.verdict is Verdict.UNKNOWN:
            self.journal.note("open", job, offer=unknown.offer_id, verdict=True, why=found.evidence)
            await asyncio.sleep(60)
            return
        del self._questions[job.key]
        code = found.token.refund_code if found.token else None
        step = "executed" if found.verdict is Verdict.SUBMITTED else "not executed"
        self.journal.note(step, job, verdict=True, code=code, why=found.evidence)

    @contextmanager
    def looked_after(self, call: str, job: Job) -> Iterator[None]:
        name = f"{call} {job.key}"
        self.under_way[name] = time.monotonic()
        try:
            yield
        finally:
            del self.under_way[name]


async def cancelled_after(seconds: float, submit: asyncio.Future[Refund]) -> Refund:
    try:
        await asyncio.wait({submit}, timeout=seconds)
    finally:
        submit.cancel()
        await asyncio.wait({submit})
    if submit.cancelled():
        raise CutOffError
    return submit.result()
