"""Is the corrected document valid OpenAPI, and fit for our generator templates?

The rules here are those that the validator does not know, and those that would otherwise fail silently: what Atlas
adds next must either work or stop the build with a message.
"""

from collections.abc import Callable, Iterator
from typing import Any

from jsonschema.exceptions import ValidationError, best_match
from openapi_spec_validator import OpenAPIV30SpecValidator
from referencing.exceptions import Unresolvable

from .errors import SpecError
from .extract import operations as described
from .grammar import Json

Problems = Iterator[str]
PYTHON_TYPES: dict[str, type] = {"string": str, "integer": int, "number": float, "boolean": bool}


def lint(document: Json) -> None:
    """Raise SpecError with every problem."""
    problems = list(invalid(document))
    if not problems:
        problems += [
            f"{at or '/'}: {problem}" for at, node in nodes(document) for rule in RULES for problem in rule(node)
        ]
        problems += (problem for rule in DOCUMENT_RULES for problem in rule(document))
    if problems:
        raise SpecError("the corrected specification does not pass", problems)


def nodes(value: Any, at: str = "") -> Iterator[tuple[str, Json]]:
    """Every object of a document with its JSON pointer."""
    if isinstance(value, dict):
        yield at, value
    for key, child in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from nodes(child, f"{at}/{key}")


def invalid(document: Json) -> Problems:
    try:
        for found in OpenAPIV30SpecValidator(document).iter_errors():
            error = best_match([found], key=deepest_first)
            yield f"/{'/'.join(map(str, error.absolute_path))}: {error.message[-200:]}"
    except Unresolvable as error:
        yield f"unresolvable reference {error.ref}"
    except (LookupError, TypeError, AttributeError) as error:  # it stumbles over some malformed documents
        yield f"the validator itself stopped: {error!r}"


def deepest_first(error: ValidationError) -> tuple[int, bool]:
    """What to say of an error that has several causes. jsonschema's own rating stops at errors without a type."""
    return -len(error.absolute_path), error.validator in ("anyOf", "oneOf")


# ---- one object at a time --------------------------------------------------------------------------------------------
def siblings_of_a_reference(node: Json) -> Problems:
    if isinstance(node.get("$ref"), str) and len(node) > 1:
        yield f"OpenAPI 3.0 ignores what stands beside $ref: {sorted(node.keys() - {'$ref'})}"


def required_but_unknown(node: Json) -> Problems:
    properties, required = node.get("properties"), node.get("required")
    if isinstance(properties, dict) and isinstance(required, list) and set(required) - properties.keys():
        yield f"required, but not defined: {sorted(set(required) - properties.keys())}"


def enum_of_another_type(node: Json) -> Problems:
    kind, values = PYTHON_TYPES.get(str(node.get("type"))), node.get("enum")
    if kind and isinstance(values, list):
        allowed = (kind, type(None)) if node.get("nullable") else kind
        yield from (
            f"the enum value {value!r} is not of type {node['type']}"
            for value in values
            if not isinstance(value, allowed)
        )


def enum_without_names(node: Json) -> Problems:
    """The generator drops ALL given names when their number is wrong, and makes up ugly ones when there are none."""
    if "x-enum-varnames" in node and "enum" not in node:
        yield "x-enum-varnames, but no enum to name"
    if not isinstance(node.get("enum"), list) or "type" not in node or node["type"] == "object":
        return
    values = [v for v in node["enum"] if v is not None]
    names = node.get("x-enum-varnames", [v for v in values if str(v).isidentifier() and str(v).isupper()])
    if len(values) != len(names):
        yield f"{len(values)} enum values, but {len(names)} names in x-enum-varnames"
    if "title" not in node:
        yield "an enum needs a title, its class name"


def date_without_format(node: Json) -> Problems:
    if node.get("type") == "string" and "yyyyMMdd" in str(node.get("description")) and node.get("format") != "yyyymmdd":
        yield "the text says yyyyMMdd, but the format is not yyyymmdd"


def inline_object_without_title(node: Json) -> Problems:
    for key, child in (node.get("properties") or {}).items() if isinstance(node.get("properties"), dict) else ():
        schema = child.get("items", child) if isinstance(child, dict) else {}
        if schema.get("type") == "object" and "properties" in schema and "title" not in schema:
            yield f"{key}: an inline object needs a title, its class name"


RULES: tuple[Callable[[Json], Problems], ...] = (
    siblings_of_a_reference,
    required_but_unknown,
    enum_of_another_type,
    enum_without_names,
    date_without_format,
    inline_object_without_title,
)


# ---- the whole document ----------------------------------------------------------------------------------------------
def operations(document: Json) -> Iterator[tuple[str, Json]]:
    for path, method, operation in described(document):
        yield f"{method} {path}", operation


def operations_are_named(document: Json) -> Problems:
    for name, operation in operations(document):
        if "operationId" not in operation:
            yield f"{name}: no operationId, its function name"
        request = json_schema(operation.get("requestBody", {}))
        if request is not None and "$ref" not in request and request.get("x-path") != name.partition(" ")[2]:
            yield f"{name}: the request body needs its path as x-path"
        responses = [json_schema(response) for response in operation["responses"].values()]
        for schema in (request, *responses):
            if schema is not None and "$ref" not in schema and "title" not in schema:
                yield f"{name}: an inline body needs a title, its class name"
        if operation.get("parameters") or document["paths"][name.partition(" ")[2]].get("parameters"):
            yield f"{name}: parameters remain; the client sends all headers itself"


def credentials_are_declared(document: Json) -> Problems:
    schemes = document.get("components", {}).get("securitySchemes", {})
    if not schemes or document.get("security") != [{name: [] for name in schemes}]:
        yield "securitySchemes and the document's security have to name the same credentials"


def servers_are_declared(document: Json) -> Problems:
    if not document.get("servers"):
        yield "no servers"


def sent_schemas_are_marked(document: Json) -> Problems:
    """A schema that a request body reaches is marked x-sent, and no other."""
    schemas = document["components"]["schemas"]
    waiting = [(name, json_schema(op.get("requestBody", {}))) for name, op in operations(document)]
    reached: dict[int, tuple[str, Json]] = {}
    while waiting:
        name, schema = waiting.pop()
        if schema is None or id(schema) in reached:
            continue
        if "$ref" not in schema:  # a body that is a reference is marked at its target
            reached[id(schema)] = name, schema
        for at, node in nodes(schema):
            if isinstance(ref := node.get("$ref"), str):
                target = ref.rsplit("/", 1)[1]
                waiting.append((target, schemas[target]))
            elif at and node.get("type") == "object" and "properties" in node:
                waiting.append((f"{name}{at}", node))
    marked = {id(node): (at, node) for at, node in nodes(document) if node.get("x-sent")}
    yield from (
        f"{reached[i][0]}: a request refers to it, but x-sent is missing" for i in reached.keys() - marked.keys()
    )
    yield from (f"{marked[i][0]}: marked x-sent, but no request refers to it" for i in marked.keys() - reached.keys())


def json_schema(body: Json) -> Json | None:
    schema: Json | None = body.get("content", {}).get("application/json", {}).get("schema")
    return schema


DOCUMENT_RULES: tuple[Callable[[Json], Problems], ...] = (
    operations_are_named,
    credentials_are_declared,
    servers_are_declared,
    sent_schemas_are_marked,
)
