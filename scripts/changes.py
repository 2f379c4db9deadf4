"""Every kind of change that a specification can undergo, and what it is to a client that was generated before it.

The direction decides: what is read may not become wider than the client knows, what is sent may not become narrower
than the client sends. A kind that is not in the table does not exist; a difference that no kind fits is `UNKNOWN`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Literal, NamedTuple

from .merge import shown

Direction = Literal["", "request", "response"]


class Level(IntEnum):
    """How much a change matters; the value is the exit status of `python -m scripts.drift`."""

    SAME = 0
    DOCUMENTATION = 10
    COMPATIBLE = 20
    BREAKING = 30
    UNREADABLE = 40

    @property
    def word(self) -> str:
        return self.name.lower()


class Kind(NamedTuple):
    """One row: what is said of it, its level where we send and where we read, what callers of the SDK notice."""

    says: str
    sent: Level
    read: Level
    sender: str
    reader: str


TEXT, FINE, BREAKS, LOST = Level.DOCUMENTATION, Level.COMPATIBLE, Level.BREAKING, Level.UNREADABLE

NOTHING = "Nothing changes for callers."
REFUSED = "Atlas may refuse what callers send today."
GROWS = "Nothing until the client is regenerated; then it can be sent."
EXTRA = "Nothing breaks: it is in `.extra` until the client is regenerated, then an attribute."
NONE = "Code that relies on a value has to expect `None`. A promise of the corrected specification no longer holds."
UNKNOWN_VALUE = "Read as an unknown member (`is_known` is False, never final) until the client is regenerated."
STRICTER = "Nothing breaks: what is read is a part of what was expected."
LOOSER = "Nothing breaks: what callers send stays allowed."
FOREIGN = "Reading it may end in `BadResponseError`, or in a value that is misunderstood."
NAMES = "The name of a generated class changes; nothing on the wire does. Keep the old public name in generator.yaml."

KINDS: Final[dict[str, Kind]] = {
    # ---- text --------------------------------------------------------------------------------------------------------
    "text": Kind("{what} changed", TEXT, TEXT, NOTHING, NOTHING),
    "meaning": Kind(
        "the text now explains {what} differently",
        TEXT,
        TEXT,
        "The wire is the same, the meaning may not be. Ask Atlas before a release.",
        "The wire is the same, the meaning may not be: Atlas has given numbers another meaning before. Ask Atlas, and "
        "compare atlas_refunds/statuses.py, before a release.",
    ),
    "unused": Kind("{what} changed; no request or response has it", TEXT, TEXT, NOTHING, NOTHING),
    "renamed": Kind("{what}", FINE, FINE, NAMES, NAMES),
    # ---- values ------------------------------------------------------------------------------------------------------
    "null allowed": Kind("may now be null", FINE, BREAKS, LOOSER, NONE),
    "null refused": Kind("may no longer be null", BREAKS, FINE, REFUSED, STRICTER),
    "value added": Kind("new value {what}", FINE, BREAKS, GROWS, UNKNOWN_VALUE),
    "value removed": Kind("no longer lists the value {what}", BREAKS, FINE, REFUSED, STRICTER),
    "values listed": Kind("is now limited to a list of values", BREAKS, FINE, REFUSED, STRICTER),
    "values open": Kind("is no longer limited to a list of values", FINE, BREAKS, LOOSER, UNKNOWN_VALUE),
    "bound wider": Kind("{what} allows more", FINE, BREAKS, LOOSER, FOREIGN),
    "bound narrower": Kind("{what} allows less", BREAKS, FINE, REFUSED, STRICTER),
    # ---- members -----------------------------------------------------------------------------------------------------
    "newly required": Kind("is now required", BREAKS, FINE, REFUSED, STRICTER),
    "no longer required": Kind("is no longer required", FINE, BREAKS, LOOSER, NONE),
    "member added": Kind("new member", FINE, FINE, GROWS, EXTRA),
    "member removed": Kind(
        "member removed", BREAKS, BREAKS, REFUSED, "The attribute will be `None`, later it is gone."
    ),
    # ---- around the body ---------------------------------------------------------------------------------------------
    "parameter added": Kind("new optional parameter", FINE, FINE, GROWS, EXTRA),
    "parameter required": Kind("new required parameter", BREAKS, BREAKS, REFUSED, REFUSED),
    "parameter removed": Kind("parameter removed", BREAKS, BREAKS, REFUSED, REFUSED),
    "our header": Kind("{what} a header that the SDK always sends", FINE, FINE, NOTHING, NOTHING),
    "answer added": Kind("new {what}", FINE, FINE, GROWS, "An answer that is not JSON or not 200 is a typed error."),
    "answer removed": Kind("{what} removed", BREAKS, BREAKS, REFUSED, FOREIGN),
    # ---- operations --------------------------------------------------------------------------------------------------
    "operation added": Kind(
        "new operation", FINE, FINE, *2 * ("Nothing; see docs/adding-an-operation.md to offer it.",)
    ),
    "operation removed": Kind("operation removed", BREAKS, BREAKS, *2 * ("Its calls are likely to fail from now on.",)),
    # ---- everything else ---------------------------------------------------------------------------------------------
    "type": Kind("type changed", BREAKS, BREAKS, REFUSED, FOREIGN),
    "unknown": Kind("{what} changed; no rule says that this is harmless", BREAKS, BREAKS, REFUSED, FOREIGN),
    "unreadable": Kind("{what}", LOST, LOST, *2 * ("Unknown. The committed client still stands as it is.",)),
}


class Absent:
    """The value of what is not there; null is a value."""

    def __repr__(self) -> str:
        return "(absent)"


ABSENT: Final = Absent()


@dataclass(frozen=True)
class Place:
    """Where in the specification: the operation, the direction, and the schema that decides the name of a class."""

    operation: str = "page"
    direction: Direction = ""
    location: str = ""
    owner: str = ""
    member: str = ""


@dataclass(frozen=True)
class Finding:
    """One change. `old` and `new` are JSON values, or ABSENT."""

    kind: str
    place: Place
    what: str = ""
    old: Any = ABSENT
    new: Any = ABSENT

    @property
    def level(self) -> Level:
        row = KINDS[self.kind]
        return row.read if self.place.direction == "response" else row.sent

    @property
    def message(self) -> str:
        return KINDS[self.kind].says.format(what=self.what)

    @property
    def means(self) -> str:
        row = KINDS[self.kind]
        return row.reader if self.place.direction == "response" else row.sender

    @property
    def sides(self) -> tuple[str, str]:
        """Old and new value as short text; of two long texts only the part that differs."""
        if isinstance(self.old, str) and isinstance(self.new, str):
            return differing(self.old, self.new)
        return side(self.old), side(self.new)


def side(value: Any) -> str:
    return "" if value is ABSENT else shown(value, limit=200)


def differing(old: str, new: str, around: int = 30, limit: int = 200) -> tuple[str, str]:
    """Both texts, cut to where they differ."""
    start = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    rest = zip(reversed(old[start:]), reversed(new[start:]), strict=False)
    same_end = next((i for i, (a, b) in enumerate(rest) if a != b), min(len(old), len(new)) - start)
    cut = max(0, start - around)
    parts = (text[cut : len(text) - max(0, same_end - around)] for text in (old, new))
    first, second = (shown(("…" if cut else "") + part, limit) for part in parts)
    return first, second


def worst(findings: Iterable[Finding]) -> Level:
    return max((finding.level for finding in findings), default=Level.SAME)
