"""What Atlas' webhook says about a refund, in each shape that was published or seen, and what others might send.

Source: the 2022 flow page (enveloped), the 2025 webhook page (flat), today's envelope of other events (current).
"""

import json
from collections.abc import Callable
from hashlib import blake2b
from typing import Literal

from .amounts import fare, penalty, refundable, service_fee
from .ledger import Refund
from .lifecycle import CLOSED_WITHOUT_REFUND
from .money import CURRENCY, json_number
from .requests import Json

Forgery = Literal["another status", "another order", "another event", "no JSON"]
EVENT, CID = "order.refundComplete", "SIMULATOR"


def claims(refund: Refund, status: int) -> Json:
    """Member for member as published; final is not net of the fee, so that the totals do not add up there either."""
    offer = refund.offer
    return {
        "orderNo": offer.scenario.order_no,
        "currency": CURRENCY,
        "originalTotalFare": fare(offer),
        "originalTotalAncillaryAmount": 0,
        "originalTotalAmount": fare(offer),
        "airlinePenaltyAmountForFare": penalty(offer),
        "airlinePenaltyAmountForAncillaries": 0,
        "airlinePenaltyAmount": penalty(offer),
        "finalRefundAmount": 0 if status in CLOSED_WITHOUT_REFUND else refundable(offer),
        "transactionFee": service_fee(offer),
        "refundStatus": status,
    }


def _enveloped(data: Json, _: str) -> Json:
    return {"cid": CID, "type": EVENT, "data": {**data, "refundStatus": str(data["refundStatus"])}}


def _flat(data: Json, _: str) -> Json:
    return {"cid": CID, **data}


def _current(data: Json, identifier: str) -> Json:
    return {"cid": CID, "type": EVENT, "status": -1, "notificationId": identifier, "data": data}


SHAPES: dict[str, Callable[[Json, str], Json]] = {"enveloped": _enveloped, "flat": _flat, "current": _current}


def body(refund: Refund, status: int, shape: str) -> bytes:
    """The same bytes for the same change of the same refund, as a repeated delivery has them."""
    identifier = blake2b(f"{refund.code}:{status}".encode(), digest_size=16).hexdigest()
    return _encoded(SHAPES[shape](claims(refund, status), identifier))


def forged(refund: Refund, status: int, shape: str, kind: Forgery) -> bytes:
    """What somebody sends who has learned the address."""
    match kind:
        case "another status":  # money where there is none, none where there is some
            return body(refund, 4 if status == 2 else 2, shape)
        case "another order":
            return _encoded({**claims(refund, 2), "orderNo": "NOBODYS-ORDER"})
        case "another event":
            data = {"orderNo": refund.offer.scenario.order_no, "orderStatus": 2}
            return _encoded({"cid": CID, "type": "order.ticketed", "status": -1, "data": data})
        case "no JSON":
            return b"refundStatus=2"


def _encoded(notice: Json) -> bytes:
    return json.dumps(notice, default=json_number).encode()
