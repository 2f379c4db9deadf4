"""docs/adding-an-operation.md, done: from a page with a fourth operation to its endpoint, with the text's fragments."""

import re
from pathlib import Path

from scripts.spec import PAGE, ROOT

from .repositories import PIPELINE, git, python, repository

GUIDE = (ROOT / "docs/adding-an-operation.md").read_text("utf-8")
FRAGMENTS = re.findall(r"^```(\w*)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
(OVERLAY,) = [text for language, text in FRAGMENTS if language == "yaml"]
SHOWN, SENDABLE, USE = [text for language, text in FRAGMENTS if language == "python"]
COUNTS = re.findall(r"^\| `(\S+\.yaml)` \| `(.*?)` \| (\d+) \| (\d+) \|$", GUIDE, re.MULTILINE)
UPDATE = """
import sys
from scripts import update
update.TESTS = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                "tests/models/test_shape.py::test_every_schema_has_its_class",
                "tests/spec/test_necessity.py::test_all_actions_together_fail_nothing"]
sys.exit(update.main(["--page", "new.md"]))
"""


def expect(file: Path, target: str, old: str, new: str) -> None:
    """The number of places that one action expects."""
    text = file.read_text("utf-8")
    pattern = rf"(  - target: {re.escape(target)}[^\n]*\n(?:(?!  - target:).*\n)*?    x-expect-matches: ){old}\n"
    actions = [m for m in re.finditer(pattern, text) if target.endswith(",") or f"target: {target}\n" in m[0]]
    assert len(actions) == 1, (target, len(actions))
    (action,) = actions
    file.write_text(f"{text[: action.start()]}{action[1]}{new}\n{text[action.end() :]}", "utf-8")


def inserted(file: Path, after: str, lines: str) -> None:
    text = file.read_text("utf-8")
    found = re.search(after, text, re.MULTILINE)
    assert found, after
    file.write_text(text[: found.end()] + lines + text[found.end() :], "utf-8")


def test_the_walk_through(tmp_path: Path) -> None:
    root = repository(tmp_path, *PIPELINE)
    void = (ROOT / "tests/drift/pages/void.md").read_text("utf-8")
    (root / "new.md").write_text(PAGE.read_text("utf-8") + void, "utf-8")

    # 1. see what is new
    seen = python(root, "-m", "scripts.drift", "--page", "new.md")
    assert seen.returncode == 20, seen.stdout + seen.stderr
    assert re.search(r"POST /voidQuotation\.do\n +compatible +-: new operation\n", seen.stdout)
    assert len(re.findall("It no longer matches: look here", seen.stdout)) == len(COUNTS) == 4
    stopped = python(root, "-m", "scripts.update", "--page", "new.md")
    assert (stopped.returncode, git(root, "status", "--porcelain")) == (1, "?? new.md\n")
    for _, target, old, new in COUNTS:
        assert re.search(rf"{re.escape(target)}.*: matches {new} nodes, expected {old}\n", stopped.stderr)

    # 2. let the corrections include it, 3. tell the tests
    for file, target, old, new in COUNTS:
        expect(root / "openapi/overlays" / file, target, old, new)
    (root / "openapi/overlays/30-void.yaml").write_text(OVERLAY, "utf-8")
    inserted(root / "tests/spec/evidence.py", r"^SHOWN = \{\n", SHOWN)
    inserted(root / "tests/models/shapes.py", r"^SENDABLE.*\n", SENDABLE)

    # 4. generate
    updated = python(root, "-c", UPDATE)
    assert updated.returncode == 0, updated.stdout + updated.stderr
    added, changed = (
        {Path(name).name for name in git(root, "show", f"--diff-filter={kind}", "--name-only", "--format=").split()}
        for kind in ("A", "M")
    )
    assert added == {
        "void_quotation.py",
        "void_quotation_request.py",
        "void_quotation_response.py",
        "void_ticket.py",
    }
    assert changed == {"__init__.py"}
    used = python(root, "-c", USE)
    assert used.returncode == 0, used.stderr
    assert not (root / "atlas_refunds").exists()


def test_the_page_of_the_walk_through_says_that_it_is_ours() -> None:
    assert "It is not Atlas' page" in (ROOT / "tests/drift/pages/void.md").read_text("utf-8")
