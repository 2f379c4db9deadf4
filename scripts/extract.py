"""The OpenAPI documents that are embedded in a documentation page, each with the line it starts at."""

import json
import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml
from markdown_it import MarkdownIt

from .errors import SpecError

Json: TypeAlias = dict[str, Any]

LANGUAGES = {"", "json", "yaml", "yml"}
OPENS_LIKE_OPENAPI = re.compile(r"""\s*\{?\s*["']?(openapi|swagger)["']?\s*:""")


@dataclass(frozen=True)
class Block:
    """One embedded document and the page's line of its fence."""

    line: int
    document: Json


def extract(page: str) -> list[Block]:
    """Every fenced OpenAPI 3.0 document of the page, however deep it is nested.

    GitBook's own tags are plain text to CommonMark, so a parser that knows only the standard finds the fences.
    """
    blocks: list[Block] = []
    problems: list[str] = []
    for token in MarkdownIt("commonmark").parse(page):
        if token.type != "fence" or not token.map or not OPENS_LIKE_OPENAPI.match(token.content):
            continue
        if (token.info.split() or [""])[0] not in LANGUAGES:
            continue
        line = token.map[0] + 1
        try:
            blocks.append(Block(line, parse(token.content)))
        except (ValueError, yaml.YAMLError) as error:
            problems.append(f"line {line}: looks like OpenAPI, but {error}")
    if not blocks and not problems:
        problems = [why_nothing_was_found(page)]
    if problems:
        raise SpecError("the page cannot be read", problems)
    return blocks


def parse(text: str) -> Json:
    """One document; a duplicate key, another version or another type is a ValueError."""
    if text.lstrip().startswith("{"):
        document = json.loads(text, object_pairs_hook=without_duplicates)
    else:
        document = yaml.load(text, StrictLoader)  # noqa: S506 - a SafeLoader
    if not isinstance(document, dict):
        raise ValueError("it is not an object")
    version = str(document.get("openapi") or document.get("swagger"))
    if not version.startswith("3.0."):
        raise ValueError(f"its version is {version}, expected 3.0.x")
    return document


class StrictLoader(yaml.SafeLoader):
    """YAML as JSON is read here: a duplicate key is a ValueError."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        without_duplicates((self.construct_object(key, deep=True), None) for key, _ in node.value)
        return super().construct_mapping(node, deep)


def without_duplicates(pairs: Iterable[tuple[str, Any]]) -> Json:
    out: Json = {}
    for key, value in pairs:
        if key in out:
            raise ValueError(f"the key {key!r} stands twice in one object")
        out[key] = value
    return out


def why_nothing_was_found(page: str) -> str:
    if page.lstrip()[:15].lower().startswith(("<!doctype", "<html")):
        return "no embedded OpenAPI document: this is HTML, not the page's Markdown twin (the address ending in .md)"
    if tags := sorted(set(re.findall(r"\{%\s*(openapi[\w-]*)", page))):
        return f"no embedded OpenAPI document: the page refers to its specification by {', '.join(tags)} blocks"
    return "no embedded OpenAPI document"
