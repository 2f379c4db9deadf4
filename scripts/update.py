"""Accept a new page: source, provenance, specs, client, tests, changelog draft, and two commits to review.

python -m scripts.update                what the live page says now
python -m scripts.update --page FILE    a page that is already here
python -m scripts.update --url URL      a page somewhere else

All or nothing: when the page cannot be read (status 40), an overlay does not fit, the generator stops or a test fails
(status 1), the files are as they were. Overlays may be edited before; they go into the first commit.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from .changelog import draft, with_lines
from .changes import Level
from .drift import check
from .errors import SpecError
from .fetch import Page
from .outcome import Drift
from .report import fit_lines, text
from .spec import ROOT, write

SPECS: Final = ("openapi", "CHANGELOG.md")
CLIENT: Final = ("generated_client",)
WRITTEN: Final = ("openapi/source", "openapi/merged.json", "openapi/corrected.json", "CHANGELOG.md", *CLIENT)
TESTS: Final = (sys.executable, "-m", "pytest", "-q", "tests/spec", "tests/models")

Build = Callable[[str, Path], None]


class Stopped(Exception):
    """Why the page was not accepted."""


def build(page: str, root: Path) -> None:
    write(page, root, client=True)


def accept(
    page: Page, drift: Drift, root: Path, now: datetime, tests: Sequence[str], build: Build = build
) -> list[str]:
    """Do it below `root`; the subjects of the commits. `Stopped` when it is not accepted."""
    if drift.level is Level.UNREADABLE:
        raise Stopped(text(drift))
    if page.unchanged or page.text.encode() == (root / "openapi/source/refunds.md").read_bytes():
        return []
    if dirty := git(root, "status", "--porcelain", "--", *WRITTEN):
        raise Stopped(f"commit or undo your own changes first, these files will be rewritten:\n{dirty}")
    if not drift.fit.fits:
        raise Stopped(
            "\n".join(
                (
                    "the overlays and the page do not fit; edit openapi/overlays/ and run this again:",
                    *fit_lines(drift.fit, str),
                )
            )
        )
    with undone_on_failure(root):
        write_source(page, root, now)
        changelog = root / "CHANGELOG.md"
        try:
            changelog.write_text(with_lines(changelog.read_text("utf-8"), draft(drift, now)), "utf-8")
            build(page.text, root)
        except (SpecError, ValueError) as error:
            raise Stopped(f"the page was not accepted; {error}") from None
        passed(tests, root)
        title = f"Accept Atlas' page of {now:%Y-%m-%d}: {drift.level.word}"
        body = "\n".join(draft(drift, now))
        committed = [commit(root, SPECS, title, body), commit(root, CLIENT, "Regenerate the client", "")]
    return [subject for subject in committed if subject]


def write_source(page: Page, root: Path, now: datetime) -> None:
    content = page.text.encode()
    path = root / "openapi/source/refunds.provenance.json"
    recorded = json.loads(path.read_text("utf-8"))
    (root / "openapi/source/refunds.md").write_bytes(content)
    path.write_text(json.dumps(provenance(recorded, page, content, now), indent=2) + "\n", "utf-8")


def provenance(recorded: dict[str, Any], page: Page, content: bytes, now: datetime) -> dict[str, Any]:
    """Where the source is from. A page given as a file is taken to be the one at the recorded address."""
    entry = {
        "page": page.url or recorded["page"],
        "form": recorded["form"] if not page.followed else "Markdown twin of the page, operations of a linked document",
        "fetched": f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" + ("" if page.url else ", given as a file"),
        "sha256": hashlib.sha256(content).hexdigest(),
        "etag": page.etag,
        "last_modified": page.last_modified,
        "followed": list(page.followed),
    }
    return {key: value for key, value in entry.items() if value}


def passed(tests: Sequence[str], root: Path) -> None:
    paths = os.pathsep.join((str(root / "generated_client"), str(root)))  # this client, not an installed one
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(tests, cwd=root, env=environment, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        output = "\n".join((done.stdout + done.stderr).splitlines()[-40:])
        raise Stopped(f"the page was not accepted, its client does not pass: {' '.join(tests)}\n{output}")


# ---- git -------------------------------------------------------------------------------------------------------------
@contextmanager
def undone_on_failure(root: Path) -> Iterator[None]:
    """Leave the branch and the files that are written here as they were, whatever goes wrong."""
    before = git(root, "rev-parse", "HEAD").strip()
    try:
        yield
    except BaseException:
        git(root, "reset", "--quiet", "--soft", before)
        git(root, "restore", f"--source={before}", "--staged", "--worktree", "--", *WRITTEN)
        git(root, "clean", "-fdq", "--", *WRITTEN)
        raise


def commit(root: Path, paths: Sequence[str], title: str, body: str) -> str:
    git(root, "add", "--all", "--", *paths)
    if not git(root, "diff", "--cached", "--name-only", "--", *paths):
        return ""
    git(root, "commit", "--quiet", "-m", f"{title}\n\n{body}".strip(), "--", *paths)
    return title


def git(root: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        raise Stopped(f"git {' '.join(arguments[:2])}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--page", type=Path, metavar="FILE")
    where.add_argument("--url")
    given = parser.parse_args(arguments)
    drift, page = check(given.page, given.url)
    try:
        subjects = accept(page or Page(""), drift, ROOT, datetime.now(UTC), TESTS)
    except Stopped as stopped:
        print(stopped, file=sys.stderr)
        return int(drift.level) if drift.level is Level.UNREADABLE else 1
    print(*(f"committed: {subject}" for subject in subjects), sep="\n")
    print("Read both commits, edit the changelog, open a pull request." if subjects else "Nothing to accept.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
