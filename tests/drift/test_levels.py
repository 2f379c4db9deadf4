"""Each row of the table as a page; and what else holds for the comparison."""

from collections.abc import Callable

import pytest

from scripts.changes import KINDS, Level, worst
from scripts.compare import compare
from scripts.spec import committed_page

from .pages import QUOTE, SUBMIT, Json, changed, drift, found, merged, properties
from .variants import VARIANTS, rename, renumbered


@pytest.mark.parametrize(("expected", "where", "change"), [v[1:] for v in VARIANTS], ids=[v[0] for v in VARIANTS])
def test_one_change(expected: Level, where: str, change: Callable[[Json], object]) -> None:
    findings = found(changed(change))
    assert worst(findings) is expected, findings
    assert where in {finding.place.operation.removeprefix("POST ") for finding in findings} | {""}


def test_the_table_is_as_long_as_promised() -> None:
    assert len(VARIANTS) >= 40
    assert len({name for name, *_ in VARIANTS}) == len(VARIANTS)


def test_the_page_against_itself() -> None:
    same = drift(committed_page())
    assert (same.level, same.findings, same.fit.fits) == (Level.SAME, (), True)
    assert found(changed(lambda document: None)) == []


def test_a_renamed_component_is_one_change() -> None:
    findings = found(changed(lambda d: rename(d, "ServiceFee1", "ServiceFee")))
    assert {(f.kind, f.what) for f in findings} == {("renamed", "component ServiceFee1 is now called ServiceFee")}


def test_a_renumbered_value_is_pointed_out() -> None:
    meanings = [f for f in found(changed(renumbered)) if f.kind == "meaning"]
    assert {finding.what for finding in meanings} == {"2", "3"}
    assert "Atlas has given numbers another meaning before" in meanings[0].means


def test_each_change_is_found_where_it_is() -> None:
    page = changed(lambda d: properties(d, "RefundSegment")["depDate"].update(type="integer"))
    places = [(f.place.operation, f.place.location, f.place.owner, f.place.member) for f in found(page)]
    assert places == [
        (f"POST {path}", "request.refundRequestList[].segments[].depDate", "RefundSegment", "depDate")
        for path in (QUOTE, SUBMIT)
    ]


def test_a_document_that_refers_to_itself_is_compared() -> None:
    def recursive(document: Json) -> None:
        properties(document, "RefundOrder")["replaces"] = {"$ref": "#/components/schemas/RefundOrder"}

    page = changed(recursive)
    assert {f.place.location for f in found(page)} == {"response 200.refundOrders[].replaces"}
    other = merged()
    recursive(other)
    assert compare(other, other) == []


def test_every_kind_of_change_has_its_words() -> None:
    for kind, row in KINDS.items():
        assert row.says, kind
        assert row.sender.endswith("."), kind
        assert row.reader.endswith("."), kind
