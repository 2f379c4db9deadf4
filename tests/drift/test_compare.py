"""Constructs that the page does not have yet, in small documents."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from scripts.changes import Finding, Level, worst
from scripts.compare import compare
from scripts.grammar import malformed

Json = dict[str, Any]
FEE: Json = {"$ref": "#/components/schemas/Fee"}


def document(sent: Json | None = None, read: Json | None = None, **schemas: Json) -> Json:
    def body(schema: Json | None) -> Json:
        return {"content": {"application/json": {"schema": schema or {}}}}

    found: Json = {
        "openapi": "3.0.1",
        "paths": {"/a": {"post": {"requestBody": body(sent), "responses": {"200": body(read)}}}},
        "components": {"schemas": {"Fee": {"type": "string", "enum": ["a"]}, **schemas}},
    }
    assert list(malformed(found)) == []
    return found


def after(old: Json, change: Callable[[Json], object]) -> list[Finding]:
    new = copy.deepcopy(old)
    change(new["components"]["schemas"]["Fee"])
    assert list(malformed(new)) == []
    return compare(old, new)


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [FEE]},
        {"oneOf": [{"type": "integer"}, FEE]},
        {"anyOf": [FEE]},
        {"items": {"items": FEE}},
        {"additionalProperties": FEE},
        {"not": FEE},
        {"additionalProperties": {"properties": {"a": {"not": {"items": FEE}}}}},
    ],
    ids=lambda schema: "/".join(schema),
)
def test_a_change_behind_a_reference_is_found_wherever_the_reference_stands(schema: Json) -> None:
    old = document(read=schema)
    assert compare(old, copy.deepcopy(old)) == []
    assert worst(after(old, lambda fee: fee["enum"].append("b"))) is Level.BREAKING
    assert worst(after(old, lambda fee: fee.update(type="integer"))) is Level.BREAKING


def test_a_component_that_is_sent_and_read_is_judged_in_both_directions() -> None:
    found = after(document(sent=FEE, read=FEE), lambda fee: fee["enum"].append("b"))
    assert [(f.place.direction, f.level) for f in found] == [
        ("request", Level.COMPATIBLE),
        ("response", Level.BREAKING),
    ]


def test_the_order_of_keys_means_nothing_in_a_value_that_no_rule_knows() -> None:
    old, new = (document(read={"default": dict(pairs)}) for pairs in ([("a", 1), ("b", 2)], [("b", 2), ("a", 1)]))
    assert compare(old, new) == []
    assert worst(compare(old, document(read={"default": {"a": 1, "b": 3}}))) is Level.BREAKING


@pytest.mark.parametrize(
    ("bound", "old", "new", "wider"),
    [
        ("maximum", 1, 2, True),
        ("maximum", 2, 1, False),
        ("maxLength", 9, None, True),
        ("maxItems", None, 9, False),
        ("minimum", 1, 2, False),
        ("minimum", 2.5, 2, True),
        ("minItems", 1, None, True),
        ("minLength", None, 1, False),
    ],
)
def test_bounds(bound: str, old: float | None, new: float | None, wider: bool) -> None:
    schemas = [{} if value is None else {bound: value} for value in (old, new)]
    sent, read = (worst(compare(*(document(**{side: schema}) for schema in schemas))) for side in ("sent", "read"))
    expected = (Level.COMPATIBLE, Level.BREAKING) if wider else (Level.BREAKING, Level.COMPATIBLE)
    assert (sent, read) == expected


def test_documents_that_refer_to_themselves() -> None:
    tree = {"properties": {"left": {"$ref": "#/components/schemas/Tree"}, "fee": FEE}}
    old = document(read={"$ref": "#/components/schemas/Tree"}, Tree=tree)
    assert compare(old, copy.deepcopy(old)) == []
    assert [f.place.location for f in after(old, lambda fee: fee["enum"].append("b"))] == ["response 200.fee"]
    deep = document(read={"not": {"$ref": "#/components/schemas/Tree"}}, Tree=tree)
    assert worst(after(deep, lambda fee: fee["enum"].append("b"))) is Level.BREAKING


def test_references_that_double_at_each_step_are_compared_in_no_time() -> None:
    """Forty components, each of which has the next one twice."""
    chain = {
        f"S{i}": {"properties": {side: {"$ref": f"#/components/schemas/S{i + 1}"} for side in ("left", "right")}}
        for i in range(40)
    }
    hidden = document(read={"not": {"$ref": "#/components/schemas/S0"}}, **chain, S40=FEE)
    assert worst(after(hidden, lambda fee: fee["enum"].append("b"))) is Level.BREAKING
    old = document(read={"$ref": "#/components/schemas/S0"}, **chain, S40=FEE)
    assert [f.message for f in after(old, lambda fee: fee["enum"].append("b"))] == ['new value "b"']


@pytest.mark.parametrize("name", ["A", "B"])
def test_a_component_that_is_only_itself_is_named(name: str) -> None:
    found = {
        "paths": {},
        "components": {
            "schemas": {"A": {"$ref": f"#/components/schemas/{name}"}, "B": {"$ref": "#/components/schemas/A"}}
        },
    }
    assert "refers to itself" in next(malformed(found))


def test_names_with_slashes() -> None:
    schema = {"$ref": "#/components/schemas/a~1b~0c"}
    old = document(read=schema, **{"a/b~c": {"type": "string"}})
    assert worst(compare(old, document(read=schema, **{"a/b~c": {"type": "number"}}))) is Level.BREAKING


def test_components_of_other_sections() -> None:
    old = document()
    for section, level in (("securitySchemes", Level.BREAKING), ("examples", Level.DOCUMENTATION)):
        new = copy.deepcopy(old)
        new["components"][section] = {"a": {}}
        assert worst(compare(old, new)) is level
