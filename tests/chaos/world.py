"""What the fault server knows, and the true answers that follow from it."""

import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

from .faults import Json

OPERATIONS = {  # path: operation
    "/refundQuotation.do": "quote",
    "/refund.do": "submit",
    "/queryRefundOrders.do": "query",
}
People = tuple[tuple[str, str], ...]


def key(order: str, people: People) -> str:
    """One refund: these passengers of this order."""
    return " ".join([order, *sorted(last for last, _ in people)])


class Ledger:
    """What the server received and executed, a line each, only ever appended."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(self, what: str, **more: object) -> None:
        os.write(self._file, (json.dumps({"at": time.time(), "what": what, **more}) + "\n").encode())


@dataclass
class World:
    """What has happened at this Atlas. Every order exists, its number is ORDER and its PNR."""

    ledger: Ledger
    offers: dict[str, tuple[str, People]] = field(default_factory=dict)
    refunds: dict[str, list[Json]] = field(default_factory=dict)
    executed: int = 0

    def offer(self, order: str, people: People) -> Json:
        offer_id = f"q_{len(self.offers):08x}"
        self.offers[offer_id] = order, people
        return offered(order, offer_id, people)

    def exists(self, order: str, people: People) -> bool:
        """Whether one of these passengers has a refund."""
        return any(set(people) & set(refund["people"]) for refund in self.refunds.get(order, []))

    def quote(self, order: str, people: People) -> Json:
        return {"status": 803, "msg": None} if self.exists(order, people) else self.offer(order, people)

    def execute(self, order: str, offer_id: str | None, people: People, *, received: float) -> Json:
        self.executed += 1
        refund = {"code": f"202611-{self.executed:05}", "offer": offer_id, "people": people}
        whose, people = self.offers.get(offer_id or "", (ELSEWHERE if offer_id else order, people))
        self.refunds.setdefault(whose, []).append({**refund, "people": people})
        job = key(order, people)
        self.ledger.note("executed", job=job, offer_of=whose, order=order, received=received, code=refund["code"])
        return {"status": 0, "msg": None, "orderNo": order, "refundCode": refund["code"], "refundStatus": 0}

    def listed(self, order: str, code: str | None) -> Json:
        if code is None and crc32(order.encode()) % 2:
            return {"status": 810, "msg": None}  # as today's page says; the others answer as in 2024
        refunds = [refund for refund in self.refunds.get(order, []) if code in (None, refund["code"])]
        return {"status": 0, "msg": None, "refundOrders": [in_list(order, refund) for refund in refunds]}


def in_list(order: str, refund: Json) -> Json:
    return {
        "orderNo": order,
        "refundCode": refund["code"],
        "refundStatus": 0,
        "refundOfferId": refund["offer"] or "q_made_by_the_submit",
        "refundTickets": tickets(refund["people"]),
    }


def tickets(people: People) -> list[Json]:
    return [{"lastName": last, "firstName": first} for last, first in people]


def offered(order: str, offer_id: str, people: People) -> Json:
    amounts = {"currency": "USD", "originalFareAmount": 45.26, "estimatedRefundAmount": 45.26}
    return {
        "status": 0,
        "msg": None,
        "orderNo": order,
        "isRefundable": True,
        "refundOfferId": offer_id,
        "refundQuoteType": "AccurateQuote",
        "refundTickets": tickets(people),
        "refundFareAmount": amounts,
    }


ELSEWHERE = "ORDER-ELSEWHERE"
THEIRS: Json = {"code": "202611-X", "offer": "q_elsewhere", "people": (("ZHAO", "YIER"), ("QIAN", "ERER"))}
ANOTHER: dict[str, Json] = {
    "quote": offered(ELSEWHERE, "q_elsewhere", THEIRS["people"]),
    "submit": {"status": 0, "msg": None, "orderNo": ELSEWHERE, "refundCode": "202611-X", "refundStatus": 0},
    "query": {"status": 0, "msg": None, "refundOrders": [in_list(ELSEWHERE, THEIRS)]},
}
"""Good answers about another order, as a connection out of step would give them."""
TRAILING = (*ANOTHER.values(), {"status": 0, "refundOrders": []}, {"status": 810, "msg": None})
