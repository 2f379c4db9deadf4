"""May this be refunded? Pure checks of a request against the booking and what is already refunded."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from .codes import Refused
from .faults import FAULTS
from .requests import VOID, OrderKey, PassengerRequest
from .scenarios import Passenger, Scenario, split_order_no


def find_order(scenarios: Mapping[str, Scenario], key: OrderKey) -> Scenario:
    """801: unknown to the refund side."""
    if key.order_no is not None:
        name, fault = split_order_no(key.order_no)
        if (scenario := scenarios.get(name)) and (not fault or fault in FAULTS):
            return replace(scenario, order_no=key.order_no)
    else:
        for scenario in scenarios.values():
            if (scenario.pnr, scenario.carrier) == (key.pnr, key.carrier):
                return scenario
    raise Refused(801)


def match_passengers(scenario: Scenario, requested: Iterable[PassengerRequest]) -> tuple[Passenger, ...]:
    """807: nobody of that last name; 812: somebody, but not this one. Names have to equal the booking."""
    booked = {(passenger.last_name, passenger.first_name): passenger for passenger in scenario.passengers}
    last_names = {passenger.last_name for passenger in scenario.passengers}
    names = [(request.last_name, request.first_name) for request in requested]
    for name in names:
        if name not in booked:
            raise Refused(812 if name[0] in last_names else 807)
    if len(set(names)) < len(names):
        raise Refused(810, "a passenger is named twice")
    return tuple(passenger for name, passenger in booked.items() if name in names)


def check_segments(scenario: Scenario, requested: Collection[PassengerRequest]) -> None:
    """8041: a segment of another trip; 811: less than the whole itinerary, for any passenger."""
    booked = set(scenario.segments)
    if any(not booked.issuperset(request.segments) for request in requested):
        raise Refused(8041)
    if any(not booked.issubset(request.segments) for request in requested):
        raise Refused(811)


def check_child(scenario: Scenario, leaving: Collection[Passenger], gone: Collection[Passenger]) -> None:
    """802: a child would travel on without an adult."""
    staying = {passenger.type for passenger in scenario.passengers if passenger not in {*leaving, *gone}}
    if staying == {"CHD"}:
        raise Refused(802)


def check_void(scenario: Scenario, leaving: Collection[Passenger]) -> None:
    """823: a void is for whole orders only."""
    if set(leaving) != set(scenario.passengers):
        raise Refused(823)


def reason_of(requested: Iterable[PassengerRequest]) -> str:
    """A refund has one reason: void if anybody asks for one, else that of the first passenger."""
    reasons = [request.reason for request in requested]
    return VOID if VOID in reasons else reasons[0]
