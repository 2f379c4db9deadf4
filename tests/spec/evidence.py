"""What Atlas published, and every way in which a specification can contradict it."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from openapi_schema_validator import OAS30Validator, oas30_format_checker
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT4

from scripts import overlay
from scripts.errors import SpecError
from scripts.extract import Json, extract
from scripts.generate import OPENAPI
from scripts.lint import lint, nodes
from scripts.merge import merge
from scripts.spec import OVERLAYS, committed_page

SAMPLES_DIR = OPENAPI / "samples"


class Sample(NamedTuple):
    """One payload of a page; `operation` is a path, or the component that describes a webhook."""

    file: str
    page: str
    line: int
    operation: str
    role: str
    note: str = ""

    @property
    def content(self) -> bytes:
        return (SAMPLES_DIR / self.file).read_bytes()

    @property
    def value(self) -> Any:
        return json.loads(self.content)

    @property
    def page_content(self) -> bytes:
        return (SAMPLES_DIR / "pages" / self.page).read_bytes()

    @property
    def pointer(self) -> str:
        """Where the schema of this payload stands in the specification."""
        if self.role == "event":
            return f"/components/schemas/{self.operation}"
        body = "requestBody" if self.role == "request" else "responses/200"
        return f"/paths/{self.operation.replace('/', '~1')}/post/{body}/content/application~1json/schema"


INDEX = [Sample(**entry) for entry in json.loads((SAMPLES_DIR / "index.json").read_text("utf-8"))]
SAMPLES = [sample for sample in INDEX if sample.role != "invalid"]
OPERATIONS = sorted({sample.operation for sample in SAMPLES if sample.role != "event"})

# The form of 2022. We never send it, and read its answers with the flat amounts in `.extra`.
LEGACY = {
    "flow-2022.quote.request.json": {
        "/: 'airlinePNR' is a required property",  # not yet invented
        "/: 'carrier' is a required property",
        "/refundRequestList/0: 'refundReason' is a required property",
        "/refundRequestList/1: 'refundReason' is a required property",
    },
    "flow-2022.submit.request.json": {
        "/: 'airlinePNR' is a required property",
        "/: 'carrier' is a required property",
        "/: 'refundRequestList' is a required property",  # now null beside an offer id
    },
    "flow-2022.quote.response.json": {"/: not"},  # a success without what is promised on success today
    "flow-2022.submit.response.json": {"/: not"},
    "flow-2022.webhook.json": {"/data/refundStatus: enum", "/data/refundStatus: type"},  # "2", since 2025 it is 2
}

# Every text field that a repr may show. A name, a PNR, a ticket or voucher number must not get in here.
SHOWN = {
    "RefundQuotationRequest": "orderNo carrier displayCurrency",
    "RefundRequest": "orderNo carrier displayCurrency refundOfferId",
    "QueryRefundOrdersRequest": "refundCode orderNo carrier displayCurrency",
    "RefundSegment": "flightNo depAirport arrAirport",
    "RefundQuotationResponse": "refundOfferId orderNo displayCurrency",
    "ApiRefundApplyResponse": "displayCurrency refundOfferId orderNo refundCode",
    "RefundOrder": "orderNo refundCode displayCurrency refundOfferId",
    "RefundFareAmount": "currency",
    "RefundPostTicketingServiceAmount": "postTicketingOrderNo currency",
    "RefundRule": "airline penaltyAmount airlineFee",
    "RefundVoucher": "airline currency",
    "ServiceFee1": "currency",
    "RefundCompletedNotification": "orderNo currency",
    "RefundCompletedEvent": "type",
}


# ---- the two documents -----------------------------------------------------------------------------------------------
ACTIONS = [action for path in OVERLAYS for action in overlay.load(path)]


@cache
def merged() -> Json:
    return merge(extract(committed_page()))


@cache
def corrected_by(count: int) -> Json:
    """The document after the first `count` actions; not to be changed."""
    return overlay.apply(corrected_by(count - 1), [ACTIONS[count - 1]]) if count else merged()


def corrected() -> Json:
    return corrected_by(len(ACTIONS))


# ---- a specification against the evidence ----------------------------------------------------------------------------
def violations(spec: Json) -> Iterator[str]:
    """Everything in which a specification contradicts what is published, or is not fit to be generated from."""
    try:
        yield from surprises(spec)
        yield from undeclared_members(spec)
        yield from unexpected_reprs(spec)
        yield from requests_written_otherwise(spec)
    except (Unresolvable, LookupError) as error:
        yield f"a published payload has no schema: {error!r}"
    try:
        lint(spec)
    except SpecError as error:
        yield from error.problems


def surprises(spec: Json) -> Iterator[str]:
    """Where the samples break the schema, and where the legacy ones no longer do."""
    for sample in SAMPLES:
        found, expected = schema_errors(spec, sample.pointer, sample.value), LEGACY.get(sample.file, set())
        yield from (f"{sample.file}{problem}" for problem in sorted(found - expected))
        yield from (f"{sample.file}{problem}: not any more" for problem in sorted(expected - found))


def schema_errors(spec: Json, pointer: str, value: object) -> set[str]:
    """How a value breaks a schema of the document, as JSON Schema sees it; nothing of the generator takes part."""
    registry: Registry[Any] = Registry().with_resource("urn:spec", DRAFT4.create_resource(spec))
    validator = OAS30Validator({"$ref": f"urn:spec#{pointer}"}, registry=registry, format_checker=oas30_format_checker)
    return {
        f"/{'/'.join(map(str, e.absolute_path))}: {e.message if e.validator == 'required' else e.validator}"
        for e in validator.iter_errors(value)
    }


def undeclared_members(spec: Json) -> Iterator[str]:
    """Members of today's samples, and of the webhook in both forms, that the schema does not declare."""
    for sample in SAMPLES:
        if sample.file not in LEGACY or sample.role == "event":
            yield from undeclared(spec, at(spec, sample.pointer), sample.value, sample.file)


def undeclared(spec: Json, schema: Json, value: object, where: str) -> Iterator[str]:
    schema = resolved(spec, schema)
    if isinstance(value, list):
        for item in value:
            yield from undeclared(spec, schema.get("items", {}), item, f"{where}[]")
    elif isinstance(value, dict):
        for name, member in value.items():
            if name in schema.get("properties", {}):
                yield from undeclared(spec, schema["properties"][name], member, f"{where}/{name}")
            else:
                yield f"{where}/{name} is not declared"


def unexpected_reprs(spec: Json) -> Iterator[str]:
    found = {(name, field) for name, field, schema in fields(spec) if schema.get("x-plain")}
    expected = {(name, field) for name, members in SHOWN.items() for field in members.split()}
    yield from (f"{name}.{field} would show in a repr" for name, field in sorted(found - expected))
    yield from (f"{name}.{field} would not show in a repr" for name, field in sorted(expected - found))


def fields(spec: Json) -> Iterator[tuple[str, str, Json]]:
    """Every field of every object schema: its schema's name, its own name, its schema."""
    for place, node in nodes(spec):
        if node.get("type") == "object" and isinstance(node.get("properties"), dict):
            name = node.get("title") or place.rsplit("/", 1)[1]
            yield from ((name, field, schema) for field, schema in node["properties"].items())


def requests_written_otherwise(spec: Json) -> Iterator[str]:
    for sample in SAMPLES:
        if sample.role == "request" and sample.file not in LEGACY:
            ours = compact(written(spec, at(spec, sample.pointer), sample.value))
            if ours != compact(sample.value):
                yield f"{sample.file} would be written as {ours}"


def written(spec: Json, schema: Json, value: Any) -> Any:
    """A value as the client writes it: members in the schema's order, the optional ones unless they are null."""
    schema = resolved(spec, schema)
    if isinstance(value, list):
        return [written(spec, schema["items"], item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: written(spec, member, value.get(name))
        for name, member in schema["properties"].items()
        if name in schema["required"] or value.get(name) is not None
    }


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def at(spec: Json, pointer: str) -> Json:
    node: Any = spec
    for key in pointer.split("/")[1:]:
        node = node[key.replace("~1", "/")]
    schema: Json = node
    return schema


def resolved(spec: Json, schema: Json) -> Json:
    """The schema behind a reference, or behind our spelling of a reference that may be null."""
    while "$ref" in schema or "oneOf" in schema:
        schema = at(spec, schema["$ref"][1:]) if "$ref" in schema else schema["oneOf"][0]
    return schema
