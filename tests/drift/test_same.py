"""What is written otherwise, but says the same."""

import json
import random
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from scripts.changes import Level
from scripts.prose import text_changes
from scripts.spec import committed_page

from .pages import found

FENCE = re.compile(r"```json\n(.*?)\n```", re.DOTALL)


def shuffled(value: Any, draw: random.Random) -> Any:
    if isinstance(value, list):
        return [shuffled(entry, draw) for entry in value]
    if not isinstance(value, dict):
        return value
    items = [(key, shuffled(entry, draw)) for key, entry in value.items()]
    draw.shuffle(items)
    return dict(items)


def unsorted_required(value: Any) -> Any:
    if isinstance(value, list):
        return [unsorted_required(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {
        key: entry[::-1] if key == "required" and isinstance(entry, list) else unsorted_required(entry)
        for key, entry in value.items()
    }


def escaped(document: Any) -> str:
    """Every letter that JSON lets one write as an escape."""
    text = json.dumps(document)
    return re.sub(r"(?<!\\)(/|<|&)", lambda found: f"\\u{ord(found[0]):04x}", text)


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(lambda d: json.dumps(shuffled(d, random.Random(7))), id="order of keys"),  # noqa: S311
        pytest.param(lambda d: json.dumps(shuffled(d, random.Random(8)), indent="\t"), id="spacing"),  # noqa: S311
        pytest.param(escaped, id="escapes"),
        pytest.param(lambda d: json.dumps(d, ensure_ascii=False, separators=(" ,  ", " : ")), id="no escapes"),
        pytest.param(lambda d: json.dumps(unsorted_required(d)), id="order of required"),
        pytest.param(lambda d: yaml.safe_dump(d, sort_keys=True, allow_unicode=True), id="YAML"),
    ],
)
def test_the_same_documents_written_otherwise(written: Callable[[Any], str]) -> None:
    page = FENCE.sub(lambda fence: f"```\n{written(json.loads(fence[1])).strip()}\n```", committed_page())
    assert page != committed_page()
    assert found(page) == []


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(lambda page: page.replace("\n", "\r\n"), id="line ends"),
        pytest.param(lambda page: page.replace("\n\n", "\n\n\n"), id="blank lines"),
        pytest.param(lambda page: page.replace("```json", "~~~~json").replace("\n```", "\n~~~~"), id="fences"),
        pytest.param(lambda page: f"{page}   \n\n", id="end"),
    ],
)
def test_the_same_page_written_otherwise(written: Callable[[str], str]) -> None:
    assert written(committed_page()) != committed_page()
    assert found(written(committed_page())) == []


def test_other_prose_is_documentation() -> None:
    (finding,) = found(committed_page().replace("ask Eva on ATRIP", "ask Bob on ATRIP"))
    assert finding.level is Level.DOCUMENTATION
    old, new = finding.sides
    assert "Eva" in old
    assert "Bob" in new


def test_a_link_that_leads_elsewhere_is_documentation() -> None:
    page = "[a](https://a.example)\n" + committed_page()
    (finding,) = text_changes(page, page.replace("a.example", "b.example"))
    assert (finding.level, finding.old, finding.new) == (
        Level.DOCUMENTATION,
        "https://a.examplea",
        "https://b.examplea",
    )
