"""Rebuild everything from the committed documentation page, or check that what is committed is what it yields.

python -m scripts.spec build     write openapi/merged.json, openapi/corrected.json
python -m scripts.spec client    the same, and regenerate generated_client/
python -m scripts.spec check     exit 1 with a diff when a committed file is not what the page yields
"""

import argparse
import difflib
import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from . import overlay
from .errors import SpecError
from .extract import extract
from .generate import OPENAPI, PACKAGE, generate
from .grammar import Json
from .lint import lint
from .merge import merge

ROOT = OPENAPI.parent
PAGE, PROVENANCE = OPENAPI / "source/refunds.md", OPENAPI / "source/refunds.provenance.json"
OVERLAYS = sorted((OPENAPI / "overlays").glob("*.yaml"))
DIFF_LINES = 60


class Specs(NamedTuple):
    """What Atlas says, and what we know better."""

    merged: Json
    corrected: Json


def committed_page() -> str:
    content = PAGE.read_bytes()
    found, recorded = hashlib.sha256(content).hexdigest(), json.loads(PROVENANCE.read_text("utf-8"))["sha256"]
    if found != recorded:
        raise SpecError(f"{PAGE.name} is not the page that was fetched", [f"sha256 {found}, recorded {recorded}"])
    return content.decode("utf-8")


def specs(page: str) -> Specs:
    """The merged and the corrected document of a page; pure but for reading the overlays."""
    merged = merge(extract(page))
    corrected = overlay.apply(merged, [action for path in OVERLAYS for action in overlay.load(path)])
    lint(corrected)
    return Specs(merged, corrected)


def write(page: str, root: Path, *, client: bool) -> None:
    """Build below `root`, laid out as the repository is."""
    built = specs(page)
    (root / "openapi").mkdir(parents=True, exist_ok=True)
    for name, document in built._asdict().items():
        (root / f"openapi/{name}.json").write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
    if client:
        generate(root / "openapi/corrected.json", root / "generated_client")


def stale(committed: Path, built: Path) -> list[str]:
    """A readable diff of every file that is not what the pipeline yields; empty when all are."""
    ours, theirs = outputs(committed), outputs(built)
    lines: list[str] = []
    for name in sorted(ours.keys() | theirs.keys()):
        if ours.get(name) != theirs.get(name):
            old, new = (side.get(name, b"").decode("utf-8").splitlines() for side in (ours, theirs))
            diff = list(difflib.unified_diff(old, new, f"committed/{name}", f"built/{name}", lineterm="", n=1))
            lines += diff[:DIFF_LINES] or [f"{name}: present on one side only, empty"]
            if len(diff) > DIFF_LINES:
                lines.append(f"... {len(diff) - DIFF_LINES} more lines of {name}")
    return lines


def outputs(root: Path) -> dict[str, bytes]:
    generated = (root / "generated_client" / PACKAGE).rglob("*")
    files = [root / f"openapi/{name}.json" for name in Specs._fields] + [p for p in generated if p.is_file()]
    return {str(p.relative_to(root)): p.read_bytes() for p in files if p.exists() and "__pycache__" not in p.parts}


def check(page: str) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        write(page, Path(folder), client=True)
        return stale(ROOT, Path(folder))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["build", "client", "check"])
    command = parser.parse_args(arguments).command
    try:
        if command != "check":
            write(committed_page(), ROOT, client=command == "client")
            return 0
        if difference := check(committed_page()):
            print(*difference, "", "Run `make client` and commit the result on its own.", sep="\n")
            return 1
    except SpecError as error:
        print(error, file=sys.stderr)
        return 1
    print("openapi/ and generated_client/ are what the page yields")
    return 0


if __name__ == "__main__":
    sys.exit(main())
