"""Two OpenAPI documents, compared operation by operation in the direction in which each part travels.

Each keyword of each object goes exactly one way: a rule judges it, it is text, it is walked into, or any difference in
it is unknown, which counts as breaking. So what is compared does not depend on what somebody thought of.
References are followed on both sides: a component is compared where it is used, whatever it is called.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from .changes import ABSENT, Direction, Finding, Place
from .extract import operations
from .grammar import OBJECTS, SECTIONS, Json, component_name, member
from .references import reachable
from .rules import DEFAULTS, ENTRIES, RULES, canonical, explained, is_text, parameters

Findings = Iterator[Finding]

DIRECTIONS: Final[dict[str, Direction]] = {
    "parameters": "request",
    "requestBody": "request",
    "responses": "response",
}
LOCATIONS: Final = {
    "requestBody": "request",
    "responses": " response {name}",
    "properties": ".{name}",
    "items": "[]",
    "headers": " header {name}",
    "parameters": " {name}",
    "allOf": "/allOf/{name}",
    "anyOf": "/anyOf/{name}",
    "oneOf": "/oneOf/{name}",
}


def compare(old: Json, new: Json) -> list[Finding]:
    """Every change from one document to another; both have passed `grammar.malformed`."""
    return list(Comparison(Side(old), Side(new)).document())


@dataclass
class Side:
    """One of the two documents, and its references as they were followed: the node, what it stands for, its name."""

    document: Json
    followed: dict[int, tuple[Json, Json, str]] = field(default_factory=dict)

    def resolve(self, node: Json, kind: str) -> tuple[Json, str]:
        """What a node stands for, and the component that says it. What stands beside `$ref` counts: it is read."""
        if id(node) not in self.followed:
            found, name = node, ""
            while "$ref" in found and (target := component_name(found["$ref"], kind)) is not None:
                beside = {key: value for key, value in found.items() if key != "$ref"}
                found, name = self.document["components"][SECTIONS[kind]][target], target
                found = {**found, **beside} if beside else found
            self.followed[id(node)] = node, found, name  # the node too: an identity is only good while it lives
        return self.followed[id(node)][1:]

    def meant(self, value: Any) -> str:
        """A value and every component that it refers to, as text to be compared."""
        components = self.document.get("components", {})
        named = {f"{section}/{name}": components[section][name] for section, name in reachable(value, self.document)}
        return canonical([value, named]) if named else canonical(value)


@dataclass
class Comparison:
    """One run; `seen` keeps what refers to itself from being walked for ever."""

    old: Side
    new: Side
    seen: set[tuple[str, Direction, int, int]] = field(default_factory=set)

    def document(self) -> Findings:
        old, new = self.old.document, self.new.document
        elsewhere = ("paths", "components")
        yield from self.keywords(
            "document", without(old, elsewhere), without(new, elsewhere), Place(location="document")
        )
        before, after = ({(path, method): op for path, method, op in operations(d)} for d in (old, new))
        for path, method in [*before, *(key for key in after if key not in before)]:
            place = Place(operation=f"{method.upper()} {path}")
            if (path, method) not in after:
                yield Finding("operation removed", place)
            elif (path, method) not in before:
                yield Finding("operation added", place)
            else:
                was, now = (with_path_parameters(d, path, method) for d in (old, new))
                yield from self.objects("operation", was, now, place)
        for path in sorted(old.get("paths", {}).keys() & new.get("paths", {}).keys()):
            was, now = (without(d["paths"][path], OBJECTS["path item"]) for d in (old, new))
            yield from self.keywords("path item", was, now, Place(operation=path))
        yield from self.components()

    def components(self) -> Findings:
        """What no operation reaches: components used nowhere, and sections that are not referred to by name."""
        old, new = (side.document.get("components", {}) for side in (self.old, self.new))
        for section in [*old, *(key for key in new if key not in old)]:
            before, after = old.get(section, {}), new.get(section, {})
            place = Place(location=f"components/{section}")
            if canonical(before) == canonical(after):
                continue
            if section not in OBJECTS["components"]:
                yield Finding("text" if is_text(section) else "unknown", place, section, before, after)
                continue
            used = [reachable(side.document.get("paths", {}), side.document) for side in (self.old, self.new)]
            for name in [*before, *(key for key in after if key not in before)]:
                was, now = before.get(name, ABSENT), after.get(name, ABSENT)
                if not any((section, name) in names for names in used) and canonical(was) != canonical(now):
                    yield Finding("unused", place, name, was, now)

    def objects(self, kind: str, old: Json, new: Json, place: Place) -> Findings:
        (old, was), (new, now) = self.old.resolve(old, kind), self.new.resolve(new, kind)
        key = (place.operation, place.direction, id(old), id(new))
        if key in self.seen:
            return
        self.seen.add(key)
        if kind == "schema" and (was or now):
            place = replace(place, owner=was or now, member="")
        if was != now:
            yield Finding("renamed", place, moved(was, now), was or ABSENT, now or ABSENT)
        yield from self.keywords(kind, old, new, place)

    def keywords(self, kind: str, old: Json, new: Json, place: Place) -> Findings:
        for keyword in [*old, *(key for key in new if key not in old)]:
            default = DEFAULTS.get(keyword, ABSENT)
            before, after = old.get(keyword, default), new.get(keyword, default)
            shape = OBJECTS[kind].get(keyword, "")
            if rule := RULES.get((kind, keyword)):
                yield from rule(before, after, old, new, place)
            elif is_text(keyword) or kind == "info":
                yield from explained(keyword, before, after, place)
            elif keyword in ENTRIES:
                yield from self.entries(keyword, member(shape), before, after, place)
            elif shape == member(shape) and shape in OBJECTS and ABSENT not in (before, after):
                yield from self.objects(shape, before, after, inside(place, keyword))
            elif shape.startswith("[") and shape != "[value]" and same_length(before, after):
                for index, (was, now) in enumerate(zip(before, after, strict=True)):
                    yield from self.objects(member(shape), was, now, inside(place, keyword, str(index)))
            elif self.old.meant(before) != self.new.meant(after):
                yield Finding("unknown", place, keyword, before, after)

    def entries(self, keyword: str, kind: str, old: Any, new: Any, place: Place) -> Findings:
        """The members of a collection whose entries have names."""
        if keyword == "parameters":
            old, new = (
                parameters(side.resolve(entry, kind)[0] for entry in entries)
                for side, entries in ((self.old, old), (self.new, new))
            )
        for name in [*old, *(key for key in new if key not in old)]:
            here = inside(place, keyword, name)
            if name in old and name in new:
                yield from self.objects(kind, old[name], new[name], here)
            else:
                yield ENTRIES[keyword](name, old.get(name, ABSENT), new.get(name, ABSENT), here)


def inside(place: Place, keyword: str, name: str = "") -> Place:
    """One step down."""
    location = (place.location + LOCATIONS.get(keyword, "").format(name=name)).strip()
    direction = place.direction or DIRECTIONS.get(keyword, "")
    owner = place.owner or direction
    first = name if keyword == "properties" and not place.member else place.member
    return replace(place, location=location, direction=direction, owner=owner, member=first)


def without(node: Json, keys: Container[str]) -> Json:
    return {key: value for key, value in node.items() if key not in keys}


def moved(was: str, now: str) -> str:
    if was and now:
        return f"component {was} is now called {now}"
    return f"now written in place instead of component {was}" if was else f"now component {now}, was written in place"


def same_length(old: Any, new: Any) -> bool:
    return isinstance(old, list) and isinstance(new, list) and len(old) == len(new)


def with_path_parameters(document: Json, path: str, method: str) -> Json:
    """An operation with the parameters that are declared for its whole path; its own come last and so replace them."""
    item = document["paths"][path]
    shared = item.get("parameters", [])
    return {**item[method], "parameters": [*shared, *item[method].get("parameters", [])]} if shared else item[method]
