"""What the fault server can say: a table, each row an answer, and when Atlas can give it.

A submit is executed now, later or never; for a quote or a query, a refund of these passengers exists, or none does. A
lie that no caller can see through has no row: an executed refund is never answered with a plain refusal, or with a good
new quote. How the bytes of an answer come through is in `lines.py`.
"""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .lines import SENDS, WHOLE, Reply, Sends

Json = dict[str, Any]


class When(Enum):
    """What is true when an answer is given."""

    NOW = "executed"
    LATER = "executed later"
    NEVER = "not executed"
    EXISTS = "a refund exists"
    FREE = "no refund exists"


NOW, LATER, NEVER, EXISTS, FREE = When
FATES, ANY = frozenset({NOW, LATER, NEVER}), frozenset(When)


@dataclass(frozen=True)
class Truth:
    """The true answer, and the same answer about another order."""

    body: Json
    another: Json


@dataclass(frozen=True)
class Says:
    name: str
    when: frozenset[When]
    reply: Callable[[Truth], Reply]


def as_json(body: object, status: int = 200) -> Reply:
    return Reply(json.dumps(body).encode(), status)


def plain(truth: Truth) -> Reply:
    return as_json(truth.body)


def fixed(reply: Reply) -> Callable[[Truth], Reply]:
    return lambda _: reply


def code(number: int, **more: object) -> Callable[[Truth], Reply]:
    return fixed(as_json({"status": number, "msg": None, **more}))


def html(status: int, *headers: str) -> Callable[[Truth], Reply]:
    return fixed(Reply(b"<html><body>A gateway speaks</body></html>", status, ("Content-Type: text/html", *headers)))


def changed(**members: object) -> Callable[[Truth], Reply]:
    """The truth with other members; None takes one away."""

    def reply(truth: Truth) -> Reply:
        mixed = {**truth.body, **members}
        return as_json({name: value for name, value in mixed.items() if value is not None})

    return reply


def listed(change: Callable[[Json], Json], times: int = 1) -> Callable[[Truth], Reply]:
    """The true list with each refund in it changed, or standing there several times."""

    def reply(truth: Truth) -> Reply:
        items = [change(item) for item in truth.body.get("refundOrders", [])]
        return as_json({**truth.body, "refundOrders": items * times})

    return reply


def success_under(status: int) -> Callable[[Truth], Reply]:
    return lambda truth: as_json(truth.body, status)


def said_twice(number: int) -> Callable[[Truth], Reply]:
    """Two statuses in one object: that of the truth comes second."""
    return lambda truth: Reply(b'{"status": %d, "msg": null, ' % number + json.dumps(truth.body).encode()[1:])


def odd_names(item: Json) -> Json:
    tickets = [
        {"lastName": f" {ticket['lastName'].lower()}", "firstName": ticket["firstName"].title()}
        for ticket in item["refundTickets"]
    ]
    return {**item, "refundTickets": tickets}


YEARS = "Retry-After: 999999999"
LIMIT = {"code": 429, "message": "slow down", "limitType": "minute", "limit": 1, "retryAfter": 2}
GHOST = b'"refundCode": "202611-0000"'  # the code of no refund

UNREADABLE = (
    *(Says(f"code {number}", ANY, code(number)) for number in (2, -1, 9999, 813, 899)),
    *(Says(f"HTTP {status}", ANY, html(status)) for status in (200, 408, 500, 502, 503, 504, 522)),
    Says("HTTP 302", ANY, html(302, "Location: /elsewhere.do")),
    Says("empty", ANY, fixed(Reply(b""))),
    Says("null", ANY, fixed(Reply(b"null"))),
    Says("no object", ANY, fixed(Reply(b"[]"))),
    Says("no status", ANY, fixed(Reply(b'{"msg": "success"}'))),
    Says("true for a status", ANY, fixed(Reply(b'{"status": true}'))),
    Says("status of 5,000 digits", ANY, fixed(Reply(b'{"status": %s}' % (b"7" * 5000)))),
    Says("status without a number", ANY, fixed(Reply(b'{"status": NaN}'))),
    Says("50,000 brackets", ANY, fixed(Reply(b'{"status": ' + b"[" * 50_000))),
    Says("a code in what cannot be read", ANY, fixed(Reply(b"<p>{" + GHOST + b"}</p>"))),
    Says("a code in half a refusal", ANY, fixed(Reply(b'{"status": 805, ' + GHOST + b', "msg'))),
    Says("UTF-16", ANY, lambda truth: Reply(json.dumps(truth.body).encode("utf-16"))),
)
"""Fits everything, and proves nothing."""

PASSING = (
    *(Says(f"code {number}", frozenset({EXISTS, FREE}), code(number)) for number in (900, 902, 905, 809, 107)),
    Says("HTTP 429", frozenset({NEVER, EXISTS, FREE}), html(429)),
    Says("HTTP 429 for years", frozenset({NEVER, EXISTS, FREE}), html(429, YEARS)),
    Says("limit of another shape", frozenset({NEVER, EXISTS, FREE}), fixed(as_json(LIMIT, 429))),
)

REFUSED = (801, 802, 804, 805, 807, 808, 809, 810, 811, 812, 815, 820, 821, 824, 100, 107, 900, 902)
FORBIDDEN = (400, 401, 403, 404, 405, 413, 415)

SUBMIT = (
    Says("plain", frozenset({NOW}), plain),
    Says("without a refund code", frozenset({NOW}), changed(refundCode=None)),
    Says("another order's number", frozenset({NOW}), changed(orderNo="ORDER0")),
    *(Says(f"code {number}", frozenset({NEVER}), code(number, refundOfferId="q_no")) for number in REFUSED),
    *(Says(f"HTTP {status}", frozenset({NEVER}), html(status)) for status in FORBIDDEN),
    *(Says(f"code {number}: repeated on its way", frozenset({NOW}), code(number)) for number in (803, 816, 817, 818)),
    *(Says(f"code {number}", FATES, code(number)) for number in (814, 905)),
    *(
        Says(f"success under HTTP {status}", frozenset({NOW}), success_under(status))
        for status in (400, 401, 403, 404, 405, 409, 429, 500)
    ),
    Says("status said twice", frozenset({NOW}), said_twice(805)),
    Says("status said twice", FATES, fixed(Reply(b'{"status": 0, "status": 805, "msg": null}'))),
    *UNREADABLE,
    *PASSING,
)

QUOTE = (
    Says("plain", frozenset({FREE, EXISTS}), plain),
    *(Says(f"code {number}", frozenset({EXISTS}), code(number)) for number in (816, 817, 818)),
    *(Says(f"code {number}", frozenset({EXISTS, FREE}), code(number)) for number in (814, 811, 821)),
    Says("not refundable", ANY, code(0, isRefundable=False, refundOfferId="q_no", estimatedRefundAmount=0)),
    Says("status alone", ANY, fixed(Reply(b'{"status": 0}'))),
    Says("an offer and no order", frozenset({EXISTS}), code(0, isRefundable=True, refundOfferId="q_no")),
    Says("an offer and no order", frozenset({FREE}), changed(orderNo=None)),
    Says("no offer", frozenset({FREE}), changed(refundOfferId=None)),
    Says("another order's quote", ANY, lambda truth: as_json(truth.another)),
    Says("status said twice", frozenset({FREE}), said_twice(803)),
    Says(
        "status said twice",
        frozenset({EXISTS}),
        lambda truth: Reply(b'{"status": 803, ' + json.dumps(truth.another).encode()[1:]),
    ),
    *UNREADABLE,
    *PASSING,
)

QUERY = (
    Says("plain", frozenset({FREE, EXISTS}), plain),
    Says("empty list", ANY, code(0, refundOrders=[])),
    Says("null for a list", ANY, code(0, refundOrders=None)),
    Says("no list", ANY, code(0)),
    *(Says(f"wants a code: {number}", ANY, code(number)) for number in (810, 100, 901)),
    Says("names in other letters", ANY, listed(odd_names)),
    Says("no offer id", ANY, listed(lambda item: {**item, "refundOfferId": None})),
    Says("offer id in capitals", ANY, listed(lambda item: {**item, "refundOfferId": item["refundOfferId"].upper()})),
    Says("unknown status", ANY, listed(lambda item: {**item, "refundStatus": 77})),
    Says("rejected", ANY, listed(lambda item: {**item, "refundStatus": 4})),
    Says("no tickets, no offer", ANY, listed(lambda item: {**item, "refundTickets": [], "refundOfferId": None})),
    Says("each refund twice", ANY, listed(dict, times=2)),
    Says("another order's list", ANY, lambda truth: as_json(truth.another)),
    Says("list said twice", ANY, lambda truth: Reply(json.dumps(truth.body).encode()[:-1] + b', "refundOrders": []}')),
    *(Says(f"code {number}", ANY, code(number)) for number in (801, 811, 814)),
    *UNREADABLE,
    *PASSING,
)

SAYS: Mapping[str, tuple[Says, ...]] = {"submit": SUBMIT, "quote": QUOTE, "query": QUERY}


@dataclass(frozen=True)
class Plan:
    """What is done with one request."""

    when: When
    says: Says
    sends: Sends


def habit(operation: str, state: When, rate: float, chance: random.Random) -> Says:
    """What an order is always answered while this is true, but for passing faults: `chance` is the order's own.

    A lie that is told once does no harm to who looks again. New quotes and submits have no habits: nothing would come
    to its end.
    """
    rows = [row for row in SAYS[operation] if state in row.when]
    has_one = operation == "query" or (operation == "quote" and state is EXISTS)
    return chance.choice(rows) if has_one and chance.random() < rate else SAYS[operation][0]


def plan(operation: str, state: When, usual: Says, rate: float, chance: random.Random) -> Plan:
    """`state` is what is true of the order; the fate of a submit is decided here. `rate` is the share of faults."""
    possible = FATES if operation == "submit" else frozenset({state})
    when, says, sends = NOW if operation == "submit" else state, usual, WHOLE
    if chance.random() < rate:
        part = chance.random()
        if part < 0.7:
            says = chance.choice([row for row in SAYS[operation] if row.when & possible])
            when = chance.choice([fate for fate in When if fate in says.when & possible])
        if part >= 0.5:
            sends = chance.choice(SENDS)
            if sends.mute:
                when = chance.choice([fate for fate in When if fate in possible])
    return Plan(when, says, sends)
