"""Pages of which nothing may be concluded: level 40 with the place, the rest compared, nothing called removed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.changes import Finding, Level, worst
from scripts.drift import examine, main
from scripts.errors import SpecError
from scripts.fetch import Page
from scripts.spec import committed_page, specs

from .pages import QUERY, QUOTE, SECTION, SUBMIT, drift, fence_of, found, merged, page_of, properties

REFERENCE = """{{% openapi-operation spec="atlas" path="{path}" method="post" %}}
[OpenAPI atlas](https://files.example/atlas.json?X-Amz-Signature=0123456789)
{{% endopenapi-operation %}}"""


def with_section(path: str, change: Callable[[str], str]) -> str:
    """The committed page with one operation's section (heading, prose and fence) changed."""
    page = committed_page()
    (section,) = [s[0] for s in SECTION.finditer(page) if f'"{path}"' in s[1]]
    return page.replace(section, change(section))


def fence(section: str) -> str:
    return section[section.index("```json") :]


def contradicting() -> str:
    """The component RefundTicket has a number in the second document, and text in the other two."""
    other = merged()
    properties(other, "RefundTicket")["ticketNo"]["type"] = "integer"
    return with_section(SUBMIT, lambda s: s.replace(fence(s), f"```json\n{fence_of(other, SUBMIT, 'post')}\n```\n"))


CASES: dict[str, tuple[str, str]] = {
    "not valid JSON": (with_section(SUBMIT, lambda s: s.replace('"paths":', '"paths"')), "line 50: looks like OpenAPI"),
    "cut off": (committed_page()[:20_000], "line 50: looks like OpenAPI, but Unterminated"),
    "a key twice": (
        with_section(SUBMIT, lambda s: s.replace('"openapi":"3.0.1"', '"openapi":"3.0.1","openapi":"3.0.2"')),
        "line 50: looks like OpenAPI, but the key 'openapi' stands twice",
    ),
    "another version": (
        with_section(SUBMIT, lambda s: s.replace('"3.0.1"', '"3.1.0"')),
        "line 50: looks like OpenAPI, but its version is 3.1.0",
    ),
    "no version": (
        with_section(SUBMIT, lambda s: s.replace('"openapi":"3.0.1",', "")),
        "line 50: looks like OpenAPI, but its version is None",
    ),
    "the block is missing": (
        with_section(SUBMIT, lambda s: s.replace(fence(s), "")),
        "line 42: the section 'Make a Refund' is about it, but has no embedded document",
    ),
    "the block is missing under another heading": (
        with_section(SUBMIT, lambda s: s.replace(fence(s), "").replace("## Make a Refund", "## Submitting")),
        "line 42: the section 'Submitting' is about it, but has no embedded document",
    ),
    "only referred to": (
        with_section(SUBMIT, lambda s: s.replace(fence(s), REFERENCE.format(path=SUBMIT))),
        "POST /refund.do ({% openapi-operation %}, link: https://files.example/atlas.json) is only referred to",
    ),
    "only referred to, the older form": (
        with_section(
            SUBMIT, lambda s: f'## Make\n{{% openapi src="https://a.example/b.json" path="{SUBMIT}" method="post" %}}\n'
        ),
        "POST /refund.do ({% openapi %}, link: https://a.example/b.json) is only referred to",
    ),
    "a component with two meanings": (
        contradicting(),
        'components/schemas/RefundTicket/properties/ticketNo/type: line 38 has "string", line 50 has "integer"',
    ),
    "an operation twice": (
        f"{committed_page()}\n{fence(with_section(SUBMIT, lambda s: s))}",
        "described twice, in the blocks of line 38 and line 66",
    ),
    "a reference to nothing": (
        with_section(SUBMIT, lambda s: s.replace("#/components/schemas/ServiceFee1", "#/components/schemas/Gone")),
        "#/components/schemas/Gone does not exist",
    ),
    "a reference to another file": (
        with_section(SUBMIT, lambda s: s.replace("#/components/schemas/ServiceFee1", "fees.json#/Fee")),
        "it is described elsewhere, 'fees.json#/Fee'",
    ),
    "a path described elsewhere": (
        with_section(SUBMIT, lambda s: s.replace('"/refund.do":{', '"/refund.do":{"$ref":"paths.json",')),
        "line 50: paths//refund.do: it is described elsewhere",
    ),
    "a parameter without a name": (
        with_section(SUBMIT, lambda s: s.replace('{"name":"Accept",', "{")),
        "line 50: paths//refund.do/post/parameters/0 has no name",
    ),
    "a parameter twice": (
        with_section(SUBMIT, lambda s: s.replace('"name":"Accept"', '"name":"x-atlas-client-id"')),
        "paths//refund.do/post/parameters has x-atlas-client-id twice",
    ),
    "paths is a list": (
        with_section(SUBMIT, lambda s: '## Make\n```json\n{"openapi": "3.0.1", "paths": []}\n```\n'),
        "paths is a list, expected an object",
    ),
    "components is null": (
        with_section(
            SUBMIT, lambda s: '## Make\n```json\n{"openapi": "3.0.1", "paths": {}, "components": null}\n```\n'
        ),
        "components is null, expected an object",
    ),
    "too deep": (
        with_section(SUBMIT, lambda s: s.replace('"tags":', f'"x-deep":{"[" * 200}{"]" * 200},"tags":', 1)),
        "it is nested too deeply",
    ),
    "far too deep": (
        with_section(SUBMIT, lambda s: s.replace('"tags":', f'"x-deep":{"[" * 99_999}{"]" * 99_999},"tags":', 1)),
        "line 50: looks like OpenAPI, but maximum recursion depth exceeded",
    ),
    "aliases": (
        with_section(SUBMIT, lambda s: "## Make\n```yaml\nopenapi: 3.0.1\npaths: {}\nx: &a [1]\ny: *a\n```\n"),
        "it has YAML aliases",
    ),
    "a date in YAML": (
        with_section(SUBMIT, lambda s: "## Make\n```yaml\nopenapi: 3.0.1\npaths: {}\nx: 2026-01-01\n```\n"),
        "it is not JSON written as YAML",
    ),
    "a document about nothing": (
        with_section(SUBMIT, lambda s: '## Make\n```json\n{"openapi": "3.0.1", "info": {}}\n```\n'),
        "it has neither paths nor components",
    ),
    "HTML": ("<!DOCTYPE html><html><body>Refunds</body></html>", "this is HTML, not the page's Markdown twin"),
    "nothing": ("", "no embedded OpenAPI document"),
    "soon": ("# Refunds\n\nThis page is moving.", "no embedded OpenAPI document"),
    "an error in JSON": ('{"error": "not found"}', "no embedded OpenAPI document"),
    "references only": (
        "# Refunds\n" + "\n".join(f"## {p}\n{REFERENCE.format(path=p)}" for p in (QUOTE, SUBMIT, QUERY)),
        "the page refers to its specification by openapi-operation blocks",
    ),
}


@pytest.mark.parametrize(("page", "problem"), CASES.values(), ids=CASES.keys())
def test_says_what_cannot_be_read_and_nothing_more(page: str, problem: str) -> None:
    findings = found(page)
    assert worst(findings) is Level.UNREADABLE
    assert any(problem in finding.message for finding in findings), [f.message for f in findings]
    assert [finding for finding in findings if finding.kind == "operation removed"] == []
    assert Level.COMPATIBLE not in {finding.level for finding in findings}
    assert "X-Amz-Signature" not in str([(f.old, f.new, f.message) for f in findings if f.kind == "unreadable"])


@pytest.mark.parametrize(
    "case", ["not valid JSON", "only referred to", "a component with two meanings", "an operation twice"]
)
def test_the_other_blocks_are_still_compared(case: str) -> None:
    page = CASES[case][0].replace('"enum":[0,1,2,3,4,5,6]', '"enum":[0,1,2,3,4,5,6,7]')
    assert [(f.place.operation, f.message) for f in found(page) if f.level is Level.BREAKING] == [
        (f"POST {QUERY}", "new value 7")
    ]


def test_what_is_missing_beside_what_is_unreadable_is_not_called_removed() -> None:
    page = with_section(SUBMIT, lambda s: s.replace('"paths":', '"paths"'))
    (missing,) = [f for f in found(page) if f.place.operation == f"POST {SUBMIT}"]
    assert missing.message == "not compared: the page has no description of it that can be read"


def test_an_operation_whose_section_is_gone_is_removed() -> None:
    (removed,) = [f for f in found(with_section(QUERY, lambda section: "")) if f.place.operation != "page"]
    assert (removed.kind, removed.level) == ("operation removed", Level.BREAKING)


def test_an_operation_that_its_own_block_no_longer_has_is_removed() -> None:
    page = with_section(QUERY, lambda s: s.replace(fence(s), '```json\n{"openapi":"3.0.1","paths":{}}\n```\n'))
    assert "operation removed" in {finding.kind for finding in found(page)}


def test_the_overlays_are_not_judged_by_half_a_page() -> None:
    assert drift(CASES["not valid JSON"][0]).fit.fits is None


def test_both_meanings_of_a_component_are_shown() -> None:
    (finding,) = [f for f in found(contradicting()) if f.level is Level.UNREADABLE]
    assert "line 38" in finding.message
    assert "line 50" in finding.message


def test_no_cut_and_no_lost_line_is_taken_for_a_change() -> None:
    """A page that ends anywhere, or lacks any line: never a trace, never an operation that is called removed."""
    page = committed_page()
    lines = page.splitlines(keepends=True)
    cuts = [page[:end] for end in range(0, len(page), 1999)]
    for shorter in (*cuts, *("".join(lines[:i] + lines[i + 1 :]) for i in range(len(lines)))):
        findings: list[Finding] = found(shorter)
        removed = {f.place.operation for f in findings if f.kind == "operation removed"}
        whole_section_gone = {f"POST {p}" for p in (QUOTE, SUBMIT, QUERY) if p not in shorter}
        assert removed <= whole_section_gone


def test_a_fault_of_the_comparison_is_reported_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr("scripts.drift.compare", broken)
    result = examine(committed_page(), Page(committed_page()), [])
    assert result.level is Level.UNREADABLE
    assert "Report this as a bug" in result.findings[0].message


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", None], ids=["not text", "no file"])
def test_a_file_that_cannot_be_read(content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    if content is not None:
        page.write_bytes(content)
    assert main(["--page", str(page), "--format", "json"]) == 40
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert finding["message"].startswith("the page cannot be read: ")


@pytest.mark.parametrize("page", [page for page, _ in CASES.values()], ids=CASES.keys())
def test_the_build_refuses_them_too(page: str) -> None:
    """It reads with the same eyes; what is only missing stops it at the overlays."""
    with pytest.raises(SpecError):
        specs(page)


def test_what_is_said_of_a_whole_path_is_read() -> None:
    """It is valid OpenAPI: text for the comparison, and parameters for the lint to refuse by name."""
    document = merged()
    document["paths"][SUBMIT]["summary"] = "Refunds"
    page = page_of(document)
    assert [(f.level, f.place.operation) for f in found(page)] == [(Level.DOCUMENTATION, SUBMIT)]
    assert specs(page).merged["paths"][SUBMIT]["summary"] == "Refunds"
    document["paths"][SUBMIT]["parameters"] = [{"name": "x-sign", "in": "header", "schema": {"type": "string"}}]
    with pytest.raises(SpecError, match=r"post /refund\.do: parameters remain"):
        specs(page_of(document))


@pytest.mark.parametrize("text", ["overlay: [", "overlay: 1.1.0", "just text", "overlay: 1.1.0\nactions: 3"])
def test_an_overlay_that_is_being_edited(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    overlay = tmp_path / "30-new.yaml"
    overlay.write_text(text, "utf-8")
    monkeypatch.setattr("scripts.drift.OVERLAYS", [overlay])
    assert main(["--page", str(tmp_path / "page.md")]) == 40
    assert "30-new.yaml: not an overlay: " in capsys.readouterr().out
