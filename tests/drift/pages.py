"""Pages that differ from the committed one in something: the sections stay, the documents in them are written anew."""

import copy
import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from scripts import overlay
from scripts.changes import Finding
from scripts.drift import examine, findings_of
from scripts.extract import extract, operations
from scripts.fetch import Page
from scripts.merge import merge
from scripts.outcome import Drift
from scripts.references import excerpt
from scripts.spec import OVERLAYS, committed_page

Json = dict[str, Any]
Change = Callable[[Json], object]

QUOTE, SUBMIT, QUERY = "/refundQuotation.do", "/refund.do", "/queryRefundOrders.do"
SECTION = re.compile(r"^## .*?^```json\n(.*?)\n```\n", re.MULTILINE | re.DOTALL)
ACTIONS = [action for path in OVERLAYS for action in overlay.load(path)]


@cache
def _merged() -> str:
    return json.dumps(merge(extract(committed_page())))


def merged() -> Json:
    """The committed source as one document, to be changed at will."""
    return copy.deepcopy(json.loads(_merged()))


def page_of(document: Json) -> str:
    """The committed page, saying what the document says. The section of an operation that is gone goes with it."""
    page = committed_page()
    written: set[tuple[str, str]] = set()
    for section in SECTION.finditer(page):
        ((path, method, _),) = operations(json.loads(section[1]))
        written.add((path, method))
        new = ""
        if method in document["paths"].get(path, {}):
            new = section[0].replace(section[1], fence_of(document, path, method))
        page = page.replace(section[0], new)
    for path, method, operation in operations(document):
        if (path, method) not in written:
            page += f"\n## {operation.get('summary', path)}\n\n```json\n{fence_of(document, path, method)}\n```\n"
    return page


def fence_of(document: Json, path: str, method: str) -> str:
    return json.dumps(excerpt(document, path, method))


def changed(change: Change) -> str:
    document = merged()
    change(document)
    return page_of(document)


@cache
def drift(page: str) -> Drift:
    """The whole comparison."""
    return examine(committed_page(), Page(page), ACTIONS)


def found(page: str) -> list[Finding]:
    """The findings alone; whether the overlays fit takes longer than everything else."""
    return sorted(findings_of(committed_page(), page), key=lambda finding: -finding.level)


# ---- where things are ------------------------------------------------------------------------------------------------
def schemas(document: Json) -> Json:
    found: Json = document["components"]["schemas"]
    return found


def properties(document: Json, component: str) -> Json:
    found: Json = schemas(document)[component]["properties"]
    return found


def operation(document: Json, path: str) -> Json:
    found: Json = document["paths"][path]["post"]
    return found


def request(document: Json, path: str) -> Json:
    found: Json = operation(document, path)["requestBody"]["content"]["application/json"]["schema"]
    return found


def response(document: Json, path: str) -> Json:
    found: Json = operation(document, path)["responses"]["200"]["content"]["application/json"]["schema"]
    return found
