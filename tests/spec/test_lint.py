import copy
from collections.abc import Callable
from typing import Any

import pytest

from scripts.errors import SpecError
from scripts.lint import DOCUMENT_RULES, RULES, lint

Json = dict[str, Any]


def body(schema: Json) -> Json:
    return {"content": {"application/json": {"schema": schema}}}


SOUND: Json = {
    "openapi": "3.0.1",
    "info": {"title": "t", "version": "1"},
    "servers": [{"url": "https://example.com"}],
    "security": [{"key": []}],
    "paths": {
        "/a": {
            "post": {
                "operationId": "a",
                "requestBody": body({"$ref": "#/components/schemas/Sent"}),
                "responses": {"200": {"description": "", **body({"$ref": "#/components/schemas/Read"})}},
            }
        }
    },
    "components": {
        "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "x-key"}},
        "schemas": {
            "Sent": {"type": "object", "x-sent": True, "properties": {"day": {"type": "string"}}},
            "Read": {"type": "object", "properties": {"fee": {"type": "number"}, "text": {"type": "string"}}},
        },
    },
}


def problems(change: Callable[[Json, Json, Json], object]) -> tuple[str, ...]:
    """What lint says of the sound document after a change to it; the change sees document, operation, schemas."""
    document = copy.deepcopy(SOUND)
    change(document, document["paths"]["/a"]["post"], document["components"]["schemas"])
    try:
        lint(document)
    except SpecError as error:
        return error.problems
    return ()


def enum(**members: Any) -> Json:
    return {"type": "string", "enum": ["a", "B"], "title": "T", "x-enum-varnames": ["A", "B"], **members}


READ = "/components/schemas/Read"
CASES: dict[str, list[tuple[Callable[[Json, Json, Json], object], str]]] = {
    "siblings_of_a_reference": [
        (
            lambda d, o, s: s["Read"]["properties"].update(x={"$ref": "#/components/schemas/Sent", "nullable": True}),
            f"{READ}/properties/x: OpenAPI 3.0 ignores what stands beside $ref: ['nullable']",
        )
    ],
    "required_but_unknown": [
        (lambda d, o, s: s["Read"].update(required=["fee", "gone"]), f"{READ}: required, but not defined: ['gone']")
    ],
    "enum_of_another_type": [
        (
            lambda d, o, s: s["Read"]["properties"].update(x=enum(enum=["a", 2])),
            f"{READ}/properties/x: the enum value 2 is not of type string",
        ),
        (
            lambda d, o, s: s["Read"]["properties"].update(x=enum(enum=["a", "b", None])),
            f"{READ}/properties/x: the enum value None is not of type string",
        ),
    ],
    "enum_without_names": [
        (
            lambda d, o, s: s["Read"]["properties"].update(x=enum(**{"x-enum-varnames": ["A"]})),
            f"{READ}/properties/x: 2 enum values, but 1 names in x-enum-varnames",
        ),
        (
            lambda d, o, s: s["Read"]["properties"].update(x={"type": "string", "enum": ["a", "B"], "title": "T"}),
            f"{READ}/properties/x: 2 enum values, but 1 names in x-enum-varnames",
        ),
        (
            lambda d, o, s: s["Read"]["properties"].update(x={"type": "string", "enum": ["A", "B"]}),
            f"{READ}/properties/x: an enum needs a title, its class name",
        ),
        (
            lambda d, o, s: s["Read"]["properties"].update(x={"type": "string", "x-enum-varnames": ["A"]}),
            f"{READ}/properties/x: x-enum-varnames, but no enum to name",
        ),
    ],
    "date_without_format": [
        (
            lambda d, o, s: s["Read"]["properties"]["text"].update(description="A day, `yyyyMMdd`."),
            f"{READ}/properties/text: the text says yyyyMMdd, but the format is not yyyymmdd",
        )
    ],
    "inline_object_without_title": [
        (
            lambda d, o, s: s["Read"]["properties"].update(x={"type": "object", "properties": {}}),
            f"{READ}: x: an inline object needs a title, its class name",
        ),
        (
            lambda d, o, s: s["Read"]["properties"].update(
                x={"type": "array", "items": {"type": "object", "properties": {}}}
            ),
            f"{READ}: x: an inline object needs a title, its class name",
        ),
    ],
    "operations_are_named": [
        (lambda d, o, s: o.pop("operationId"), "post /a: no operationId, its function name"),
        (
            lambda d, o, s: o.update(responses={"200": {"description": "", **body({"type": "object"})}}),
            "post /a: an inline body needs a title, its class name",
        ),
        (
            lambda d, o, s: o.update(parameters=[{"name": "Accept", "in": "header", "schema": {"type": "string"}}]),
            "post /a: parameters remain; the client sends all headers itself",
        ),
    ],
    "credentials_are_declared": [
        (
            lambda d, o, s: d.pop("security"),
            "securitySchemes and the document's security have to name the same credentials",
        ),
        (
            lambda d, o, s: d["components"]["securitySchemes"].update(
                other={"type": "apiKey", "in": "header", "name": "x-other"}
            ),
            "securitySchemes and the document's security have to name the same credentials",
        ),
    ],
    "servers_are_declared": [(lambda d, o, s: d.pop("servers"), "no servers")],
    "sent_schemas_are_marked": [
        (lambda d, o, s: s["Sent"].pop("x-sent"), "Sent: a request refers to it, but x-sent is missing"),
        (
            lambda d, o, s: s["Read"].update({"x-sent": True}),
            f"{READ}: marked x-sent, but no request refers to it",
        ),
        (
            lambda d, o, s: (
                s.update(Part={"type": "object", "properties": {}}),
                s["Sent"]["properties"].update(parts={"type": "array", "items": {"$ref": "#/components/schemas/Part"}}),
            ),
            "Part: a request refers to it, but x-sent is missing",
        ),
        (
            lambda d, o, s: s["Sent"]["properties"].update(
                part={"type": "object", "title": "P", "properties": {"a": {"type": "string"}}}
            ),
            "Sent/properties/part: a request refers to it, but x-sent is missing",
        ),
    ],
}
INVALID: list[tuple[Callable[[Json, Json, Json], object], str]] = [
    (lambda d, o, s: d["info"].pop("version"), "/info: 'version' is a required property"),
    (lambda d, o, s: o.pop("responses"), "/paths//a/post: 'responses' is a required property"),
    (
        lambda d, o, s: s["Read"]["properties"]["fee"].update(type="money"),
        f"{READ}/properties/fee/type: 'money' is not",
    ),
    (lambda d, o, s: s["Read"].update(required=["fee", "fee"]), f"{READ}/required: ['fee', 'fee'] has non-unique"),
    (lambda d, o, s: s.pop("Read"), "unresolvable reference /components/schemas/Read"),
    (lambda d, o, s: o.update(parameters=[{"in": "header", "schema": {}}]), "/paths//a/post/parameters/0: "),
]


def test_a_sound_document_passes() -> None:
    assert problems(lambda *_: None) == ()


def test_null_in_a_nullable_enum_needs_no_name() -> None:
    nullable = enum(enum=["a", "B", None], nullable=True)
    assert problems(lambda d, o, s: s["Read"]["properties"].update(x=nullable)) == ()


def test_a_model_that_is_sent_and_one_that_refers_to_itself() -> None:
    itself = {"type": "array", "items": {"$ref": "#/components/schemas/Sent"}}
    assert problems(lambda d, o, s: s["Sent"]["properties"].update(more=itself)) == ()


@pytest.mark.parametrize(
    ("change", "problem"),
    [pytest.param(*case, id=f"{rule} {i}") for rule, cases in CASES.items() for i, case in enumerate(cases)],
)
def test_a_rule_says_what_is_wrong(change: Callable[[Json, Json, Json], object], problem: str) -> None:
    assert problems(change) == (problem,)


def test_every_rule_is_tried() -> None:
    assert CASES.keys() == {rule.__name__ for rule in (*RULES, *DOCUMENT_RULES)}


@pytest.mark.parametrize(("change", "problem"), INVALID, ids=[problem for _, problem in INVALID])
def test_an_invalid_document_is_named_as_such(change: Callable[[Json, Json, Json], object], problem: str) -> None:
    """Also where the validator itself raises, on a dangling reference or a parameter without a name."""
    assert problems(change)[0].startswith(problem)
