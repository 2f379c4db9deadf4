"""The generated classes by kind, valid instances of those that are sent, and what the specification says of fields."""

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import attrs
from atlas_refunds_api import models
from atlas_refunds_api.models import (
    QueryRefundOrdersRequest,
    RefundPassenger,
    RefundQuotationRequest,
    RefundReason,
    RefundRequest,
    RefundSegment,
)
from atlas_refunds_api.types import OpenEnum, Received

SentModel: TypeAlias = (
    RefundSegment | RefundPassenger | RefundQuotationRequest | RefundRequest | QueryRefundOrdersRequest
)

OPENAPI = Path(__file__).parents[2] / "openapi"
SPECIFICATION: dict[str, Any] = json.loads((OPENAPI / "corrected.json").read_text("utf-8"))

CLASSES: list[type[Any]] = [getattr(models, name) for name in models.__all__]
ENUMS: list[type[OpenEnum]] = [c for c in CLASSES if issubclass(c, OpenEnum)]
RECEIVED: list[type[Received]] = [c for c in CLASSES if issubclass(c, Received)]
SENT: list[type[Any]] = [c for c in CLASSES if attrs.has(c) and not issubclass(c, Received)]

# Where the class is not named as the schema: openapi/generator.yaml.
RENAMED = {
    "ApiRefundApplyResponse": "RefundResponse",
    "RefundPaxSegments": "RefundPassenger",
    "ServiceFee1": "ServiceFee",
}

# ---- instances that can be sent: those of the published requests ---------------------------------------------------
segment = RefundSegment(dep_date=datetime.date(2025, 5, 13), flight_no="U22437", dep_airport="LTN", arr_airport="CDG")
zhao, qian = (
    RefundPassenger(last_name=last, first_name=first, segments=[segment], refund_reason=RefundReason.VOLUNTARY)
    for last, first in (("ZHAO", "YIER"), ("QIAN", "ERER"))
)
quote = RefundQuotationRequest(
    order_no="TESTA20250512100600259",
    airline_pnr=None,
    carrier=None,
    display_currency="EUR",
    refund_request_list=[zhao, qian],
)
submit = RefundRequest(
    order_no="TESTA20240725164512131",
    airline_pnr=None,
    carrier=None,
    display_currency="EUR",
    refund_offer_id="q_a86cd9c605c04f9cb3890ca3b037b254",
    refund_request_list=None,
)
query = QueryRefundOrdersRequest(
    refund_code="202505-0013",
    order_no="TESTA20250512100600259",
    airline_pnr=None,
    carrier=None,
    display_currency="EUR",
)
SENDABLE: list[SentModel] = [segment, zhao, quote, submit, query]


def sample(name: str) -> bytes:
    return (OPENAPI / "samples" / name).read_bytes()


def fields(node: Any = SPECIFICATION, name: str = "") -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every field of every object schema: the class, the wire name, the schema."""
    if isinstance(node, list):
        for child in node:
            yield from fields(child)
    elif isinstance(node, dict):
        if node.get("type") == "object" and isinstance(node.get("properties"), dict):
            title: str = node.get("title", name)
            yield from ((RENAMED.get(title, title), field, schema) for field, schema in node["properties"].items())
        for key, child in node.items():
            yield from fields(child, key)


def is_text(schema: dict[str, Any]) -> bool:
    return schema.get("type") == "string" and "enum" not in schema and schema.get("format") != "yyyymmdd"


def remade(model: SentModel, **change: Any) -> Any:
    """attrs.evolve with values of any type."""
    return type(model)(**{f.name: getattr(model, f.name) for f in attrs.fields(type(model))} | change)
