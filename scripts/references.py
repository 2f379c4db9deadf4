"""GitBook blocks that name an operation and link to one whole document instead of embedding its description.

Two forms are known, both around a Markdown link:

    {% openapi src="https://..." path="/refund.do" method="post" %} ... {% endopenapi %}
    {% openapi-operation spec="atlas" path="/refund.do" method="post" %} ... {% endopenapi-operation %}
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .addresses import shown_url
from .grammar import METHODS, Json

FENCED: Final = re.compile(r"^( {0,3})(`{3,}|~{3,}).*?^ {0,3}\2[`~]*[ \t]*$", re.MULTILINE | re.DOTALL)
BLOCK: Final = re.compile(r"\{%\s*(openapi|openapi-operation)\s+([^%]*?)\s*%\}(.*?)(?:\{%\s*end\1\s*%\}|\Z)", re.DOTALL)
ATTRIBUTE: Final = re.compile(r'([\w-]+)="([^"]*)"')
LINK: Final = re.compile(r"\]\(\s*<?([^\s)>]+)")


@dataclass(frozen=True)
class Reference:
    """One such block."""

    line: int
    start: int
    end: int
    tag: str
    path: str
    method: str
    link: str

    @property
    def words(self) -> str:
        operation = f"{self.method.upper()} {self.path}".strip() or "a whole document"
        return f"{operation} ({{% {self.tag} %}}, link: {shown_url(self.link) or 'none'})"


def references(page: str) -> Iterator[Reference]:
    """The blocks of a page; what stands in a code fence is not one."""
    if not BLOCK.search(page):
        return
    readable = FENCED.sub(lambda fence: re.sub(r"[^\n]", " ", fence[0]), page)
    for block in BLOCK.finditer(readable):
        given = dict(ATTRIBUTE.findall(block[2]))
        link = LINK.search(block[3])
        yield Reference(
            line=page.count("\n", 0, block.start()) + 1,
            start=block.start(),
            end=block.end(),
            tag=block[1],
            path=given.get("path", ""),
            method=given.get("method", "").lower(),
            link=link[1] if link else given.get("src", ""),
        )


def inlined(page: str, documents: Mapping[str, Json]) -> str:
    """The page with each block replaced by what it refers to; `documents` has the linked documents by link."""
    for reference in sorted(references(page), key=lambda r: r.start, reverse=True):
        document = documents.get(reference.link, {})
        if reference.method in document.get("paths", {}).get(reference.path, {}):
            text = json.dumps(excerpt(document, reference.path, reference.method), ensure_ascii=False)
            page = f"{page[: reference.start]}```json\n{text}\n```{page[reference.end :]}"
    return page


def excerpt(document: Json, path: str, method: str) -> Json:
    """One operation of a document and the components it needs; everything that is said of all operations stays."""
    item = document["paths"][path]
    kept = {key: value for key, value in item.items() if key == method or key not in METHODS}
    needed = reachable(kept, document)
    components = {
        section: {
            name: value for name, value in named.items() if (section, name) in needed or section == "securitySchemes"
        }
        for section, named in document.get("components", {}).items()
    }
    return {**document, "paths": {path: kept}, "components": {s: named for s, named in components.items() if named}}


def reachable(node: Any, document: Json) -> set[tuple[str, str]]:
    """The components (section, name) that a node refers to, directly or through others."""
    found: set[tuple[str, str]] = set()
    waiting = [node]
    while waiting:
        for reference in mentioned(waiting.pop()):
            section, _, name = reference.removeprefix("#/components/").partition("/")
            name = name.replace("~1", "/").replace("~0", "~")
            if (section, name) not in found and name in document.get("components", {}).get(section, {}):
                found.add((section, name))
                waiting.append(document["components"][section][name])
    return found


def mentioned(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    for child in node if isinstance(node, list) else ():
        yield from mentioned(child)
