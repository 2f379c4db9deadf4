"""Several OpenAPI documents as one; what they say differently about the same thing is an error, never last-one-wins."""

import copy
import json
from collections.abc import Iterator, Sequence
from typing import Any

from .errors import SpecError
from .extract import Block
from .grammar import METHODS, Json


def merge(blocks: Sequence[Block]) -> Json:
    """One document with all operations and components; component names sorted, everything else in page order."""
    merged, problems = combine(blocks)
    if problems:
        raise SpecError("the documents contradict each other", problems)
    return merged


def combine(blocks: Sequence[Block]) -> tuple[Json, list[str]]:
    """The merged document, in which the first word stands, and every contradiction with both sides."""
    merged: Json = {}
    came_from: dict[tuple[str, ...], int] = {}
    problems: list[str] = []
    for block in blocks:
        for place, value in entries(block.document):
            target = merged
            for key in place[:-1]:
                target = target.setdefault(key, {})
            name = place[-1]
            if name not in target:
                target[name], came_from[place] = copy.deepcopy(value), block.line
                continue
            first, second = f"line {came_from[place]}", f"line {block.line}"
            if place[0] == "paths" and name in METHODS:
                problems.append(f"{' '.join(place)} is described twice, in the blocks of {first} and {second}")
            problems += (
                f"{'/'.join(place)}{where}: {first} has {shown(old)}, {second} has {shown(new)}"
                for where, old, new in differences(target[name], value)
            )
    for kind, named in merged.get("components", {}).items():
        merged["components"][kind] = dict(sorted(named.items()))
    return merged, problems


def entries(document: Json) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The units in which documents are merged: operations, named components, everything else whole."""
    for key, value in document.items():
        if key in ("paths", "components"):
            for group, members in value.items():
                for name, member in members.items():
                    yield (key, group, name), member
        else:
            yield (key,), value


def differences(old: Any, new: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The smallest places in which two JSON values differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(k for k in new if k not in old)]:
            yield from differences(old.get(key), new.get(key), f"{where}/{key}")
    elif type(old) is not type(new) or old != new:
        yield where, old, new


def shown(value: Any, limit: int = 120) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
