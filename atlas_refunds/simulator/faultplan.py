"""Which call meets which fault: by request header `x-simulator-fault`, by order number, or by chance with a seed, in
this order."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import cast, get_args

from .faults import FAULTS, Fault, fault_named
from .requests import Json
from .scenarios import Operation, split_order_no

OPERATIONS: tuple[Operation, ...] = get_args(Operation)
LONGEST_DELAY = 600.0

Rates = Mapping[Operation, Mapping[str, float]]
"""Per operation, the share of its calls that meet each fault: {"submit": {"lost_answer": 0.1}}."""


@dataclass(frozen=True)
class Settings:
    seed: int = 0
    delay_seconds: float = 0.2
    rates: Rates = field(default_factory=dict[Operation, Mapping[str, float]])


@dataclass(frozen=True)
class Meeting:
    """A call meets a fault."""

    fault: Fault
    delay_seconds: float


class FaultPlan:
    """`simulator.faults`: what `/_simulator/faults` reads and sets."""

    def __init__(self) -> None:
        self.resets = 0
        self.reset()

    def reset(self) -> None:
        """As just started. Whatever is still under way does not arrive any more."""
        self.resets += 1
        self._met_by_order: set[str] = set()
        self._begin(Settings())

    def set(self, *, seed: int = 0, delay_seconds: float = 0.2, rates: Rates | None = None) -> None:
        """Instead of what was set before, counting from zero; without rates there are no faults by chance."""
        self.load({"seed": seed, "delay_seconds": delay_seconds, "rates": rates or {}})

    def load(self, wanted: object) -> None:
        """The same from JSON: {"seed": 7, "delay_seconds": 0.2, "rates": {"submit": {"lost_answer": 0.1}}}."""
        self._begin(parse_settings(wanted))

    def _begin(self, settings: Settings) -> None:
        self.settings = settings
        self._calls: Counter[Operation] = Counter()
        self._played: dict[Operation, Counter[str]] = {operation: Counter() for operation in OPERATIONS}

    @property
    def played(self) -> dict[Operation, dict[str, int]]:
        return {operation: dict(self._played[operation]) for operation in OPERATIONS}

    def describe(self) -> Json:
        settings = self.settings
        return {
            "seed": settings.seed,
            "delay_seconds": settings.delay_seconds,
            "rates": settings.rates,
            "calls": {operation: self._calls[operation] for operation in OPERATIONS},
            "played": self.played,
            "faults": {fault.name: {"about": fault.about, "executed": fault.executed} for fault in FAULTS.values()},
        }

    def meet(self, operation: Operation, order_no: str | None, header: str | None) -> Meeting | None:
        """What this call, the next one of its operation, meets."""
        meeting = (
            by_header(header, operation, self.settings)
            or self._by_order(operation, order_no)
            or by_chance(operation, self._calls[operation], self.settings)
        )
        self._calls[operation] += 1
        if meeting:
            self._played[operation][meeting.fault.name] += 1
        return meeting

    def _by_order(self, operation: Operation, order_no: str | None) -> Meeting | None:
        """The first submission only, so that the procedure after an unclear outcome can be played to its end."""
        if operation != "submit" or order_no is None or order_no in self._met_by_order:
            return None
        fault = FAULTS.get(split_order_no(order_no)[1])
        if fault is None:
            return None
        self._met_by_order.add(order_no)
        return Meeting(fault, self.settings.delay_seconds)


def by_header(header: str | None, operation: Operation, settings: Settings) -> Meeting | None:
    """`lost_answer`, `delayed;delay=0.05` or `lost_answer;operation=submit`."""
    if header is None:
        return None
    name, *parameters = (part.strip() for part in header.split(";"))
    fault, delay, concerned = fault_named(name), settings.delay_seconds, operation
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        match key:
            case "delay":
                delay = _delay(_seconds(value))
            case "operation":
                concerned = _operation(value)
            case _:
                raise ValueError(f"unknown: {parameter}; after the fault come delay=SECONDS and operation=NAME")
    return Meeting(fault, delay) if concerned == operation else None


def by_chance(operation: Operation, number: int, settings: Settings) -> Meeting | None:
    """Its own draw for every call, so that neither other operations nor other rates change it."""
    digest = blake2b(f"{settings.seed}:{operation}:{number}".encode(), digest_size=8).digest()
    left = int.from_bytes(digest, "big") / 2**64
    rates = settings.rates.get(operation, {})
    for fault in FAULTS.values():
        left -= rates.get(fault.name, 0)
        if left < 0:
            return Meeting(fault, settings.delay_seconds)
    return None


def parse_settings(wanted: object) -> Settings:
    """ValueError with one sentence about the first thing that is wrong."""
    members = _object(wanted, "the whole")
    if unknown := members.keys() - {"seed", "delay_seconds", "rates"}:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}; known are seed, delay_seconds, rates")
    seed = members.get("seed", 0)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ValueError("seed is not an integer")
    delay = _delay(members.get("delay_seconds", 0.2))
    rates = _object(members.get("rates", {}), "rates")
    return Settings(seed, delay, {_operation(name): _shares(name, shares) for name, shares in rates.items()})


def _shares(operation: str, wanted: object) -> dict[str, float]:
    shares = _object(wanted, f"rates for {operation}")
    rates = {fault_named(name).name: _rate(operation, name, rate) for name, rate in shares.items()}
    if math.fsum(rates.values()) > 1 + 1e-9:  # ten times 0.1 is fine
        raise ValueError(f"the rates for {operation} add up to more than 1")
    return rates


def _rate(operation: str, fault: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"the rate of {fault} for {operation} is not a number from 0 to 1")
    return value


def _delay(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST_DELAY:
        raise ValueError(f"the delay is not a number of seconds from 0 to {LONGEST_DELAY:g}")
    return value


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _operation(name: str) -> Operation:
    if name not in OPERATIONS:
        raise ValueError(f"unknown operation: {name}; known are {', '.join(OPERATIONS)}")
    return name


def _object(value: object, what: str) -> Json:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is not an object")
    return cast("Json", value)
