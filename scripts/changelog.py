"""What a new page means for users, as a draft of changelog lines."""

import re
from datetime import datetime

from .changes import Finding, Level
from .outcome import Drift
from .report import beside_methods, methods_of


def draft(drift: Drift, day: datetime) -> list[str]:
    """A line for each change that is more than text; one line when there is no other."""
    title = f"Atlas' page of {day:%Y-%m-%d}"
    told: dict[str, None] = {}
    for finding in drift.findings:
        if finding.level > Level.DOCUMENTATION:
            told[line(finding, title)] = None
    return list(told) or [f"- {title}: only its text has changed."]


def line(finding: Finding, title: str) -> str:
    breaking = "**Breaking.** " if finding.level is Level.BREAKING else ""
    names = beside_methods(finding) or methods_of(finding.place.operation)
    where = ", ".join(f"`{name}`" for name in names) or f"`{finding.place.operation}`"
    return f"- {breaking}{title}: {where} {' '.join(finding.message.split())}."


def with_lines(changelog: str, lines: list[str]) -> str:
    """The changelog with the lines under Changed of [Unreleased]."""
    head, start, rest = changelog.partition("## [Unreleased]\n")
    if not start:
        raise ValueError("CHANGELOG.md has no [Unreleased] section")
    end = re.search(r"^## ", rest, re.MULTILINE)
    unreleased, released = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
    before, changed, after = unreleased.partition("### Changed\n\n")
    added = "\n".join(lines) + "\n"
    if changed:
        unreleased = before + changed + added + after
    else:
        others = unreleased.strip("\n")
        unreleased = "\n" + (f"{others}\n\n" if others else "") + "### Changed\n\n" + added + ("\n" if released else "")
    return head + start + unreleased + released
