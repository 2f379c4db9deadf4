"""What an OpenAPI 3.0 document consists of, as a table, and whether a document is built like that.

A notation of its own keeps the table readable: `{schema}` is an object whose members are schemas, `[schema]` a list of
schemas, `schema` one schema. `text`, `flag` and `value` are leaves. What the table does not list is of any form.
"""

from collections.abc import Iterator
from typing import Any, Final

Json = dict[str, Any]

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
MAX_DEPTH: Final = 100

OBJECTS: Final[dict[str, dict[str, str]]] = {
    "document": {"info": "info", "paths": "{path item}", "components": "components"},
    "info": {},
    "components": {
        "schemas": "{schema}",
        "responses": "{response}",
        "parameters": "{parameter}",
        "requestBodies": "{request body}",
        "headers": "{header}",
    },
    "path item": {"parameters": "[parameter]", **dict.fromkeys(METHODS, "operation")},
    "operation": {"parameters": "[parameter]", "requestBody": "request body", "responses": "{response}"},
    "parameter": {
        "name": "text",
        "in": "text",
        "required": "flag",
        "schema": "schema",
        "content": "{media type}",
    },
    "request body": {"content": "{media type}", "required": "flag"},
    "response": {"content": "{media type}", "headers": "{header}"},
    "header": {"required": "flag", "schema": "schema", "content": "{media type}"},
    "media type": {"schema": "schema"},
    "schema": {
        "type": "text",
        "format": "text",
        "nullable": "flag",
        "enum": "[value]",
        "required": "[text]",
        "properties": "{schema}",
        "items": "schema",
        "allOf": "[schema]",
        "anyOf": "[schema]",
        "oneOf": "[schema]",
    },
}
NEEDED: Final = {"parameter": ("name", "in")}
SECTIONS: Final = {shape.strip("{}"): section for section, shape in OBJECTS["components"].items()}
LEAVES: Final[dict[str, type]] = {"text": str, "flag": bool}
JSON_NAMES: Final[dict[type, str]] = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "true or false",
    type(None): "null",
    int: "a number",
    float: "a number",
}


def member(shape: str) -> str:
    """What one entry of a shape is: `{schema}` -> `schema`."""
    return shape.strip("{}[]")


def malformed(document: Json) -> Iterator[str]:
    """Every place in which a document is not built as the table says, or refers to what is not there."""
    if not document.keys() & {"paths", "components"}:
        yield "it has neither paths nor components"
    yield from wrong(document, "document", "", document)


def wrong(node: Any, shape: str, at: str, document: Json) -> Iterator[str]:
    kind = member(shape)
    if shape != kind:  # a collection
        expected = dict if shape[0] == "{" else list
        if not isinstance(node, expected):
            yield f"{at} is {JSON_NAMES[type(node)]}, expected {JSON_NAMES[expected]}"
        else:
            yield from wrong_collection(node, kind, at)
            for key, entry in node.items() if isinstance(node, dict) else enumerate(node):
                yield from wrong(entry, kind, f"{at}/{key}", document)
    elif kind in OBJECTS:
        yield from wrong_object(node, kind, at, document)
    elif kind in LEAVES and not isinstance(node, LEAVES[kind]):
        yield f"{at} is {JSON_NAMES[type(node)]}, expected {JSON_NAMES[LEAVES[kind]]}"


def wrong_collection(node: Any, kind: str, at: str) -> Iterator[str]:
    if kind == "path item":
        yield from (f"{at}/{key} is not a path" for key in node if not key.startswith(("/", "x-")))
    if kind == "parameter" and isinstance(node, list):
        names = [(p.get("in"), str(p.get("name")).lower()) for p in node if isinstance(p, dict) and "$ref" not in p]
        yield from (f"{at} has {name} twice" for _, name in dict.fromkeys(n for n in names if names.count(n) > 1))


def wrong_object(node: Any, kind: str, at: str, document: Json) -> Iterator[str]:
    if not isinstance(node, dict):
        yield f"{at} is {JSON_NAMES[type(node)]}, expected {JSON_NAMES[dict]}"
        return
    if "$ref" in node and (kind in SECTIONS or kind == "path item"):
        if problem := unresolvable(node, kind, document):
            yield f"{at}: {problem}"
            return
    else:
        yield from (f"{at} has no {key}" for key in NEEDED.get(kind, ()) if key not in node)
    for key, shape in OBJECTS[kind].items():
        if key in node:
            yield from wrong(node[key], shape, f"{at}/{key}" if at else key, document)


def unresolvable(node: Json, kind: str, document: Json) -> str | None:
    """Why a reference leads to nothing that we have."""
    followed: list[str] = []
    while isinstance(node, dict) and "$ref" in node:
        reference = node["$ref"]
        name = component_name(reference, kind)
        if name is None:
            return f"it is described elsewhere, {reference!r}"
        if reference in followed:
            return f"{reference} refers to itself"
        followed.append(reference)
        section = (document.get("components") or {}).get(SECTIONS[kind]) or {}
        if not isinstance(section, dict) or name not in section:
            return f"{reference} does not exist"
        node = section[name]
    return None


def component_name(reference: Any, kind: str) -> str | None:
    """The component that a reference names; None when it leads anywhere else."""
    start = f"#/components/{SECTIONS.get(kind)}/"
    if not isinstance(reference, str) or not reference.startswith(start):
        return None
    return reference.removeprefix(start).replace("~1", "/").replace("~0", "~")


def too_deep(value: Any, left: int = MAX_DEPTH) -> bool:
    """Whether a value is nested deeper than any specification is, so that reading it on could exhaust the stack."""
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(not left or too_deep(child, left - 1) for child in children)
