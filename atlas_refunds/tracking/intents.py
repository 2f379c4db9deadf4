"""What to submit, as text for the database. It holds passenger names: never for a log."""

import json
from datetime import date
from typing import Any

from atlas_refunds_api.models import RefundPassenger, RefundReason, RefundSegment

from ..calls import Submission
from ..orders import order_ref, wire_keys


def intent_text(subject: Submission) -> str:
    """A submission as one line of JSON."""
    return json.dumps(
        {
            "order": wire_keys(subject.order),
            "offer_id": subject.offer_id,
            "display_currency": subject.display_currency,
            "fast": subject.fast,
            "passengers": [person.to_dict() for person in subject.passengers],
        }
    )


def intent_of(text: str) -> Submission:
    """The submission that `intent_text` wrote."""
    data = json.loads(text)
    return Submission(
        order=order_ref(**data["order"]),
        offer_id=data["offer_id"],
        passengers=tuple(_passenger(person) for person in data["passengers"]),
        display_currency=data["display_currency"],
        fast=data["fast"],
    )


def _passenger(data: dict[str, Any]) -> RefundPassenger:
    segments = [
        RefundSegment(
            dep_date=date.fromisoformat(segment["depDate"]),
            flight_no=segment["flightNo"],
            dep_airport=segment["depAirport"],
            arr_airport=segment["arrAirport"],
        )
        for segment in data["segments"]
    ]
    reason = RefundReason(data["refundReason"])
    return RefundPassenger(
        last_name=data["lastName"], first_name=data["firstName"], refund_reason=reason, segments=segments
    )
