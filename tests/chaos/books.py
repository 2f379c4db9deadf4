"""The third party: compares what the server executed with what the callers believed, attempt by attempt.

An attempt lasts from the line `intent` in a caller's journal to the next `intent` of the same refund. Both sides run on
one machine, so a request belongs to the attempt in whose time it was received.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

Line: TypeAlias = dict[str, Any]


@attrs.define
class Attempt:
    """One submit of one refund."""

    job: str
    began: float
    received: list[Line] = attrs.field(factory=list)
    executed: list[Line] = attrs.field(factory=list)
    beliefs: list[Line] = attrs.field(factory=list)

    def __str__(self) -> str:
        seen = (
            ", ".join(f"{line['when']}: {line['says']}; {line['sends']}" for line in self.received) or "never received"
        )
        believed = " > ".join(f"{line['step']} ({line.get('why') or line.get('code')})" for line in self.beliefs)
        return f"{self.job} [{seen}] executed {len(self.executed)} times, believed: {believed}"


@attrs.frozen
class Books:
    """What came of a campaign. Each of `findings` is a broken promise."""

    attempts: int
    received: int
    executed: int
    callers: Counter[str]
    """How their lives began and ended."""
    kinds: Counter[str]
    verdicts: Counter[str]
    open: Sequence[str]
    """Refunds that stay an open question: allowed, and a pity."""
    findings: dict[str, Sequence[str]]

    @property
    def clean(self) -> bool:
        return not any(self.findings.values())

    def __str__(self) -> str:
        return "\n".join(
            (
                f"{self.attempts} submits, {self.received} received, {self.executed} executed",
                f"callers: {dict(self.callers)}, on {dict(self.kinds)}",
                f"verdicts: {dict(self.verdicts)}, refunds that stay open: {len(self.open)}",
                *(
                    f"{name}: {len(found)}" + "".join(f"\n    {one}" for one in found[:5])
                    for name, found in self.findings.items()
                ),
            )
        )


def compare(
    ledger: Iterable[Line], journals: Iterable[Sequence[Line]], more: Mapping[str, Sequence[str]] | None = None
) -> Books:
    """`more` are findings that are in neither book."""
    journals = list(journals)
    lives = [line for journal in journals for line in journal if "job" not in line]
    attempts = attempts_of(line for journal in journals for line in journal if "job" in line)
    strays = assign(ledger, attempts)
    every = [attempt for of_job in attempts.values() for attempt in of_job]
    executions = Counter(attempt.job for attempt in every for _ in attempt.executed)
    lasts = {job: of_job[-1] for job, of_job in attempts.items()}
    return Books(
        attempts=len(every),
        received=sum(len(attempt.received) for attempt in every),
        executed=sum(executions.values()),
        callers=Counter(line["step"] for line in lives),
        kinds=Counter(line["way"] for line in lives if line["step"] == "started"),
        verdicts=Counter(line["step"] for attempt in every for line in attempt.beliefs if "verdict" in line),
        open=[str(last) for last in lasts.values() if not last.beliefs or last.beliefs[-1]["step"] == "open"],
        findings={
            "sent twice": [str(attempt) for attempt in every if len(attempt.received) > 1],
            "executed twice": [" & ".join(map(str, attempts[job])) for job, times in executions.items() if times > 1],
            "executed but believed not": [str(attempt) for attempt in every if attempt.executed and denied(attempt)],
            "believed executed but not": [
                str(last) for job, last in lasts.items() if affirmed(last) and not executions[job]
            ],
            "believed under another's code": [str(attempt) for attempt in every if another_code(attempt)],
            "of another order": [str(line) for line in strays],
            "untyped": [line["what"] for line in lives if line["step"] == "untyped"],
            "hung": [str(line["what"]) for line in lives if line["step"] == "hung"],
            "left behind": [
                f"{line['way']}: {line['descriptors']} {line['tasks']}"
                for line in lives
                if line["step"] == "ended" and (line["tasks"] or (line["descriptors"] and line["way"] not in LEAVING))
            ],
            "complaints": [
                f"{line['way']}: {line['what']}"
                for line in lives
                if line["step"] == "complaint" and not (line["way"] in LEAVING and line["what"].startswith("unclosed"))
            ],
            "not told": [f"{line['step']} {line.get('what', '')}" for line in lives if line["step"] in NOT_TOLD],
            **(more or {}),
        },
    )


LEAVING = ("httpx over TLS", "httpx2 over TLS")
"""Whose sockets stay open, without us too, when a call is cancelled during the TLS handshake."""
NOT_TOLD = ("guard not told", "unsettled lacks", "unsettled keeps")


def attempts_of(lines: Iterable[Line]) -> dict[str, list[Attempt]]:
    made: dict[str, list[Attempt]] = defaultdict(list)
    for line in lines:
        job = line["job"]
        if line["step"] == "intent":
            made[job].append(Attempt(job, line["at"]))
        else:
            if not made[job]:  # believed of a refund that was never tried
                made[job].append(Attempt(job, 0))
            made[job][-1].beliefs.append(line)
    return dict(made)


def assign(ledger: Iterable[Line], attempts: dict[str, list[Attempt]]) -> list[Line]:
    """Give each line of the ledger to its attempt; what belongs to none is returned."""
    strays = []
    for line in ledger:
        if line["what"] not in ("received", "executed"):
            continue
        of_job = attempts.get(line["job"], [])
        number = bisect_right([attempt.began for attempt in of_job], float(line.get("received") or line["at"])) - 1
        if number < 0 or line.get("offer_of") != line.get("order"):
            strays.append(line)
        else:
            getattr(of_job[number], line["what"]).append(line)
    return strays


def denied(attempt: Attempt) -> bool:
    return any(line["step"] == "not executed" for line in attempt.beliefs)


def affirmed(attempt: Attempt) -> bool:
    return bool(attempt.beliefs) and attempt.beliefs[-1]["step"] == "executed"


def another_code(attempt: Attempt) -> bool:
    codes = {line["code"] for line in attempt.beliefs if line.get("code")}
    return bool(attempt.executed) and not codes <= {line["code"] for line in attempt.executed}
