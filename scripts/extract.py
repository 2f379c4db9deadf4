"""The OpenAPI documents that are embedded in a documentation page, each with the line it starts at."""

import json
import re
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from .errors import SpecError
from .grammar import METHODS, malformed, too_deep
from .grammar import Json as Json
from .references import references

LANGUAGES = {"", "json", "yaml", "yml"}
LOOKS_LIKE_OPENAPI = re.compile(
    r"""["'](openapi|swagger)["']\s*:|["'](paths|components)["']\s*:\s*\{|^(openapi|swagger|paths|components)\s*:""",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """One embedded document and the page's line of its fence."""

    line: int
    document: Json


@dataclass(frozen=True)
class Reading:
    """What a page yields: the documents that can be read, and what stands against the others, each with its line."""

    blocks: tuple[Block, ...]
    problems: tuple[str, ...]


def extract(page: str) -> list[Block]:
    """Every embedded document; a SpecError with all problems when one of them cannot be read."""
    reading = read(page)
    if reading.problems:
        raise SpecError("the page cannot be read", reading.problems)
    return list(reading.blocks)


def read(page: str) -> Reading:
    """Every fenced OpenAPI 3.0 document of the page, however deep it is nested. Never raises."""
    blocks: list[Block] = []
    problems: list[str] = []
    for token in tokens(page):
        if not is_specification(token):
            continue
        line = first_line(token)
        try:
            document = parse(token.content)
        except (ValueError, yaml.YAMLError, RecursionError) as error:
            problems.append(f"line {line}: looks like OpenAPI, but {error}")
            continue
        if wrong := [f"line {line}: {problem}" for problem in malformed(document)]:
            problems += wrong
        else:
            blocks.append(Block(line, document))
    if not blocks and not problems:
        problems.append(why_nothing_was_found(page))
    problems += only_referred_to(page, blocks)
    return Reading(tuple(blocks), tuple(problems))


@lru_cache(maxsize=8)
def tokens(page: str) -> list[Token]:
    """GitBook's own tags are plain text to CommonMark, so a parser that knows only the standard finds the fences."""
    return MarkdownIt("commonmark").parse(page)


def first_line(token: Token) -> int:
    return token.map[0] + 1 if token.map else 0


def is_specification(token: Token) -> bool:
    language = (token.info.split() or [""])[0]
    return token.type == "fence" and language in LANGUAGES and bool(LOOKS_LIKE_OPENAPI.search(token.content))


def parse(text: str) -> Json:
    """One document; a duplicate key, another version or another type is a ValueError."""
    if text.lstrip().startswith("{"):
        document = json.loads(text, object_pairs_hook=without_duplicates, parse_constant=no_constant)
    else:
        document = parse_yaml(text)
    if not isinstance(document, dict):
        raise ValueError("it is not an object")
    version = str(document.get("openapi") or document.get("swagger"))
    if not version.startswith("3.0."):
        raise ValueError(f"its version is {version}, expected 3.0.x")
    if too_deep(document):
        raise ValueError("it is nested too deeply")
    return document


class StrictLoader(yaml.SafeLoader):
    """YAML as JSON is read here: a duplicate key is a ValueError."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        without_duplicates((self.construct_object(key, deep=True), None) for key, _ in node.value)
        return super().construct_mapping(node, deep)


def parse_yaml(text: str) -> Any:
    """What JSON could say as well: no aliases, no dates, every key a text."""
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, StrictLoader)):
        raise ValueError("it has YAML aliases")
    try:
        return json.loads(json.dumps(yaml.load(text, StrictLoader)), parse_constant=no_constant)  # noqa: S506
    except TypeError as error:
        raise ValueError(f"it is not JSON written as YAML: {error}") from None


def without_duplicates(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    out: dict[Any, Any] = {}
    for key, value in pairs:
        if key in out:
            raise ValueError(f"the key {key!r} stands twice in one object")
        out[key] = value
    return out


def no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Path, method and description of every operation."""
    for path, item in (document.get("paths") or {}).items():
        for method, operation in item.items():
            if method in METHODS:
                yield path, method, operation


def only_referred_to(page: str, blocks: Iterable[Block]) -> Iterator[str]:
    described = {(path, method) for block in blocks for path, method, _ in operations(block.document)}
    for reference in references(page):
        if (reference.path, reference.method) not in described:
            yield f"line {reference.line}: {reference.words} is only referred to, its description is elsewhere"


def why_nothing_was_found(page: str) -> str:
    if page.lstrip()[:15].lower().startswith(("<!doctype", "<html")):
        return "no embedded OpenAPI document: this is HTML, not the page's Markdown twin (the address ending in .md)"
    if tags := sorted(set(re.findall(r"\{%\s*(openapi[\w-]*)", page))):
        return f"no embedded OpenAPI document: the page refers to its specification by {', '.join(tags)} blocks"
    return "no embedded OpenAPI document"
