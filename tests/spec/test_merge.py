import copy
from typing import Any

import pytest

from scripts.errors import SpecError
from scripts.extract import Block, extract
from scripts.merge import merge
from scripts.spec import committed_page


def block(line: int, path: str = "", **schemas: Any) -> Block:
    paths = {path: {"post": {"summary": path}}} if path else {}
    return Block(line, {"openapi": "3.0.1", "paths": paths, "components": {"schemas": schemas}})


TEXT, NUMBER = {"type": "string"}, {"type": "number"}


def test_nothing_of_the_page_is_lost() -> None:
    blocks = extract(committed_page())
    merged = merge(blocks)
    for source in (b.document for b in blocks):
        assert {key: merged[key] for key in source if key not in ("paths", "components")} == {
            key: value for key, value in source.items() if key not in ("paths", "components")
        }
        for path, item in source["paths"].items():
            assert item.items() <= merged["paths"][path].items()
        for kind, components in source["components"].items():
            assert components.items() <= merged["components"][kind].items()


def test_nothing_is_added() -> None:
    blocks = extract(committed_page())
    merged = merge(blocks)
    assert list(merged["paths"]) == [path for b in blocks for path in b.document["paths"]]
    names = {name for b in blocks for name in b.document["components"]["schemas"]}
    assert list(merged["components"]["schemas"]) == sorted(names)


def test_equal_components_are_one() -> None:
    merged = merge([block(1, "/a", Fee={"properties": {"a": TEXT}}), block(9, "/b", Fee={"properties": {"a": TEXT}})])
    assert merged["components"]["schemas"] == {"Fee": {"properties": {"a": TEXT}}}
    assert list(merged["paths"]) == ["/a", "/b"]


def test_the_methods_of_a_path_are_joined() -> None:
    get = Block(9, {"openapi": "3.0.1", "paths": {"/a": {"get": {}}}})
    assert list(merge([block(1, "/a"), get])["paths"]["/a"]) == ["post", "get"]


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        (
            block(9, Fee={"properties": {"a": NUMBER}}),
            'components/schemas/Fee/properties/a/type: line 1 has "string", line 9 has "number"',
        ),
        (
            block(9, Fee={"properties": {"a": TEXT, "b": TEXT}}),
            'components/schemas/Fee/properties/b: line 1 has null, line 9 has {"type": "string"}',
        ),
        (block(9, Fee={}), 'components/schemas/Fee/properties: line 1 has {"a": {"type": "string"}}, line 9 has null'),
        (block(9, "/a"), "paths /a post is described twice, in the blocks of line 1 and line 9"),
        (Block(9, {"openapi": "3.0.2"}), 'openapi: line 1 has "3.0.1", line 9 has "3.0.2"'),
    ],
    ids=["type", "new member", "lost member", "operation", "top level"],
)
def test_a_contradiction_names_both_sides(second: Block, problem: str) -> None:
    with pytest.raises(SpecError) as caught:
        merge([block(1, "/a", Fee={"properties": {"a": TEXT}}), second])
    assert caught.value.problems == (problem,)


def test_all_contradictions_are_listed() -> None:
    with pytest.raises(SpecError) as caught:
        merge([block(1, A=TEXT, B=TEXT), block(5, A=NUMBER), block(9, B=NUMBER)])
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "components/schemas/A/type",
        "components/schemas/B/type",
    ]


def test_the_blocks_are_not_changed() -> None:
    blocks = extract(committed_page())
    before = copy.deepcopy(blocks)
    merge(blocks)["components"]["schemas"]["RefundTicket"].clear()
    assert blocks == before
