"""What the scheduled workflow runs: compare the live page, and keep one issue that says what was found.

python -m scripts.watch                       in GitHub, through the gh command line
python -m scripts.watch --dry-run             print what would be opened
python -m scripts.watch --dry-run --url URL   the same for another page

The exit status is 0 when what was found is in the issue, 40 when the page cannot be read (and the issue says so),
1 when the issue could not be written. The report is printed and added to the job summary in every case.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

from .changes import Level
from .drift import check
from .outcome import Drift
from .report import markdown

LABEL: Final = "spec-drift"
TITLES: Final = {
    Level.DOCUMENTATION: "Atlas' refund documentation has changed: text only",
    Level.COMPATIBLE: "Atlas' refund documentation has changed: the API has grown",
    Level.BREAKING: "Atlas' refund documentation has changed: breaking",
    Level.UNREADABLE: "Atlas' refund documentation cannot be read",
}

Run = Callable[[Sequence[str], str], str]


class Issue(NamedTuple):
    """The open issue, as GitHub has it."""

    number: int
    title: str
    body: str


class Step(NamedTuple):
    """What is to be done about the issue."""

    what: Literal["open", "update", "close", "nothing"]
    title: str = ""
    body: str = ""
    number: int = 0


def decide(drift: Drift, issue: Issue | None) -> Step:
    """One issue for as long as the page differs. It is only touched when the report says something new."""
    if drift.level is Level.SAME:
        return Step("close", number=issue.number) if issue else Step("nothing")
    title, body = TITLES[drift.level], markdown(drift)
    if issue is None:
        return Step("open", title, body)
    if (issue.title, issue.body.replace("\r\n", "\n").strip()) == (title, body.strip()):
        return Step("nothing", number=issue.number)
    return Step("update", title, body, issue.number)


def carry_out(step: Step, run: Run) -> None:
    number = str(step.number)
    if step.what == "open":
        run(["label", "create", LABEL, "--force", "--description", "Atlas' documentation differs from our copy"], "")
        run(["issue", "create", "--title", step.title, "--label", LABEL, "--body-file", "-"], step.body)
    elif step.what == "update":
        run(["issue", "edit", number, "--title", step.title, "--body-file", "-"], step.body)
        run(["issue", "comment", number, "--body", f"The report above has changed. {step.title}."], "")
    elif step.what == "close":
        run(["issue", "close", number, "--comment", "The page and our copy say the same again."], "")


def open_issue(run: Run) -> Issue | None:
    fields = ["--json", "number,title,body"]
    found = json.loads(run(["issue", "list", "--label", LABEL, "--state", "open", "--limit", "1", *fields], ""))
    return Issue(found[0]["number"], found[0]["title"], found[0]["body"]) if found else None


def gh(arguments: Sequence[str], given: str) -> str:
    command = ["gh", *arguments]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=True, encoding="utf-8").stdout


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--page", type=Path, metavar="FILE")
    where.add_argument("--url")
    parser.add_argument("--dry-run", action="store_true")
    given = parser.parse_args(arguments)
    drift, _ = check(given.page, given.url)
    report = markdown(drift)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(summary, "a", encoding="utf-8") as file:
            file.write(report)
    if given.dry_run:
        step = decide(drift, None)
        print(
            f"would open an issue, if none is open\n\n{step.title}\n\n{step.body}" if step.title else "nothing to open"
        )
    else:
        print(report)
        try:
            carry_out(decide(drift, open_issue(gh)), gh)
        except (OSError, subprocess.CalledProcessError, ValueError, LookupError) as error:
            print(f"the issue could not be written: {error}", getattr(error, "stderr", None) or "", file=sys.stderr)
            return 1
    return int(drift.level) if drift.level is Level.UNREADABLE else 0


if __name__ == "__main__":
    sys.exit(main())
