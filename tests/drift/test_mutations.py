"""Every node of the source, altered: nothing that is sent or received may pass as the same, or as text."""

import copy
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from scripts.changes import Level, worst
from scripts.compare import compare
from scripts.extract import extract
from scripts.grammar import malformed
from scripts.spec import committed_page

Json = dict[str, Any]
Path = tuple[Any, ...]

BLOCKS = [block.document for block in extract(committed_page())]
TEXT = {"openapi", "info", "tags", "summary", "deprecated", "description"}
NAMES_ITS_MEMBERS = {"properties", "paths", "schemas", "responses", "content"}
# What nobody sends or receives: an empty list or object that says what holds anyway, a component that nothing uses.
SAYS_NOTHING = {
    *(("security", "[]", how) for how in ("gone", "emptied")),
    *(("headers", "{}", how) for how in ("gone", "emptied")),
    ("schemas", "...", "a member more"),
}


def nodes(node: Any, path: Path = ()) -> Iterator[Path]:
    for key, child in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield (*path, key)
        yield from nodes(child, (*path, key))


def is_text(path: Path) -> bool:
    return any(key in TEXT and (i == 0 or path[i - 1] not in NAMES_ITS_MEMBERS) for i, key in enumerate(path))


def mutations(container: Any, key: Any) -> Iterator[tuple[str, Any]]:
    """Other values for one place; `None` as the first of a pair means: take it away."""
    value = container[key]
    yield "gone", None
    yield "null", None
    if isinstance(value, dict):
        yield "emptied", {}
        yield "a member more", {**value, "unheard-of": {"type": "string"}}
    elif isinstance(value, list):
        yield "emptied", []
        yield "an entry more", [*value, copy.deepcopy(value[-1]) if value and isinstance(value[-1], dict) else "new"]
    elif isinstance(value, bool):
        yield "turned", not value
    elif isinstance(value, int):
        yield "another number", value + 100
        yield "a truth value", bool(value)
    else:
        yield "another text", f"{value}X"


def mutated(document: Json) -> Iterator[tuple[Path, str, Json]]:
    """The document itself, altered in one place; it is put back before the next one.

    A component that the documents share is altered in the first one that has it.
    """
    earlier = BLOCKS[: BLOCKS.index(document)]
    done = {("components", "schemas", name) for block in earlier for name in block["components"]["schemas"]}
    for path in [path for path in nodes(document) if path[:3] not in done]:
        container: Any = document
        for key in path[:-1]:
            container = container[key]
        key, original = path[-1], copy.copy(container)
        for how, value in list(mutations(container, key)):
            if how == "gone":
                del container[key]
            else:
                container[key] = value
            yield path, how, document
            container.clear()
            container.update(original) if isinstance(container, dict) else container.extend(original)


@pytest.mark.parametrize("source", BLOCKS, ids=["quote", "submit", "query"])
def test_nothing_that_travels_passes_as_the_same(source: Json) -> None:
    """And text is never more than text, unless its form is broken."""
    passed: set[tuple[str, str, str]] = set()
    levels: Counter[tuple[str, Level]] = Counter()
    for path, how, document in mutated(copy.deepcopy(source)):
        level = Level.UNREADABLE if any(malformed(document)) else worst(compare(source, document))
        levels["text" if is_text(path) else "wire", level] += 1
        if not is_text(path) and level <= Level.DOCUMENTATION:
            value = repr(value_at(source, path))
            passed.add((str(path[-1]), value if len(value) < 9 else "...", how))
    assert passed == SAYS_NOTHING
    assert levels["wire", Level.BREAKING] > 300
    assert levels["wire", Level.COMPATIBLE] > 50
    assert levels["wire", Level.UNREADABLE] > 100
    assert levels["text", Level.DOCUMENTATION] > 100
    assert levels["text", Level.BREAKING] == levels["text", Level.COMPATIBLE] == 0
    assert levels["text", Level.SAME] < 20  # an empty description taken away; one that another stands before


def value_at(document: Json, path: Path) -> Any:
    value: Any = document
    for key in path:
        value = value[key]
    return value
