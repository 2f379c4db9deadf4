"""What Atlas sends and its specification does not allow: found in what was read, told once, counted.

The models read leniently, so nobody notices; this does. It looks only at answers in which reading left its usual path
(`wire.Deviations`), so an answer as documented costs nothing. Places are `Model.member`; values are enum values and
codes and nothing else, for everything else may name somebody.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Final, NamedTuple, cast

from atlas_refunds_api.types import OpenEnum, Received, harmless

from .clocks import Clock
from .events import Deviation, Emitter, log

MOST: Final = 1000  # places that are remembered; foreign input must not fill the memory
MOST_AT_ONCE: Final = 100  # in one answer; nor may it fill the log
JSON_TYPES: Final[dict[type, str]] = {
    str: "string",
    int: "integer",
    Decimal: "number",
    bool: "boolean",
    list: "array",
    dict: "object",
}


class Note(NamedTuple):
    """One kind of deviation at one place. `value` is a code that nobody knows, or the JSON type that was sent."""

    place: str
    kind: str
    value: str | None


class DriftWatch:
    """Tells each note once, and counts it ever after."""

    def __init__(self, emit: Emitter, clock: Clock) -> None:
        self._emit, self._clock = emit, clock
        self.counts: Counter[Note] = Counter()

    def look(self, operation: str, read: object) -> None:
        """Note what deviates in an answer that was read. Never fails: the answer is more important."""
        try:
            for note in islice(notes(read), MOST_AT_ONCE):
                self.note(operation, note)
        except Exception:
            log.exception("looking for deviations failed")

    def note(self, operation: str, note: Note) -> None:
        if note in self.counts or len(self.counts) < MOST:
            self.counts[note] += 1
        if self.counts[note] == 1:
            place, kind, value = note
            event = Deviation(at=self._clock.now(), operation=operation, place=place, kind=kind, value=value)
            self._emit(event)


def notes(read: object) -> Iterator[Note]:
    """Every deviation in a model, in the models within it, and in a list of models."""
    if isinstance(read, Received):
        yield from of_one(read)
    elif isinstance(read, (list, tuple)):
        for item in cast("Iterable[object]", read):
            yield from notes(item)


def of_one(model: Received) -> Iterator[Note]:
    owner = next(kind.__name__ for kind in type(model).__mro__ if "NAMES" in vars(kind))
    for key in model.raw.keys() - model.NAMES.keys():
        yield Note(f"{owner}.{harmless(key)}", "unknown member", json_type(model.raw[key]))
    for key, attribute in model.NAMES.items():
        sent, value, place = model.raw.get(key), getattr(model, attribute), f"{owner}.{key}"
        if sent is None or sent == "":
            if key in model.PROMISED:
                yield Note(place, "null or empty" if key in model.raw else "absent", None)
        elif isinstance(value, tuple):
            if not isinstance(sent, list):
                yield Note(place, "other type", json_type(sent))
            items = cast("Iterable[object]", value)
            yield from (Note(place, "unknown code", code) for code in unknown_codes(items))
            yield from notes(items)
        elif isinstance(value, Received):
            yield from notes(value)
        elif isinstance(value, OpenEnum) and not value.is_known:
            yield Note(place, "unknown code", harmless(sent))
        elif value is None or not fits(value, sent):
            yield Note(place, "other type", json_type(sent))


def fits(value: object, sent: object) -> bool:
    """Whether a value that was read has the JSON type in which it was sent."""
    if isinstance(value, Decimal):
        return isinstance(sent, (int, Decimal)) and not isinstance(sent, bool)
    if isinstance(value, date):
        return isinstance(sent, str)
    return (value.value if isinstance(value, OpenEnum) else value).__class__ is sent.__class__


def unknown_codes(values: Iterable[object]) -> Iterator[str]:
    return (harmless(value) for value in values if isinstance(value, OpenEnum) and not value.is_known)


def json_type(value: object) -> str:
    return JSON_TYPES.get(type(value), "null")
