"""Passengers as they come in, as the SDK wants them, and as they are kept until a quote is settled."""

from datetime import date

from pydantic import BaseModel, Field, TypeAdapter

from atlas_refunds import RefundPassenger, RefundReason, RefundSegment


class Segment(BaseModel):
    """As booked, such as 2030-06-15, U22437, LTN, CDG."""

    dep_date: date
    flight_no: str = Field(pattern=r"^[A-Z0-9]{2}[0-9]{1,4}[A-Z]?$")
    dep_airport: str = Field(pattern=r"^[A-Z]{3}$")
    arr_airport: str = Field(pattern=r"^[A-Z]{3}$")


class Passenger(BaseModel):
    """Names exactly as booked, and every segment of the itinerary."""

    last_name: str = Field(min_length=1, max_length=64)
    first_name: str = Field(min_length=1, max_length=64)
    voluntary: bool = True
    segments: list[Segment] = Field(min_length=1, max_length=16)

    def for_atlas(self) -> RefundPassenger:
        return RefundPassenger(
            last_name=self.last_name,
            first_name=self.first_name,
            refund_reason=RefundReason.VOLUNTARY if self.voluntary else RefundReason.INVOLUNTARY,
            segments=[RefundSegment(**segment.model_dump()) for segment in self.segments],
        )


People = TypeAdapter(list[Passenger])


def passengers_from(kept: str) -> tuple[RefundPassenger, ...]:
    return tuple(person.for_atlas() for person in People.validate_json(kept or "[]"))
