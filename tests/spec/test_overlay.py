import copy
from pathlib import Path
from typing import Any

import pytest

from scripts.errors import SpecError
from scripts.overlay import Action, apply, load

BEFORE: dict[str, Any] = {
    "info": {"title": "old", "version": "1"},
    "tags": [{"name": "a"}, {"name": "b"}, {"name": "c"}],
    "deprecated": True,
    "schemas": {"A": {"properties": {"id": {"type": "string"}}, "required": ["id"]}, "B": {"type": "object"}},
}


def applied(*actions: dict[str, Any], to: dict[str, Any] = BEFORE) -> dict[str, Any]:
    return apply(to, [Action(f"test actions[{i}]", {"description": "x", **data}) for i, data in enumerate(actions)])


def changed(**members: Any) -> dict[str, Any]:
    return {**BEFORE, **members}


@pytest.mark.parametrize(
    ("action", "after"),
    [
        pytest.param(
            {"target": "$.info", "update": {"title": "new", "contact": {"name": "n"}}},
            changed(info={"title": "new", "version": "1", "contact": {"name": "n"}}),
            id="object is merged",
        ),
        pytest.param(
            {"target": "$", "update": {"info": {"title": "new"}, "servers": []}},
            {**changed(info={"title": "new", "version": "1"}), "servers": []},
            id="document is merged",
        ),
        pytest.param(
            {"target": "$.schemas", "update": {"A": {"required": ["name"], "properties": {"id": {"format": "f"}}}}},
            changed(
                schemas={
                    "A": {"properties": {"id": {"type": "string", "format": "f"}}, "required": ["id", "name"]},
                    "B": {"type": "object"},
                }
            ),
            id="nested lists are joined",
        ),
        pytest.param(
            {"target": "$.tags", "update": {"name": "d"}},
            changed(tags=[*BEFORE["tags"], {"name": "d"}]),
            id="list gets an item",
        ),
        pytest.param(
            {"target": "$.tags", "update": [{"name": "d"}, {"name": "e"}]},
            changed(tags=[*BEFORE["tags"], {"name": "d"}, {"name": "e"}]),
            id="list gets a list",
        ),
        pytest.param({"target": "$.deprecated", "update": False}, changed(deprecated=False), id="primitive"),
        pytest.param(
            {"target": "$.tags[?@.name == 'b']", "update": {"x-b": 1}},
            changed(tags=[{"name": "a"}, {"name": "b", "x-b": 1}, {"name": "c"}]),
            id="filter",
        ),
        pytest.param(
            {"target": "$.tags[*]", "update": {"x": {"y": []}}},
            changed(tags=[{"name": name, "x": {"y": []}} for name in "abc"]),
            id="every match",
        ),
        pytest.param(
            {"target": "$.info.title", "remove": True}, changed(info={"version": "1"}), id="member is removed"
        ),
        pytest.param({"target": "$.tags[0,1]", "remove": True}, changed(tags=[{"name": "c"}]), id="items are removed"),
        pytest.param({"target": "$.tags[2,0]", "remove": True}, changed(tags=[{"name": "b"}]), id="in any order"),
        pytest.param(
            {"target": "$.tags[1,1]", "remove": True}, changed(tags=[{"name": "a"}, {"name": "c"}]), id="once"
        ),
        pytest.param({"target": "$.tags[*]", "remove": True}, changed(tags=[]), id="all items"),
        pytest.param(
            {"target": "$..['properties','id']", "remove": True},
            changed(schemas={"A": {"required": ["id"]}, "B": {"type": "object"}}),
            id="a node and what is in it",
        ),
        pytest.param(
            {
                "target": "$.info.title",
                "remove": True,
                "x-expect-value": "old",
                "x-expect-matches": 1,
                "x-proof": "text",
            },
            changed(info={"version": "1"}),
            id="expectations met",
        ),
    ],
)
def test_does_what_the_standard_says(action: dict[str, Any], after: dict[str, Any]) -> None:
    before = copy.deepcopy(BEFORE)
    assert applied(action) == after
    assert before == BEFORE, "the document given was changed"


def test_actions_see_what_the_earlier_ones_did() -> None:
    after = applied({"target": "$.tags[0]", "remove": True}, {"target": "$.tags[0].name", "update": "first"})
    assert after["tags"] == [{"name": "first"}, {"name": "c"}]


@pytest.mark.parametrize("members", [{}, {"list": []}], ids=["new list", "longer list"])
def test_two_targets_do_not_share_what_they_were_given(members: dict[str, Any]) -> None:
    given = {"target": "$.*", "update": {"list": [{"n": 1}]}}
    after = applied(given, {"target": "$.a.list[0].n", "update": 2}, to={"a": copy.deepcopy(members), "b": members})
    assert after == {"a": {"list": [{"n": 2}]}, "b": {"list": [{"n": 1}]}}
    assert given["update"] == {"list": [{"n": 1}]}


@pytest.mark.parametrize(
    ("action", "problem"),
    [
        ({"target": "$.none", "update": {"a": 1}}, "matches 0 nodes, expected at least one"),
        ({"target": "$.tags[*]", "remove": True, "x-expect-matches": 2}, "matches 3 nodes, expected 2"),
        (
            {"target": "$.info.title", "update": "new", "x-expect-value": "other"},
            """$['info']['title'] is "old", expected "other\"""",
        ),
        ({"target": "$.info", "update": {"title": "old"}}, "changes nothing"),
        ({"target": "$.tags", "update": []}, "changes nothing"),
        ({"target": "$.info", "update": {"a": 1}, "copy": "$.tags"}, "unknown members ['copy']"),
        ({"target": "$.info", "update": {"a": 1}, "description": ""}, "without description"),
        ({"update": {"a": 1}}, "without target"),
        ({"target": "$.info[", "update": {"a": 1}}, "the target is not RFC 9535 JSONPath"),
        ({"target": "info", "update": {"a": 1}}, "the target is not RFC 9535 JSONPath"),
        ({"target": "$.info", "update": {"a": 1}, "remove": True}, "exactly one of update and remove: true is needed"),
        ({"target": "$.info"}, "exactly one of update and remove: true is needed"),
        ({"target": "$.info", "remove": False}, "exactly one of update and remove: true is needed"),
        ({"target": "$.info", "update": "text"}, "an update of type str does not fit dict"),
        ({"target": "$.info", "update": [1]}, "an update of type list does not fit dict"),
        ({"target": "$.deprecated", "update": {"a": 1}}, "an update of type dict does not fit bool"),
        ({"target": "$.schemas", "update": {"A": 1}}, "A: int cannot be merged into dict"),
        ({"target": "$.schemas.A", "update": {"required": "name"}}, "required: str cannot be merged into list"),
        ({"target": "$.info", "update": {"title": {"a": 1}}}, "title: dict cannot be merged into str"),
        ({"target": "$", "remove": True}, "the document itself cannot be removed or replaced"),
        ({"target": "$", "update": "text"}, "an update of type str does not fit dict"),
    ],
)
def test_refuses_an_action_that_does_not_fit(action: dict[str, Any], problem: str) -> None:
    before = copy.deepcopy(BEFORE)
    with pytest.raises(SpecError) as caught:
        applied(action)
    (found,) = caught.value.problems
    assert found.startswith(f"test actions[0] ({action.get('target')}): {problem}")
    assert before == BEFORE


def test_lists_every_misfit() -> None:
    with pytest.raises(SpecError) as caught:
        applied({"target": "$.a", "remove": True}, {"target": "$.deprecated", "remove": True}, {"target": "$.b"})
    assert [problem.split(" (")[0] for problem in caught.value.problems] == ["test actions[0]", "test actions[2]"]


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "new.yaml").write_text("overlay: 2.0.0\nactions: []\n", "utf-8")
    with pytest.raises(SpecError, match=r"new\.yaml:\n  overlay version 2\.0\.0, expected 1\.0\.x or 1\.1\.x"):
        load(tmp_path / "new.yaml")
