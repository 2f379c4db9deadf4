"""The table: one change of the source each, what it is to a client, and the operation that the report names."""

import json
from collections.abc import Callable
from typing import Any

from scripts.changes import Level

from .pages import QUERY, QUOTE, SUBMIT, operation, properties, request, response, schemas

Json = dict[str, Any]
TEXT, FINE, BREAKS, SAME = Level.DOCUMENTATION, Level.COMPATIBLE, Level.BREAKING, Level.SAME
STRING = {"type": "string"}


def rename(document: Json, old: str, new: str) -> None:
    text = json.dumps(document).replace(f'"#/components/schemas/{old}"', f'"#/components/schemas/{new}"')
    document.update(json.loads(text))
    schemas(document)[new] = schemas(document).pop(old)


def header(name: str, **more: Any) -> Json:
    return {"name": name, "in": "header", "schema": STRING, **more}


def renumbered(document: Json) -> None:
    status = properties(document, "RefundOrder")["refundStatus"]
    status["description"] = status["description"].replace("2: ", "9: ").replace("3: ", "2: ").replace("9: ", "3: ")


VARIANTS: list[tuple[str, Level, str, Callable[[Json], object]]] = [
    # ---- text
    ("text of a member", TEXT, QUOTE, lambda d: properties(d, "RefundTicket")["ticketNo"].update(description="New.")),
    ("text of an operation", TEXT, SUBMIT, lambda d: operation(d, SUBMIT).update(summary="New", description="New")),
    (
        "text beside a reference",
        TEXT,
        QUERY,
        lambda d: properties(d, "RefundOrder")["serviceFee"].update(description="New"),
    ),
    ("text with a value more", TEXT, QUERY, renumbered),
    ("title", TEXT, SUBMIT, lambda d: schemas(d)["ApiRefundApplyResponse"].update(title="Refund")),
    ("example", TEXT, QUERY, lambda d: properties(d, "RefundOrder")["orderNo"].update(example="A1")),
    ("deprecated operation", TEXT, QUERY, lambda d: operation(d, QUERY).update(deprecated=True)),
    ("operationId", TEXT, QUERY, lambda d: operation(d, QUERY).update(operationId="query")),
    ("extension", TEXT, QUERY, lambda d: operation(d, QUERY).update({"x-order": 1})),
    ("version of the page", TEXT, "page", lambda d: d["info"].update(version="2.0.0")),
    ("version of OpenAPI", TEXT, "page", lambda d: d.update(openapi="3.0.3")),
    # ---- what is read
    ("read: new member", FINE, QUOTE, lambda d: properties(d, "RefundTicket").update(seat=STRING)),
    ("read: value added to text", BREAKS, QUOTE, lambda d: properties(d, "RefundRule")["ruleType"]["enum"].append("5")),
    (
        "read: value added to numbers",
        BREAKS,
        QUERY,
        lambda d: properties(d, "RefundOrder")["refundStatus"]["enum"].append(7),
    ),
    (
        "read: value false added to 0",
        BREAKS,
        QUOTE,
        lambda d: response(d, QUOTE)["properties"]["fastConfirmation"]["enum"].append(False),
    ),
    ("read: value removed", FINE, QUOTE, lambda d: properties(d, "RefundRule")["passengerType"]["enum"].remove("INF")),
    ("read: values no longer listed", BREAKS, QUOTE, lambda d: properties(d, "RefundRule")["ruleType"].pop("enum")),
    (
        "read: values listed",
        FINE,
        QUERY,
        lambda d: properties(d, "RefundOrder")["refundMethod"].update(enum=["Voucher"]),
    ),
    (
        "read: value added in a list",
        BREAKS,
        QUOTE,
        lambda d: properties(d, "RefundRule")["refundableAncillaries"]["items"]["enum"].append("Seat"),
    ),
    ("read: newly nullable", BREAKS, QUERY, lambda d: properties(d, "RefundOrder")["orderNo"].update(nullable=True)),
    (
        "read: newly nullable reference",
        BREAKS,
        SUBMIT,
        lambda d: properties(d, "ApiRefundApplyResponse")["serviceFee"].update(nullable=True),
    ),
    ("read: no longer nullable", FINE, QUERY, lambda d: properties(d, "RefundOrder")["cancelReason"].pop("nullable")),
    ("read: no longer required", BREAKS, QUERY, lambda d: schemas(d)["RefundOrder"]["required"].remove("refundRules")),
    ("read: newly required", FINE, QUERY, lambda d: schemas(d)["RefundOrder"]["required"].append("cancelReason")),
    (
        "read: required member removed",
        BREAKS,
        QUOTE,
        lambda d: (
            properties(d, "RefundTicket").pop("ticketNo"),
            schemas(d)["RefundTicket"]["required"].remove("ticketNo"),
        ),
    ),
    ("read: optional member removed", BREAKS, QUOTE, lambda d: properties(d, "RefundRule").pop("airlineFee")),
    (
        "read: member renamed",
        BREAKS,
        QUERY,
        lambda d: properties(d, "RefundOrder").update(status2=properties(d, "RefundOrder").pop("cancelReason")),
    ),
    (
        "read: text becomes a number",
        BREAKS,
        QUOTE,
        lambda d: properties(d, "RefundRule")["penaltyAmount"].update(type="number"),
    ),
    (
        "read: integer becomes a number",
        BREAKS,
        QUOTE,
        lambda d: properties(d, "RefundRule")["startMinute"].update(type="number"),
    ),
    (
        "read: object becomes a list",
        BREAKS,
        QUOTE,
        lambda d: response(d, QUOTE)["properties"].update(
            refundFareAmount={"type": "array", "items": {"$ref": "#/components/schemas/RefundFareAmount"}}
        ),
    ),
    (
        "read: a list of something else",
        BREAKS,
        QUOTE,
        lambda d: response(d, QUOTE)["properties"]["refundTickets"].update(items=STRING),
    ),
    (
        "read: another component",
        BREAKS,
        QUOTE,
        lambda d: response(d, QUOTE)["properties"]["refundTickets"]["items"].update(
            {"$ref": "#/components/schemas/RefundRule"}
        ),
    ),
    (
        "read: longer text",
        BREAKS,
        QUERY,
        lambda d: (
            properties(d, "RefundOrder")["orderNo"].update(minLength=1)
            or properties(d, "RefundOrder")["orderNo"].update(format="uuid")
        ),
    ),
    (
        "read: new answer",
        FINE,
        SUBMIT,
        lambda d: operation(d, SUBMIT)["responses"].update({"400": {"description": "bad"}}),
    ),
    (
        "read: answer removed",
        BREAKS,
        SUBMIT,
        lambda d: operation(d, SUBMIT).update(responses={"default": operation(d, SUBMIT)["responses"]["200"]}),
    ),
    (
        "read: another media type",
        BREAKS,
        SUBMIT,
        lambda d: operation(d, SUBMIT)["responses"]["200"].update(content={"application/xml": {}}),
    ),
    # ---- what is sent
    ("sent: new member", FINE, SUBMIT, lambda d: request(d, SUBMIT)["properties"].update(cid=STRING)),
    (
        "sent: new required member",
        BREAKS,
        SUBMIT,
        lambda d: (request(d, SUBMIT)["properties"].update(cid=STRING), request(d, SUBMIT)["required"].append("cid")),
    ),
    ("sent: newly required", BREAKS, SUBMIT, lambda d: request(d, SUBMIT)["required"].append("refundRequestList")),
    ("sent: no longer required", FINE, QUERY, lambda d: request(d, QUERY)["required"].remove("refundCode")),
    (
        "sent: value removed",
        BREAKS,
        QUOTE,
        lambda d: properties(d, "RefundPaxSegments")["refundReason"]["enum"].remove("4"),
    ),
    (
        "sent: value added",
        FINE,
        QUOTE,
        lambda d: properties(d, "RefundPaxSegments")["refundReason"]["enum"].append("2"),
    ),
    ("sent: values listed", BREAKS, QUERY, lambda d: request(d, QUERY)["properties"]["carrier"].update(enum=["G9"])),
    ("sent: member removed", BREAKS, SUBMIT, lambda d: request(d, SUBMIT)["properties"].pop("displayCurrency")),
    ("sent: no longer nullable", BREAKS, SUBMIT, lambda d: request(d, SUBMIT)["properties"]["orderNo"].pop("nullable")),
    (
        "sent: newly nullable",
        FINE,
        QUERY,
        lambda d: request(d, QUERY)["properties"]["refundCode"].update(nullable=True),
    ),
    ("sent: another format", BREAKS, QUOTE, lambda d: properties(d, "RefundSegment")["depDate"].pop("format")),
    ("sent: a pattern", BREAKS, QUOTE, lambda d: properties(d, "RefundSegment")["flightNo"].update(pattern="^[A-Z]+$")),
    ("sent: a limit", BREAKS, QUOTE, lambda d: request(d, QUOTE)["properties"]["refundRequestList"].update(maxItems=9)),
    ("sent: a type", BREAKS, QUERY, lambda d: request(d, QUERY)["properties"]["orderNo"].update(type="integer")),
    ("sent: nothing else allowed", BREAKS, QUERY, lambda d: request(d, QUERY).update(additionalProperties=False)),
    ("sent: body required", BREAKS, SUBMIT, lambda d: operation(d, SUBMIT)["requestBody"].update(required=True)),
    ("sent: no body", BREAKS, SUBMIT, lambda d: operation(d, SUBMIT).pop("requestBody")),
    (
        "sent: another media type",
        BREAKS,
        SUBMIT,
        lambda d: operation(d, SUBMIT)["requestBody"].update(content={"text/xml": {}}),
    ),
    (
        "sent: required header",
        BREAKS,
        SUBMIT,
        lambda d: operation(d, SUBMIT)["parameters"].append(header("x-atlas-sign", required=True)),
    ),
    (
        "sent: required header for the path",
        BREAKS,
        SUBMIT,
        lambda d: d["paths"][SUBMIT].update(parameters=[header("x-atlas-sign", required=True)]),
    ),
    ("sent: optional header", FINE, SUBMIT, lambda d: operation(d, SUBMIT)["parameters"].append(header("x-trace"))),
    ("sent: credential dropped", BREAKS, SUBMIT, lambda d: operation(d, SUBMIT)["parameters"].pop()),
    ("sent: Accept dropped", FINE, SUBMIT, lambda d: operation(d, SUBMIT)["parameters"].pop(0)),
    # ---- operations and the document
    ("new operation", FINE, "/refundCancel.do", lambda d: d["paths"].update({"/refundCancel.do": d["paths"][SUBMIT]})),
    ("operation removed", BREAKS, QUERY, lambda d: d["paths"].pop(QUERY)),
    ("operation under another path", BREAKS, QUERY, lambda d: d["paths"].update({"/query.do": d["paths"].pop(QUERY)})),
    ("another method", BREAKS, QUERY, lambda d: d["paths"][QUERY].update(get=d["paths"][QUERY].pop("post"))),
    ("servers", BREAKS, "page", lambda d: d.update(servers=[{"url": "https://example.com"}])),
    ("security", BREAKS, SUBMIT, lambda d: operation(d, SUBMIT).update(security=[{"key": []}])),
    ("component renamed", FINE, QUERY, lambda d: rename(d, "ServiceFee1", "ServiceFee")),
    ("a keyword that nobody knows", BREAKS, QUERY, lambda d: schemas(d)["RefundOrder"].update(contains=STRING)),
    # ---- no drift
    (
        "order of members",
        SAME,
        "",
        lambda d: schemas(d)["RefundTicket"].update(properties=dict(reversed(properties(d, "RefundTicket").items()))),
    ),
    ("order of required", SAME, "", lambda d: schemas(d)["RefundOrder"]["required"].reverse()),
    ("order of values", SAME, "", lambda d: properties(d, "RefundOrder")["refundStatus"]["enum"].reverse()),
    ("order of headers", SAME, "", lambda d: operation(d, SUBMIT)["parameters"].reverse()),
    ("case of a header", SAME, "", lambda d: operation(d, SUBMIT)["parameters"][0].update(name="ACCEPT")),
    ("a default written out", SAME, "", lambda d: properties(d, "RefundOrder")["orderNo"].update(nullable=False)),
]
