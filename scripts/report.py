"""A comparison in words, for a terminal, for a reviewer who has never seen the pipeline, and for a program."""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import groupby
from typing import Any, Final

from .changes import ABSENT, KINDS, Finding, Level
from .generate import OPENAPI
from .impact import METHODS, Names, affected, names
from .outcome import Drift, Fit
from .overlay import Superfluous

LIMIT: Final = 60_000  # an issue on GitHub takes 65,536 characters
PAGE_FILE: Final = "openapi/source/refunds.md"

MEANING: Final = {
    Level.SAME: "The page says what our copy says.",
    Level.DOCUMENTATION: "Only text differs. Nothing that is sent or received changes.",
    Level.COMPATIBLE: "The API has grown. Clients that are in use keep working.",
    Level.BREAKING: "Clients that are in use may fail, or misread an answer.",
    Level.UNREADABLE: "The page cannot be read, or it contradicts itself. Nothing is concluded from what is missing.",
}
UPDATE: Final = "`make update URL=<address>` (or `PAGE=<file>`)"
NEXT: Final[dict[Level, tuple[str, ...]]] = {
    Level.SAME: ("Nothing.",),
    Level.DOCUMENTATION: (
        "Read the new text: a value whose meaning changed is a breaking change that no machine can see.",
        f"Accept the page with {UPDATE} and open a pull request with the commits it leaves.",
    ),
    Level.COMPATIBLE: (
        f"Accept the page with {UPDATE} and open a pull request with the commits it leaves.",
        "Decide whether callers should reach what is new; docs/adding-an-operation.md shows it for an operation.",
    ),
    Level.BREAKING: (
        "Find out whether the service behaves as the page says now; the page has been wrong before.",
        "Where it does, accept the page with " + UPDATE + " and follow the failing tests into atlas_refunds/.",
        "Where it does not, accept the page and say what is true in openapi/overlays/10-corrections.yaml.",
    ),
    Level.UNREADABLE: (
        "Open the page and look at each place that is named above. Its address is in openapi/source/*.provenance.json.",
        "If its form has changed, scripts/extract.py (documents) or scripts/references.py (links) has to learn it.",
        "If Atlas is contradicting itself, ask Atlas. Nothing can be accepted until then; the committed client stands.",
    ),
}


# ---- for people ------------------------------------------------------------------------------------------------------
def markdown(drift: Drift) -> str:
    """For a job summary or an issue. What Atlas wrote stands in code, where it can be neither link nor mention."""
    body = "\n".join(markdown_body(drift))
    end = "\n".join(
        ("", "## What to do next", "", *(f"{i}. {step}" for i, step in enumerate(NEXT[drift.level], 1)), "")
    )
    if len(body) + len(end) > LIMIT:
        kept = body[: LIMIT - len(end) - 200].rpartition("\n- ")[0]
        body = f"{kept}\n\nThe report is longer than an issue may be; `make drift` shows all of it.\n"
    return body + end


def markdown_body(drift: Drift) -> Iterator[str]:
    yield f"# Atlas' refund documentation: {drift.level.word}"
    yield ""
    yield MEANING[drift.level]
    yield ""
    yield (
        f"atlas-refunds is generated from a copy of Atlas' documentation page, `{PAGE_FILE}`. This report compares "
        f"{code(drift.source)} with that copy, by what a client sends and receives."
    )
    yield ""
    yield from (f"- {code(note)}" for note in drift.notes)
    for operation, findings in grouped(drift):
        yield from ("", f"## {code(operation) if operation != 'page' else 'The page'}", "")
        if methods := methods_of(operation):
            yield from (f"Called by {', '.join(f'`{name}`' for name in methods)}.", "")
        for finding in findings:
            yield from markdown_finding(finding)
    yield from ("", "## Do our corrections still fit?", "", *fit_lines(drift.fit, code))


def markdown_finding(finding: Finding) -> Iterator[str]:
    where = f"{code(finding.place.location)}: " if finding.place.location else ""
    yield f"- **{finding.level.word}** {where}{KINDS[finding.kind].says.format(what=code(finding.what))}"
    old, new = finding.sides
    yield from (f"  - {side}: {code(value)}" for side, value in (("before", old), ("now", new)) if value)
    if touched := beside_methods(finding):
        yield f"  - touches {', '.join(map(code, touched))}"
    if finding.level > Level.DOCUMENTATION or finding.kind == "meaning":
        yield f"  - {finding.means}"


def text(drift: Drift) -> str:
    return "\n".join(text_lines(drift))


def text_lines(drift: Drift) -> Iterator[str]:
    yield f"{drift.level.word}: {MEANING[drift.level]}"
    yield from drift.notes
    for operation, findings in grouped(drift):
        yield from ("", f"{flat(operation)}  {', '.join(methods_of(operation))}".rstrip())
        for finding in findings:
            yield f"  {finding.level.word:13} {flat(finding.place.location) or '-'}: {flat(finding.message)}"
            old, new = finding.sides
            yield from (f"{'':16}{side:7} {value}" for side, value in (("before", old), ("now", new)) if value)
            if touched := beside_methods(finding):
                yield f"{'':16}touches {', '.join(touched)}"
    yield from ("", "overlays", *(f"  {line}" for line in fit_lines(drift.fit, str)))
    yield from ("", "next", *(f"  {step}" for step in NEXT[drift.level]))


def fit_lines(fit: Fit, form: Callable[[str], str]) -> Iterator[str]:
    if not fit.checked:
        yield "Not checked, because the page could not be read as a whole."
    elif fit.fits:
        yield "Yes: every overlay action still applies, and the result can be generated from."
    for found in fit.misfits:
        fixed = isinstance(found.misfit, Superfluous)
        advice = "Atlas says so itself now: drop the action." if fixed else "It no longer matches: look here."
        place = f"{found.action.data.get('target')}: {found.misfit}"
        yield f"- {found.action.where}: {advice} {form(place)}"
    yield from (f"- The corrected specification does not pass: {form(problem)}" for problem in fit.lint)


def grouped(drift: Drift) -> list[tuple[str, list[Finding]]]:
    """By operation, the one with the worst finding first."""
    ranked = sorted(drift.findings, key=lambda f: (worst_of(drift, f.place.operation), f.place.operation, -f.level))
    return [(operation, list(found)) for operation, found in groupby(ranked, key=lambda f: f.place.operation)]


def methods_of(operation: str) -> list[str]:
    return [f"AtlasRefunds.{name}" for name in METHODS.get(operation.partition(" ")[2], ())]


def beside_methods(finding: Finding) -> list[str]:
    """What a finding touches, without the methods, which are named once for the whole operation."""
    return [name for name in affected(finding, public_names()) if not name.startswith("AtlasRefunds.")]


def worst_of(drift: Drift, operation: str) -> int:
    return min(-finding.level for finding in drift.findings if finding.place.operation == operation)


def flat(text: str) -> str:
    return " ".join(text.split())


def code(text: str) -> str:
    """A code span that its content cannot leave."""
    text = flat(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    pad = " " if text[:1] in ("`", "") or text[-1:] == "`" else ""
    return f"{fence}{pad}{text}{pad}{fence}"


# ---- for programs ----------------------------------------------------------------------------------------------------
def as_json(drift: Drift) -> str:
    return json.dumps(
        {
            "level": drift.level.word,
            "source": drift.source,
            "notes": drift.notes,
            "findings": [finding_json(finding) for finding in drift.findings],
            "overlays": {
                "fit": drift.fit.fits,
                "misfits": [
                    {
                        "action": found.action.where,
                        "target": found.action.data.get("target"),
                        "message": str(found.misfit),
                        "fixed_by_atlas": isinstance(found.misfit, Superfluous),
                    }
                    for found in drift.fit.misfits
                ],
                "lint": drift.fit.lint,
            },
        },
        indent=2,
        ensure_ascii=False,
    )


def finding_json(finding: Finding) -> dict[str, Any]:
    sides = {"old": finding.old, "new": finding.new}
    return {
        "level": finding.level.word,
        "operation": finding.place.operation,
        "location": finding.place.location,
        "message": finding.message,
        "kind": finding.kind,
        "direction": finding.place.direction or None,
        **{name: value for name, value in sides.items() if value is not ABSENT},
        "affects": affected(finding, public_names()),
        "means": finding.means,
    }


@cache
def public_names() -> Names:
    return names(json.loads((OPENAPI / "corrected.json").read_text("utf-8")))


FORMATS: Final[dict[str, Callable[[Drift], str]]] = {"text": text, "markdown": markdown, "json": as_json}
