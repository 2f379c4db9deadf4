"""What is known about single keywords: which are text, what they are when absent, and which changes are harmless."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from .changes import ABSENT, Finding, Place
from .grammar import Json

TEXTS: Final = {
    *("description", "summary", "title", "example", "examples", "externalDocs", "tags"),
    *("deprecated", "operationId", "openapi"),
}
# What a keyword means when it is not there. Only where the standard says so.
DEFAULTS: Final[dict[str, Any]] = {
    **dict.fromkeys(("nullable", "deprecated", "readOnly", "writeOnly", "uniqueItems", "allowEmptyValue"), False),
    **dict.fromkeys(("exclusiveMinimum", "exclusiveMaximum"), False),
    **{keyword: [] for keyword in ("parameters", "security", "tags")},
    **{keyword: {} for keyword in ("info", "properties", "headers", "content", "responses", "schema", "items")},
    "additionalProperties": True,
    "description": "",
}
# The bounds of a value: 1 when a larger number allows more, -1 when it allows less.
BOUNDS: Final = {
    **dict.fromkeys(("maximum", "maxLength", "maxItems", "maxProperties"), 1),
    **dict.fromkeys(("minimum", "minLength", "minItems", "minProperties"), -1),
}
# Sent by the SDK on every call; OpenAPI even says that the first two are to be ignored as parameters.
OUR_HEADERS: Final = {"header accept", "header content-type", "header accept-encoding"}
LISTED_VALUE: Final = re.compile(r"^\W*?(-?\d+)\W*?[:：]\s*(.+?)\s*$", re.MULTILINE)

Rule = Callable[[Any, Any, Json, Json, Place], Iterator[Finding]]


def canonical(value: Any) -> str:
    """Equal for equal JSON only: 1, 1.0 and true differ, the order of keys does not matter."""
    return "" if value is ABSENT else json.dumps(value, sort_keys=True)


def is_text(keyword: str) -> bool:
    return keyword in TEXTS or keyword.startswith("x-")


# ---- text ------------------------------------------------------------------------------------------------------------
def explained(keyword: str, before: Any, after: Any, place: Place) -> Iterator[Finding]:
    """A change of text, and apart from it each value that the text explains in other words."""
    if canonical(before) == canonical(after):
        return
    yield Finding("text", place, keyword, before, after)
    if keyword == "description" and place.member and isinstance(before, str) and isinstance(after, str):
        old, new = (dict(LISTED_VALUE.findall(text)) for text in (before, after))
        for value in old.keys() & new.keys():
            if old[value] != new[value]:
                yield Finding("meaning", place, value, old[value], new[value])


# ---- keywords of schemas ---------------------------------------------------------------------------------------------
def type_(before: Any, after: Any, old: Json, new: Json, place: Place) -> Iterator[Finding]:
    if before != after:
        yield Finding("type", place, "type", before, after)


def nullable(before: Any, after: Any, old: Json, new: Json, place: Place) -> Iterator[Finding]:
    if before != after:
        yield Finding("null allowed" if after else "null refused", place, "", before, after)


def enum(before: Any, after: Any, old: Json, new: Json, place: Place) -> Iterator[Finding]:
    if before is ABSENT or after is ABSENT:
        if before is not after:
            yield Finding("values open" if after is ABSENT else "values listed", place, "", before, after)
        return
    was, now = ({canonical(value) for value in values} for values in (before, after))
    yield from (Finding("value added", place, value, before, after) for value in sorted(now - was))
    yield from (Finding("value removed", place, value, before, after) for value in sorted(was - now))


def required(before: Any, after: Any, old: Json, new: Json, place: Place) -> Iterator[Finding]:
    was, now = (set() if names is ABSENT else set(names) for names in (before, after))
    for name in sorted(was ^ now):
        if name in now or name in new.get("properties", {}) or name not in old.get("properties", {}):
            kind = "newly required" if name in now else "no longer required"
            yield Finding(kind, member_of(place, name), "", name in was, name in now)


def bound(keyword: str) -> Rule:
    def judge(before: Any, after: Any, old: Json, new: Json, place: Place) -> Iterator[Finding]:
        if canonical(before) == canonical(after):
            return
        if not all(value is ABSENT or type(value) in (int, float) for value in (before, after)):
            yield Finding("unknown", place, keyword, before, after)
            return
        grows = after is ABSENT or (before is not ABSENT and (after - before) * BOUNDS[keyword] > 0)
        yield Finding("bound wider" if grows else "bound narrower", place, keyword, before, after)

    return judge


def required_flag(before: Any, after: Any, old: Json, new: Json, place: Place) -> Iterator[Finding]:
    """Of a parameter, a header, a request body."""
    was, now = before is True, after is True
    if was != now:
        yield Finding("newly required" if now else "no longer required", place, "", was, now)


def settled(before: Any, after: Any, old: Json, new: Json, place: Place) -> Iterator[Finding]:
    """Parameters are paired by name and place; the case of a header's name means nothing."""
    return iter(())


def member_of(place: Place, name: str) -> Place:
    location = f"{place.location}.{name}".lstrip(".")
    return Place(place.operation, place.direction, location, place.owner, place.member or name)


RULES: Final[dict[tuple[str, str], Rule]] = {
    ("schema", "type"): type_,
    ("schema", "nullable"): nullable,
    ("schema", "enum"): enum,
    ("schema", "required"): required,
    **{("schema", keyword): bound(keyword) for keyword in BOUNDS},
    ("parameter", "required"): required_flag,
    ("header", "required"): required_flag,
    ("request body", "required"): required_flag,
    ("parameter", "name"): settled,
}


# ---- entries of collections ------------------------------------------------------------------------------------------
def parameters(entries: Iterable[Json]) -> dict[str, Json]:
    return {f"{p['in']} {p['name'].lower() if p['in'] == 'header' else p['name']}": p for p in entries}


def changed_parameter(name: str, old: Any, new: Any, place: Place) -> Finding:
    if name in OUR_HEADERS:
        return Finding("our header", place, "removed:" if new is ABSENT else "added:", old, new)
    if new is ABSENT:
        return Finding("parameter removed", place, "", old, new)
    return Finding("parameter required" if new.get("required") else "parameter added", place, "", old, new)


def either(added: str, removed: str, noun: str = "") -> Callable[[str, Any, Any, Place], Finding]:
    def entry(name: str, old: Any, new: Any, place: Place) -> Finding:
        return Finding(added if old is ABSENT else removed, place, f"{noun} {name}".strip(), old, new)

    return entry


ENTRIES: Final[dict[str, Callable[[str, Any, Any, Place], Finding]]] = {
    "properties": either("member added", "member removed"),
    "responses": either("answer added", "answer removed", "response"),
    "content": either("answer added", "answer removed", "media type"),
    "headers": either("answer added", "answer removed", "header"),
    "parameters": changed_parameter,
}
