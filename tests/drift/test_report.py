"""The three forms of the report: complete, harmless, and about names that exist."""

import json
import re
from typing import Any

import atlas_refunds_api.models
import pytest

import atlas_refunds
from scripts.changes import KINDS, Finding, Level, Place
from scripts.drift import main
from scripts.impact import METHODS, PUBLIC, affected, attribute
from scripts.outcome import Drift
from scripts.report import LIMIT, NEXT, as_json, code, markdown, public_names, text
from scripts.spec import PAGE

from .pages import QUERY, QUOTE, SUBMIT, changed, drift, operation, properties, request, response, schemas

Json = dict[str, Any]

SEVERAL = changed(
    lambda d: (
        properties(d, "RefundOrder")["refundStatus"]["enum"].append(7),
        properties(d, "RefundTicket").update(seat={"type": "string"}),
        properties(d, "RefundSegment")["depDate"].pop("format"),
        request(d, SUBMIT)["required"].append("refundRequestList"),
        operation(d, QUERY).update(summary="New"),
    )
)


def test_markdown_tells_a_stranger_what_and_what_next() -> None:
    report = markdown(drift(SEVERAL))
    headings = [line for line in report.splitlines() if line.startswith("#")]
    assert headings == [
        "# Atlas' refund documentation: breaking",
        f"## `POST {QUERY}`",
        f"## `POST {SUBMIT}`",
        f"## `POST {QUOTE}`",
        "## Do our corrections still fit?",
        "## What to do next",
    ]
    assert "\nCalled by `AtlasRefunds.submit`.\n" in report
    status = report[report.index("- **breaking** `response 200.refundOrders[].refundStatus`: new value `7`") :]
    assert status.splitlines()[1:5] == [
        "  - before: `[0, 1, 2, 3, 4, 5, 6]`",
        "  - now: `[0, 1, 2, 3, 4, 5, 6, 7]`",
        "  - touches `RefundState.refund_status`, `RefundStatus`",
        f"  - {KINDS['value added'].reader}",
    ]
    assert "1. Find out whether the service behaves as the page says now" in report


def test_text_says_the_same() -> None:
    lines = text(drift(SEVERAL)).splitlines()
    assert lines[0].startswith("breaking: ")
    assert f"POST {SUBMIT}  AtlasRefunds.submit" in lines
    assert "  breaking      request.refundRequestList: is now required" in lines


def test_json_has_what_a_program_needs(capsys: pytest.CaptureFixture[str]) -> None:
    report = json.loads(as_json(drift(SEVERAL)))
    assert report["level"] == "breaking"
    (finding,) = [f for f in report["findings"] if f["message"] == "new value 7"]
    assert finding == {
        "level": "breaking",
        "operation": f"POST {QUERY}",
        "location": "response 200.refundOrders[].refundStatus",
        "message": "new value 7",
        "kind": "value added",
        "direction": "response",
        "old": [0, 1, 2, 3, 4, 5, 6],
        "new": [0, 1, 2, 3, 4, 5, 6, 7],
        "affects": [
            *(f"AtlasRefunds.{name}" for name in METHODS[QUERY]),
            "RefundState.refund_status",
            "RefundStatus",
        ],
        "means": KINDS["value added"].reader,
    }
    assert main(["--page", str(PAGE), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "level": "same",
        "source": str(PAGE),
        "notes": [],
        "findings": [],
        "overlays": {"fit": True, "misfits": [], "lint": []},
    }


def test_levels_are_words_and_exit_statuses() -> None:
    assert {level.word: int(level) for level in Level} == {
        "same": 0,
        "documentation": 10,
        "compatible": 20,
        "breaking": 30,
        "unreadable": 40,
    }


def test_every_level_has_a_next_step() -> None:
    assert all(NEXT[level] for level in Level)


# ---- the corrections -------------------------------------------------------------------------------------------------
def test_an_action_that_no_longer_matches_is_to_be_looked_at() -> None:
    def without_method(document: Json) -> None:
        properties(document, "RefundOrder").pop("refundMethod")
        schemas(document)["RefundOrder"]["required"].remove("refundMethod")

    found = drift(changed(without_method))
    assert "10-corrections.yaml actions[" in markdown(found)
    assert "It no longer matches: look here." in markdown(found)
    assert {m["fixed_by_atlas"] for m in json.loads(as_json(found))["overlays"]["misfits"]} == {False}


def test_an_action_that_changes_nothing_any_more_is_to_be_dropped() -> None:
    def nullable_now(document: Json) -> None:
        request(document, QUERY)["properties"]["refundCode"]["nullable"] = True

    found = drift(changed(nullable_now))
    assert "Atlas says so itself now: drop the action." in markdown(found)
    assert json.loads(as_json(found))["overlays"]["misfits"][0]["fixed_by_atlas"] is True


def test_what_the_lint_would_refuse_is_said_before_anybody_accepts() -> None:
    def listed(document: Json) -> None:
        properties(document, "RefundTicket")["seat"] = {"type": "string", "enum": ["A1"]}

    assert "an enum needs a title, its class name" in markdown(drift(changed(listed)))


# ---- what Atlas wrote stays data -------------------------------------------------------------------------------------
@pytest.mark.parametrize("hostile", ["@everyone `x` <img src=x> #1", "``` @you", "`", "a\n# heading\n- [x](y)"])
def test_markdown_of_the_page_stays_code(hostile: str) -> None:
    def change(document: Json) -> None:
        properties(document, "RefundOrder")["orderNo"]["description"] = hostile
        properties(document, "RefundOrder")[hostile] = {"type": "string"}
        properties(document, "RefundOrder")["refundStatus"]["enum"].append(hostile)

    report = markdown(drift(changed(change)))
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", report)
    assert "@" not in outside
    assert "heading" not in outside
    assert "<img" not in outside


@pytest.mark.parametrize("given", ["a", "`", "``", "a`b", "`a", "a ``` b", "", "a\nb"])
def test_a_code_span_holds_its_text(given: str) -> None:
    assert re.fullmatch(r"(`+) ?(.*?) ?\1", code(given))


def test_a_long_report_is_cut_at_a_finding() -> None:
    many = tuple(
        Finding("unknown", Place("POST /a", "request", f"request.{i}"), "pattern", "x" * 90) for i in range(900)
    )
    report = markdown(Drift(many))
    assert len(report) <= LIMIT
    assert "`make drift` shows all of it" in report
    assert report.rstrip().endswith(NEXT[Level.BREAKING][-1])


def test_long_texts_are_cut_to_where_they_differ() -> None:
    old, new = Finding("text", Place(), "text", "a" * 500 + "OLD" + "b" * 500, "a" * 500 + "NEW" + "b" * 500).sides
    assert len(old) < 120
    assert "OLD" in old
    assert "NEW" in new


# ---- the names -------------------------------------------------------------------------------------------------------
def test_the_methods_exist_and_every_operation_has_some() -> None:
    assert METHODS.keys() == public_names().corrected["paths"].keys()
    for names in METHODS.values():
        assert all(callable(getattr(atlas_refunds.AtlasRefunds, name)) for name in names)


def test_the_public_names_exist() -> None:
    for generated, public in PUBLIC.items():
        assert hasattr(atlas_refunds_api.models, generated)
        if public:
            assert issubclass(getattr(atlas_refunds, public), getattr(atlas_refunds_api.models, generated))


def test_every_member_of_the_page_leads_to_an_attribute() -> None:
    """For each member of each schema: the name that a report would give exists."""
    corrected = public_names().corrected
    bodies = [
        (path, side, get(corrected, path))
        for path in METHODS
        for side, get in (("request", request), ("response", response))
    ]
    owners = [(path, side, schema) for path, side, schema in bodies if "$ref" not in schema]
    owners += [
        (QUERY, name, schema) for name, schema in schemas(corrected).items() if not name.startswith("RefundCompleted")
    ]
    for path, owner, schema in owners:
        for member in schema["properties"]:
            place = Place(f"POST {path}", "response", "", owner, member)
            for name in affected(Finding("value added", place), public_names()):
                module, _, rest = name.partition(".")
                target = getattr(atlas_refunds, module)
                if rest and module != "AtlasRefunds":
                    assert rest in {field.name for field in target.__attrs_attrs__}, name
                    assert rest == attribute(member)
