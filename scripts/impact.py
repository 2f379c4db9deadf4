"""Which names that users of the SDK know a change touches.

The two tables are about atlas_refunds; a test compares them with it.
"""

import re
from typing import Any, Final, NamedTuple

import yaml

from .changes import Finding
from .generate import OPENAPI
from .grammar import Json

# The methods that call an operation.
METHODS: Final = {
    "/refundQuotation.do": ("quote",),
    "/refund.do": ("submit",),
    "/queryRefundOrders.do": ("query", "get", "wait", "watch", "confirm", "reconcile"),
}
# Generated classes whose public name is another one; an empty name: callers never see it.
PUBLIC: Final = {
    "RefundQuotationResponse": "RefundQuote",
    "RefundResponse": "Refund",
    "RefundOrder": "RefundState",
    "QueryRefundOrdersResponse": "",
}
ENUM_KINDS: Final = {"value added", "value removed", "values open", "values listed", "meaning"}


class Names(NamedTuple):
    """What the names of classes come from."""

    corrected: Json
    overrides: dict[str, str]


def names(corrected: Json) -> Names:
    config = yaml.safe_load((OPENAPI / "generator.yaml").read_text("utf-8"))
    return Names(corrected, {name: override["class_name"] for name, override in config["class_overrides"].items()})


def affected(finding: Finding, known: Names) -> tuple[str, ...]:
    """The methods, the model or its attribute, and the enum; nothing for an operation that the SDK does not offer."""
    method, _, path = finding.place.operation.partition(" ")
    touched = [f"AtlasRefunds.{name}" for name in METHODS.get(path, ())]
    schema = described(finding, known.corrected, path, method.lower())
    owner = finding.place.owner if finding.place.owner not in ("request", "response") else schema.get("title", "")
    generated = known.overrides.get(owner, owner)
    model = "" if finding.place.owner == "request" else PUBLIC.get(generated, generated)
    if model and touched:
        touched.append(f"{model}.{attribute(finding.place.member)}" if finding.place.member else model)
    value = schema.get("properties", {}).get(finding.place.member, {})
    listed: Json = next((part for part in (value, value.get("items", {})) if "enum" in part), {})
    if finding.kind in ENUM_KINDS and "title" in listed:
        touched.append(listed["title"])
    return tuple(touched)


def described(finding: Finding, corrected: Json, path: str, method: str) -> Json:
    """The corrected schema that owns the changed member; empty when there is none."""
    operation = corrected["paths"].get(path, {}).get(method, {})
    bodies = {
        "request": operation.get("requestBody", {}),
        "response": operation.get("responses", {}).get("200", {}),
    }
    if finding.place.owner not in bodies:
        schema: Any = corrected["components"]["schemas"].get(finding.place.owner, {})
    else:
        schema = bodies[finding.place.owner].get("content", {}).get("application/json", {}).get("schema", {})
    return schema if isinstance(schema, dict) else {}


def attribute(name: str) -> str:
    """refundOrders -> refund_orders"""
    return "_".join(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split())
