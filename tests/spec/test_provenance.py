"""What we cite is what was published."""

import hashlib
import json
import re
from itertools import chain

import pytest

from scripts.generate import OPENAPI

from .evidence import ACTIONS, INDEX, SAMPLES_DIR, Sample

CITATIONS = [(a.where, e) for a in ACTIONS for e in a.data.get("x-evidence", []) if isinstance(e, dict)]


def sample(file: str) -> Sample:
    return next(sample for sample in INDEX if sample.file == file)


def test_the_page_is_the_one_that_was_fetched() -> None:
    recorded = json.loads((OPENAPI / "source/refunds.provenance.json").read_text("utf-8"))
    page = (OPENAPI / "source/refunds.md").read_bytes()
    assert hashlib.sha256(page).hexdigest() == recorded["sha256"]
    assert recorded["page"].startswith("https://")


def test_the_index_lists_every_sample_and_page() -> None:
    files = {str(path.relative_to(SAMPLES_DIR)) for path in SAMPLES_DIR.rglob("*") if path.is_file()}
    assert files - {"index.json"} == set(chain.from_iterable((s.file, f"pages/{s.page}") for s in INDEX))


@pytest.mark.parametrize("published", [s for s in INDEX if "Repaired" not in s.note], ids=lambda s: s.file)
def test_a_sample_is_a_slice_of_its_page(published: Sample) -> None:
    lines = published.page_content.splitlines(keepends=True)
    length = published.content.count(b"\n")
    assert b"".join(lines[published.line - 1 :][:length]) == published.content
    following = lines[published.line - 1 + length].strip() if published.line - 1 + length < len(lines) else b""
    assert following in (b"", b"```", b"200Success")  # the whole payload, not its beginning


def test_the_repair_adds_one_comma() -> None:
    invalid = sample("flow-2022.submit.response.invalid.txt").content
    with pytest.raises(json.JSONDecodeError, match="Expecting ',' delimiter"):
        json.loads(invalid)
    assert invalid.count(b'"success"\n') == 1
    assert sample("flow-2022.submit.response.json").content == invalid.replace(b'"success"\n', b'"success",\n')


@pytest.mark.parametrize(("action", "citation"), CITATIONS, ids=[f"{a} {c.get('at')}" for a, c in CITATIONS])
def test_a_citation_stands_where_it_says(action: str, citation: dict[str, str]) -> None:
    assert citation.keys() == {"at", "shows"}
    page, line = citation["at"].split(":")
    assert citation["shows"] in (SAMPLES_DIR / "pages" / page).read_text("utf-8").splitlines()[int(line) - 1]


def test_every_correction_of_fact_has_evidence() -> None:
    facts = [action for action in ACTIONS if action.where.startswith("10-corrections")]
    assert [action.where for action in facts if not action.data.get("x-evidence")] == []


def test_the_pages_hold_no_payload_that_the_index_lacks() -> None:
    listed = {(s.page, s.line) for s in INDEX}
    found = {
        (path.name, number)
        for path in (SAMPLES_DIR / "pages").iterdir()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.fullmatch(r"\{\s*", line)
    }
    assert found == listed
