"""What a refund call costs beside what else one could use: ratios to raw httpx + json, measured in one run.

python -m bench [--quick]

A server in its own process, each client in its own process and environment. In each round all clients take their turn
in a new order; a ratio is that of one round, and the median over the rounds is shown. CPU is the time of the client's
process. The environments are made once, below the temporary folder.
"""

import argparse
import random
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import certifi

from .peers import FOLDER, PEERS, Peer, Unavailable, prepare, run
from .processes import CERTIFICATE, Process, Server, serving

REFERENCE, OURS = "raw_httpx", "ours"
Results: TypeAlias = dict[str, list[dict[str, Any]]]
Row: TypeAlias = Sequence[str]

BOUNDS = {
    "CPU of a query, 1 in flight": 0.60,
    "CPU of a query, 32 in flight": 0.25,
    "CPU of a query, 256 in flight": 0.20,
    "CPU of a query, injected httpx client, 1 in flight": 1.05,
    "CPU of a query, injected aiohttp session, 1 in flight": 0.45,
    "CPU of a query, injected aiohttp session, 32 in flight": 0.15,
    "CPU of a query, injected aiohttp session, 256 in flight": 0.13,
    "decode: bytes to typed answer": 3.0,
    "import": 1.3,
    "construct a client": 0.05,
    "CPU of the longest step until the first https answer, ms": 5.0,
}

PROBE = "import time; began = time.process_time(); {}; print(time.process_time() - began)"


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int = 5
    seconds: float = 0.4
    imports: int = 10
    in_flight: tuple[int, ...] = (1, 32, 256)


QUICK = Plan(rounds=2, seconds=0.15, imports=4)


@dataclass(frozen=True)
class Ready:
    """A client that can be asked."""

    peer: Peer
    python: Path
    worker: Process


class Comparison:
    """One run. Figures that have a bound are kept by its name in `found`."""

    def __init__(self, plan: Plan, prepared: Callable[[Peer], Path], server: Server) -> None:
        self.plan, self._server = plan, server
        self.ready: list[Ready] = []
        self.left_out: dict[str, str] = {}
        self.found: dict[str, float] = {}
        for peer in PEERS:
            try:
                python = prepared(peer)
                worker = Process(python, "bench.worker", peer.name)
                if worker.line().strip() != "ready":
                    raise Unavailable("its worker does not start")
                self.ready.append(Ready(peer, python, worker))
            except Unavailable as error:
                self.left_out[peer.title] = str(error)

    def end(self) -> None:
        for ready in self.ready:
            ready.worker.end()

    def rounds(self, measure: Callable[[Ready], dict[str, Any]], count: int | None = None) -> Results:
        """Each round asks everybody once, in a new order."""
        results: Results = {ready.peer.name: [] for ready in self.ready}
        for _ in range(count or self.plan.rounds):
            for ready in random.sample(self.ready, len(self.ready)):
                results[ready.peer.name].append(measure(ready))
        return results

    def table(self, title: str, heads: Row, columns: Iterable[Callable[[str], str]]) -> list[str]:
        columns = list(columns)
        lines = ["", f"### {title}", "", row(["client", *heads]), "|---" * (len(heads) + 1) + "|"]
        lines += [row([ready.peer.title, *(column(ready.peer.name) for column in columns)]) for ready in self.ready]
        return lines + [
            row([title, f"left out: {why}", *[""] * (len(heads) - 1)]) for title, why in self.left_out.items()
        ]

    # ---- the measurements ---------------------------------------------------------------------------------------
    def load(self) -> list[str]:
        heads: list[str] = []
        columns: list[Callable[[str], str]] = []
        failures: dict[str, int] = {ready.peer.name: 0 for ready in self.ready}
        for in_flight in self.plan.in_flight:
            seconds = self.plan.seconds * (1 if in_flight == 1 else 2 if in_flight < 100 else 4)
            results = self.rounds(asking(do="load", base_url=self._server.plain, in_flight=in_flight, seconds=seconds))
            heads += [f"CPU, {in_flight} in flight", "calls/s"]
            columns += [ratios(results, "cpu"), ratios(results, "rate")]
            self.keep(f"CPU of a query, {in_flight} in flight", results, OURS)
            self.keep(f"CPU of a query, injected aiohttp session, {in_flight} in flight", results, "ours_aiohttp")
            if in_flight == 1:
                self.keep("CPU of a query, injected httpx client, 1 in flight", results, "ours_injected")
            for name, asked in results.items():
                failures[name] += sum(result.get("failed", 1) for result in asked)
        return self.table(
            "Query calls, each client's own pool", [*heads, "failed"], [*columns, lambda name: str(failures[name])]
        )

    def small(self) -> list[str]:
        """Decode, import, construct."""
        decode = self.rounds(asking(do="decode", seconds=self.plan.seconds / 4))
        construct = self.rounds(asking(do="construct"))
        imports = self.rounds(lambda ready: {"cpu": imported(ready)}, self.plan.imports)
        best = {name: [min(results, key=lambda result: result["cpu"])] for name, results in imports.items()}
        self.keep("decode: bytes to typed answer", decode, OURS)
        self.keep("construct a client", construct, OURS)
        self.keep("import", best, OURS)
        return self.table(
            "Decode one order, import, construct a client (CPU)",
            ["decode", f"import, best of {self.plan.imports}", "construct"],
            [ratios(decode, "cpu"), ratios(best, "cpu"), ratios(construct, "cpu", digits=3)],
        )

    def first_call(self) -> list[str]:
        """How long the loop stands still. Fresh processes, for all is loaded once; the best of them, for noise adds."""
        bundle = FOLDER / "trusted.pem"
        FOLDER.mkdir(exist_ok=True)
        bundle.write_bytes(Path(certifi.where()).read_bytes() + CERTIFICATE.read_bytes())
        heads = ["longest step, ms CPU", "longest gap, ms"]
        lines = ["", "### From construction to the first https answer", "", row(["client", *heads]), "|---|---|---|"]
        for ready in self.ready:
            if ready.peer.name not in (REFERENCE, OURS):
                continue
            answers: list[dict[str, Any]] = []
            for _ in range(self.plan.rounds):
                worker = Process(ready.python, "bench.worker", ready.peer.name, SSL_CERT_FILE=str(bundle))
                worker.line()
                answers.append(worker.ask(do="first_call", base_url=self._server.tls))
                worker.end()
            step, gap = (min(answer.get(key, float("inf")) for answer in answers) * 1000 for key in ("cpu", "seconds"))
            lines.append(row([ready.peer.title, f"{step:.1f}", f"{gap:.1f}"]))
            if ready.peer.name == OURS:
                self.found["CPU of the longest step until the first https answer, ms"] = step
        return lines

    def keep(self, figure: str, results: Results, name: str) -> None:
        if (found := ratio(results, name, "cpu")) is not None:
            self.found[figure] = found

    def bounds(self) -> list[str]:
        lines = ["", "### Ours against the bounds", "", row(["figure", "bound", "found", ""]), "|---|---|---|---|"]
        for figure, bound in BOUNDS.items():
            found = self.found.get(figure)
            verdict = "" if found is None else "met" if found <= bound else "missed"
            lines.append(row([figure, f"≤ {bound}", "–" if found is None else f"{found:.3f}", verdict]))
        return lines


def asking(**command: Any) -> Callable[[Ready], dict[str, Any]]:
    return lambda ready: ready.worker.ask(**command)


def imported(ready: Ready) -> float:
    """CPU seconds of its import statement in a fresh interpreter; without one, nothing."""
    if not ready.peer.statement:
        return float("nan")
    return float(run(ready.python, "-I", "-c", PROBE.format(ready.peer.statement)))


def ratio(results: Results, name: str, figure: str) -> float | None:
    """The median over the rounds of this client's figure over that of raw httpx in the same round."""
    pairs = zip(results.get(name, []), results.get(REFERENCE, []), strict=False)
    found = [ours[figure] / theirs[figure] for ours, theirs in pairs if figure in ours and theirs.get(figure)]
    return statistics.median(found) if found else None


def ratios(results: Results, figure: str, digits: int = 2) -> Callable[[str], str]:
    def shown(name: str) -> str:
        found = ratio(results, name, figure)
        return "–" if found is None or found != found else f"{found:.{digits}f}"

    return shown


def row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def compare(plan: Plan, prepared: Callable[[Peer], Path] = prepare) -> Iterable[str]:
    """The lines of all tables, as they are ready."""
    with serving() as server:
        comparison = Comparison(plan, prepared, server)
        try:
            yield f"{plan.rounds} rounds, python {sys.version.split()[0]}; all figures but those in ms: 1 is raw httpx"
            for measure in (comparison.load, comparison.small, comparison.first_call, comparison.bounds):
                yield from measure()
        finally:
            comparison.end()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a minute instead of five; noisier")
    for line in compare(QUICK if parser.parse_args().quick else Plan()):
        print(line, flush=True)


if __name__ == "__main__":
    main()
