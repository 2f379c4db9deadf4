"""Accepting a page: two commits or none."""

import hashlib
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scripts.changelog import draft, with_lines
from scripts.errors import SpecError
from scripts.fetch import Page
from scripts.spec import ROOT, committed_page
from scripts.update import Stopped, accept, main

from .pages import QUERY, changed, drift, operation, properties
from .repositories import git, repository

NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
PASS, FAIL = (sys.executable, "-c", ""), (sys.executable, "-c", "print('a test failed'); raise SystemExit(1)")
NEW = changed(lambda d: properties(d, "RefundTicket").update(seat={"type": "string", "description": "Seat."}))


def stub(page: str, root: Path) -> None:
    """In place of the pipeline: something is generated."""
    (root / "openapi/merged.json").write_text(json.dumps({"page": len(page)}))
    (root / "generated_client/atlas_refunds_api/models/seat.py").write_text("x = 1\n")


def state(root: Path) -> tuple[str, str, dict[str, str]]:
    files = [path for path in root.rglob("*") if path.is_file() and ".git" not in path.relative_to(root).parts]
    digests = {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return git(root, "rev-parse", "HEAD"), git(root, "status", "--porcelain"), digests


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repository(tmp_path)


def test_a_page_is_accepted_in_two_commits(root: Path) -> None:
    """With the real pipeline and generator."""
    page = Page(NEW, "https://atlas.example/refunds.md", '"7"', "Fri, 20 Nov 2026 08:00:00 GMT")
    titles = accept(page, drift(NEW), root, NOW, PASS)
    assert titles == ["Accept Atlas' page of 2026-11-20: compatible", "Regenerate the client"]
    assert git(root, "log", "--format=%s", "-3").splitlines() == [titles[1], titles[0], "Before"]
    assert set(git(root, "show", "--name-only", "--format=", "HEAD~1").split()) == {
        "CHANGELOG.md",
        "openapi/corrected.json",
        "openapi/merged.json",
        "openapi/source/refunds.md",
        "openapi/source/refunds.provenance.json",
    }
    assert git(root, "show", "--name-only", "--format=", "HEAD").split() == [
        "generated_client/atlas_refunds_api/models/refund_ticket.py"
    ]
    assert "seat: str | None" in git(root, "show", "HEAD")
    assert git(root, "status", "--porcelain") == ""
    assert json.loads((root / "openapi/source/refunds.provenance.json").read_text("utf-8")) == {
        "page": "https://atlas.example/refunds.md",
        "form": "Markdown twin of the page, one OpenAPI 3.0.1 document per operation",
        "fetched": "2026-11-20T08:30:00Z",
        "sha256": hashlib.sha256(NEW.encode()).hexdigest(),
        "etag": '"7"',
        "last_modified": "Fri, 20 Nov 2026 08:00:00 GMT",
    }
    assert (root / "openapi/source/refunds.md").read_bytes() == NEW.encode()
    assert "- Atlas' page of 2026-11-20: `RefundTicket.seat` new member.\n" in (root / "CHANGELOG.md").read_text(
        "utf-8"
    )
    assert "`RefundTicket.seat` new member" in git(root, "log", "--format=%b", "-1", "HEAD~1")


def test_a_page_that_is_ours_already(root: Path) -> None:
    before = state(root)
    same = Page(committed_page())
    assert accept(same, drift(same.text), root, NOW, FAIL, stub) == []
    assert accept(Page("", unchanged=True), drift(same.text), root, NOW, FAIL, stub) == []
    assert state(root) == before


def stopped(root: Path, page: str, tests: tuple[str, ...] = PASS, build: Callable[[str, Path], None] = stub) -> str:
    """Why it stopped; everything is as it was."""
    before = state(root)
    with pytest.raises(Stopped) as caught:
        accept(Page(page), drift(page), root, NOW, tests, build)
    assert state(root) == before
    return str(caught.value)


def test_a_page_that_cannot_be_read_is_refused(root: Path) -> None:
    assert stopped(root, committed_page()[:20_000]).startswith("unreadable: ")


def test_an_overlay_that_no_longer_fits_stops_it(root: Path) -> None:
    page = changed(lambda d: properties(d, "RefundSegment")["flightNo"].update(pattern="^[A-Z0-9]{3,8}$"))
    why = stopped(root, page)
    assert why.startswith("the overlays and the page do not fit; edit openapi/overlays/ and run this again:\n- 10-corr")
    assert "Atlas says so itself now: drop the action." in why


def test_a_generator_that_stops_stops_it(root: Path) -> None:
    def broken(page: str, root: Path) -> None:
        stub(page, root)
        raise SpecError("the generator stopped", ["no reader for grid"])

    assert stopped(root, NEW, build=broken) == "the page was not accepted; the generator stopped:\n  no reader for grid"


def test_a_failing_test_stops_it(root: Path) -> None:
    assert "its client does not pass" in (why := stopped(root, NEW, tests=FAIL))
    assert why.endswith("\na test failed")


def test_an_interruption_undoes_it(root: Path) -> None:
    def interrupted(page: str, root: Path) -> None:
        stub(page, root)
        raise KeyboardInterrupt

    before = state(root)
    with pytest.raises(KeyboardInterrupt):
        accept(Page(NEW), drift(NEW), root, NOW, PASS, interrupted)
    assert state(root) == before


@pytest.mark.parametrize("refused", ["Accept", "Regenerate"])
def test_a_refused_commit_leaves_nothing_half_committed(refused: str, root: Path) -> None:
    hook = root / ".git/hooks/commit-msg"
    hook.write_text(f"#!/bin/sh\nif grep -q '^{refused}' \"$1\"; then echo not now >&2; exit 1; fi\n")
    hook.chmod(0o755)
    assert stopped(root, NEW) == "git commit --quiet: not now"


def test_own_changes_are_not_overwritten(root: Path) -> None:
    (root / "generated_client/atlas_refunds_api/errors.py").write_text("# mine\n")
    assert "generated_client/atlas_refunds_api/errors.py" in stopped(root, NEW)


def test_overlays_edited_before_go_into_the_first_commit_and_nothing_else_does(root: Path) -> None:
    overlay = root / "openapi/overlays/10-corrections.yaml"
    overlay.write_text(overlay.read_text("utf-8") + "# edited\n", "utf-8")
    (root / "staged.txt").write_text("mine")
    git(root, "add", "staged.txt")
    assert len(accept(Page(NEW), drift(NEW), root, NOW, PASS, stub)) == 2
    assert "openapi/overlays/10-corrections.yaml" in git(root, "show", "--name-only", "--format=", "HEAD~1")
    assert git(root, "status", "--porcelain") == "A  staged.txt\n"


def test_a_page_given_as_a_file_keeps_the_address_of_the_page(root: Path) -> None:
    accept(Page(NEW), drift(NEW), root, NOW, PASS, stub)
    recorded = json.loads((root / "openapi/source/refunds.provenance.json").read_text("utf-8"))
    committed = json.loads((ROOT / "openapi/source/refunds.provenance.json").read_text("utf-8"))
    assert recorded["page"] == committed["page"]
    assert recorded["fetched"] == "2026-11-20T08:30:00Z, given as a file"
    assert "etag" not in recorded


def test_what_was_followed_is_recorded(root: Path) -> None:
    page = Page(NEW, "https://atlas.example/refunds.md", followed=("https://files.example/spec.json",))
    accept(page, drift(NEW), root, NOW, PASS, stub)
    recorded = json.loads((root / "openapi/source/refunds.provenance.json").read_text("utf-8"))
    assert recorded["followed"] == ["https://files.example/spec.json"]
    assert recorded["form"].endswith("operations of a linked document")


def test_the_command_refuses_what_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!DOCTYPE html>")
    assert main(["--page", str(page)]) == 40
    assert "this is HTML" in capsys.readouterr().err


def test_the_command_has_nothing_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--page", str(ROOT / "openapi/source/refunds.md")]) == 0
    assert capsys.readouterr().out.endswith("Nothing to accept.\n")


def test_git_is_needed(tmp_path: Path) -> None:
    (tmp_path / "openapi/source").mkdir(parents=True)
    (tmp_path / "openapi/source/refunds.md").write_text("old")
    with pytest.raises(Stopped, match=r"git status --porcelain: fatal: not a git repository"):
        accept(Page(NEW), drift(NEW), tmp_path, NOW, PASS, stub)


# ---- the changelog ---------------------------------------------------------------------------------------------------
def test_each_change_is_one_line() -> None:
    def change(document: dict[str, Any]) -> None:
        properties(document, "RefundTicket")["seat"] = {"type": "string"}
        properties(document, "RefundOrder")["refundStatus"]["enum"].append(7)
        operation(document, QUERY)["summary"] = "New"

    assert draft(drift(changed(change)), NOW) == [
        "- **Breaking.** Atlas' page of 2026-11-20: `RefundState.refund_status`, `RefundStatus` new value 7.",
        "- Atlas' page of 2026-11-20: `RefundTicket.seat` new member.",
    ]


def test_text_alone_is_one_line_too() -> None:
    page = changed(lambda d: operation(d, QUERY).update(summary="New"))
    assert draft(drift(page), NOW) == ["- Atlas' page of 2026-11-20: only its text has changed."]


@pytest.mark.parametrize(
    ("changelog", "expected"),
    [
        (
            "# Log\n\n## [Unreleased]\n\n### Added\n\n- a\n",
            "# Log\n\n## [Unreleased]\n\n### Added\n\n- a\n\n### Changed\n\n- new\n",
        ),
        ("## [Unreleased]\n\n### Changed\n\n- b\n", "## [Unreleased]\n\n### Changed\n\n- new\n- b\n"),
        (
            "## [Unreleased]\n\n## [1.0.0]\n\n### Changed\n\n- c\n",
            "## [Unreleased]\n\n### Changed\n\n- new\n\n## [1.0.0]\n\n### Changed\n\n- c\n",
        ),
    ],
    ids=["no section", "a section", "released before"],
)
def test_where_the_lines_go(changelog: str, expected: str) -> None:
    assert with_lines(changelog, ["- new"]) == expected


def test_a_changelog_without_a_place_for_them() -> None:
    with pytest.raises(ValueError, match=r"no \[Unreleased\] section"):
        with_lines("# Log\n", ["- new"])


def test_the_real_changelog_has_a_place_for_them() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert len(with_lines(text, ["- new"])) > len(text)
