"""Compare a documentation page with the committed source, by what a client sends and receives.

python -m scripts.drift                 the live page
python -m scripts.drift --page FILE     a page that is already here
python -m scripts.drift --url URL       a page somewhere else

The exit status says how much has changed:
0 same, 10 documentation only, 20 compatible, 30 breaking, 40 the page cannot be read or contradicts itself
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from . import overlay
from .addresses import scrubbed
from .changes import Finding, Level, Place, worst
from .compare import compare
from .errors import SpecError
from .extract import extract, operations, read
from .fetch import Limits, Page, decoded, fetch_page
from .grammar import Json
from .lint import lint
from .merge import combine, merge
from .outcome import Drift, Fit
from .prose import described_nowhere, text_changes
from .report import FORMATS
from .spec import OVERLAYS, PROVENANCE, committed_page


def examine(committed: str, page: Page, actions: list[overlay.Action], source: str = "") -> Drift:
    """The whole comparison. A fault of its own is reported as one, in place of a wrong answer or none."""
    try:
        findings = [] if page.unchanged else findings_of(committed, page.text)
        readable = worst(findings) < Level.UNREADABLE
        new = committed if page.unchanged else page.text
        fit = fit_of(merge(extract(new)), actions) if readable else Fit()
    except Exception as error:
        findings, fit = [unreadable(f"the comparison itself failed: {error!r}. Report this as a bug")], Fit()
    return Drift(tuple(sorted(findings, key=lambda f: -f.level)), fit, source, page.notes)


def findings_of(committed: str, page: str) -> list[Finding]:
    """Every difference between two pages; what cannot be read of the new one is a finding like any other."""
    old, reading = merge(extract(committed)), read(page)
    new, contradictions = combine(reading.blocks)
    findings = [unreadable(problem) for problem in (*reading.problems, *contradictions)]
    findings += (doubted(finding, old, page, bool(reading.problems)) for finding in compare(old, new))
    findings += text_changes(committed, page)
    return findings


def doubted(finding: Finding, old: Json, page: str, incomplete: bool) -> Finding:
    """An operation is only called removed when the whole page was read and nothing in it speaks of the operation."""
    if finding.kind != "operation removed":
        return finding
    if incomplete:
        return unreadable("not compared: the page has no description of it that can be read", finding.place)
    method, _, path = finding.place.operation.partition(" ")
    summary = next(op.get("summary", "") for p, m, op in operations(old) if (p, m) == (path, method.lower()))
    if section := described_nowhere(page, path, summary):
        problem = f"line {section.line}: the section {section.title!r} is about it, but has no embedded document"
        return unreadable(problem, finding.place)
    return finding


def fit_of(merged: Json, actions: list[overlay.Action]) -> Fit:
    corrected, misfits = overlay.fit(merged, actions)
    try:
        lint(corrected)
    except SpecError as error:
        return Fit(True, tuple(misfits), () if misfits else error.problems)
    return Fit(True, tuple(misfits))


def unreadable(problem: str, place: Place = Place()) -> Finding:  # noqa: B008 - frozen
    return Finding("unreadable", place, problem)


# ---- the shell -------------------------------------------------------------------------------------------------------
def load(file: Path | None, url: str | None, limits: Limits) -> Page:
    """The page to compare; SpecError when it cannot be had."""
    if file is None:
        provenance = json.loads(PROVENANCE.read_text("utf-8"))
        same = url in (None, provenance["page"]) and not provenance.get("followed")
        return fetch_page(url or provenance["page"], provenance if same else {}, limits)
    try:
        return Page(scrubbed(decoded(file.read_bytes(), str(file))))
    except OSError as error:
        raise SpecError("the page cannot be read", [str(error)]) from None


def check(file: Path | None = None, url: str | None = None, limits: Limits = Limits()) -> tuple[Drift, Page | None]:  # noqa: B008
    """What `main` and the other commands do: load and compare, whatever happens."""
    source = str(file or url or "the live page").partition("?")[0]
    try:
        actions = [action for path in OVERLAYS for action in overlay.load(path)]
        page = load(file, url, limits)
        return examine(committed_page(), page, actions, source), page
    except SpecError as error:
        return Drift(tuple(unreadable(f"{error.stage}: {problem}") for problem in error.problems), source=source), None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--page", type=Path, metavar="FILE")
    where.add_argument("--url")
    parser.add_argument("--format", choices=list(FORMATS), default="text")
    given = parser.parse_args(arguments)
    drift, _ = check(given.page, given.url)
    print(FORMATS[given.format](drift))
    return drift.level


if __name__ == "__main__":
    sys.exit(main())
