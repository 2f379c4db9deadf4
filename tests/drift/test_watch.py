"""The scheduled workflow's script, for each level, against the local server; and with a gh of our own."""

import json
import os
import re
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.changes import Level
from scripts.drift import main as drift_main
from scripts.outcome import Drift
from scripts.report import markdown
from scripts.spec import ROOT, committed_page
from scripts.watch import LABEL, TITLES, Issue, Step, decide, main

from .conftest import Site
from .pages import QUERY, changed, operation, properties

PAGES = {
    Level.SAME: committed_page(),
    Level.DOCUMENTATION: changed(lambda d: operation(d, QUERY).update(summary="New")),
    Level.COMPATIBLE: changed(lambda d: properties(d, "RefundTicket").update(seat={"type": "string"})),
    Level.BREAKING: changed(lambda d: properties(d, "RefundOrder")["refundStatus"]["enum"].append(7)),
    Level.UNREADABLE: "<!DOCTYPE html><html></html>",
}
GH = """#!{python}
import json, pathlib, sys
log = pathlib.Path(sys.argv[0]).with_name("log.jsonl")
entry = {{"arguments": sys.argv[1:], "input": sys.stdin.read()}}
with log.open("a") as file:
    file.write(json.dumps(entry) + "\\n")
if sys.argv[1:3] == ["issue", "list"]:
    print(pathlib.Path(sys.argv[0]).with_name("issues.json").read_text())
sys.exit({status})
"""


class GitHub:
    """Our gh: answers with the open issues we give it, and writes down what it is asked for."""

    def __init__(self, folder: Path, status: int = 0) -> None:
        self.folder = folder
        program = folder / "gh"
        program.write_text(GH.format(python=sys.executable, status=status))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self.issues()

    def issues(self, *issues: dict[str, Any]) -> None:
        (self.folder / "issues.json").write_text(json.dumps(issues))

    def asked(self) -> list[tuple[list[str], str]]:
        log = self.folder / "log.jsonl"
        entries = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return [
            (entry["arguments"], entry["input"]) for entry in entries if entry["arguments"][:2] != ["issue", "list"]
        ]


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitHub:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return GitHub(tmp_path)


@pytest.fixture
def no_overlays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it does not matter whether they fit; trying them takes longer than everything else."""
    monkeypatch.setattr("scripts.drift.OVERLAYS", [])


@pytest.mark.parametrize("level", PAGES, ids=lambda level: level.word)
def test_a_dry_run_prints_what_would_be_opened(
    level: Level, site: Site, github: GitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["--dry-run", "--url", site.serve("/refunds.md", PAGES[level])])
    printed = capsys.readouterr().out
    assert status == (40 if level is Level.UNREADABLE else 0)
    assert github.asked() == []
    if level is Level.SAME:
        assert printed == "nothing to open\n"
    else:
        assert printed.startswith(f"would open an issue, if none is open\n\n{TITLES[level]}\n\n# Atlas' refund")
        assert f"# Atlas' refund documentation: {level.word}\n" in printed
        assert "## What to do next" in printed


@pytest.mark.parametrize("level", [level for level in PAGES if level], ids=lambda level: level.word)
def test_one_issue_is_opened(
    level: Level, site: Site, github: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    status = main(["--url", site.serve("/refunds.md", PAGES[level])])
    label, (create, body) = github.asked()
    assert label[0][:3] == ["label", "create", LABEL]
    assert create == ["issue", "create", "--title", TITLES[level], "--label", LABEL, "--body-file", "-"]
    assert body == summary.read_text("utf-8")
    assert f"documentation: {level.word}" in body
    assert status == (40 if level is Level.UNREADABLE else 0)


@pytest.mark.usefixtures("no_overlays")
def test_the_open_issue_is_updated_once(site: Site, github: GitHub) -> None:
    url = site.serve("/refunds.md", PAGES[Level.BREAKING])
    github.issues({"number": 12, "title": TITLES[Level.COMPATIBLE], "body": "older"})
    assert main(["--url", url]) == 0
    (edit, body), (comment, _) = github.asked()
    assert edit == ["issue", "edit", "12", "--title", TITLES[Level.BREAKING], "--body-file", "-"]
    assert comment[:3] == ["issue", "comment", "12"]
    github.issues({"number": 12, "title": TITLES[Level.BREAKING], "body": body.replace("\n", "\r\n")})
    assert main(["--url", url]) == 0
    assert len(github.asked()) == 2


@pytest.mark.usefixtures("no_overlays")
def test_the_issue_is_closed_when_the_page_is_ours_again(site: Site, github: GitHub) -> None:
    github.issues({"number": 12, "title": TITLES[Level.BREAKING], "body": "older"})
    assert main(["--url", site.serve("/refunds.md", PAGES[Level.SAME])]) == 0
    ((close, _),) = github.asked()
    assert close[:3] == ["issue", "close", "12"]


@pytest.mark.usefixtures("no_overlays")
def test_an_issue_that_cannot_be_written_is_a_failure_with_the_report(
    site: Site, github: GitHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    GitHub(tmp_path, status=4)
    assert main(["--url", site.serve("/refunds.md", PAGES[Level.BREAKING])]) == 1
    printed = capsys.readouterr()
    assert "documentation: breaking" in printed.out
    assert "the issue could not be written: " in printed.err


@pytest.mark.usefixtures("no_overlays")
def test_without_gh(site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", "")
    assert main(["--url", site.serve("/refunds.md", PAGES[Level.BREAKING])]) == 1
    assert "'gh'" in capsys.readouterr().err


def test_nothing_is_done_when_nothing_has_changed() -> None:
    assert decide(Drift(()), None) == Step("nothing")
    drift = Drift((), source="x")
    assert decide(drift, Issue(1, "t", "b")) == Step("close", number=1)
    assert markdown(drift).startswith("# Atlas' refund documentation: same")


@pytest.mark.usefixtures("no_overlays")
@pytest.mark.parametrize("level", PAGES, ids=lambda level: level.word)
def test_the_command_ends_with_the_level(level: Level, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert drift_main(["--url", site.serve("/refunds.md", PAGES[level])]) == int(level)
    assert capsys.readouterr().out.startswith(f"{level.word}: ")


# ---- the workflow file -----------------------------------------------------------------------------------------------
def test_the_workflow_only_calls_the_script() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/drift.yml").read_text("utf-8"))
    assert {"schedule", "workflow_dispatch"} == workflow[True].keys()  # YAML reads the key `on` as true
    assert workflow["permissions"] == {"contents": "read", "issues": "write"}
    (job,) = workflow["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands == ["make setup PYTHON=python", ".venv/bin/python -m scripts.watch"]
    assert "continue-on-error" not in json.dumps(workflow)


def test_the_push_workflow_runs_the_hermetic_check() -> None:
    """`make test` is source, overlays, specs and client against each other, and the tests of the pinned tools."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
    assert any("make test" in step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"])
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert re.search(r"^test:.*\bspec-check\b", makefile, re.MULTILINE)
    assert re.search(r"^spec-check:.*\n\t@.*-m scripts\.spec check$", makefile, re.MULTILINE)
