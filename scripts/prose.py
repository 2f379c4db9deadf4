"""What a page says around its embedded documents: what has changed in it, and which operations it speaks of."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it.token import Token

from .changes import ABSENT, Finding, Place
from .extract import first_line, is_specification, tokens


@dataclass
class Section:
    """A heading and everything below it, down to the next heading of its rank."""

    rank: int
    line: int
    title: str
    text: str = ""
    has_specification: bool = False


def text_changes(old: str, new: str) -> Iterator[Finding]:
    """The text that differs as it is read; line breaks, spacing and escapes in the source do not count."""
    before, after = lines(old), lines(new)
    for tag, i, j, k, m in difflib.SequenceMatcher(None, before, after).get_opcodes():
        if tag != "equal":
            was, now = "\n".join(before[i:j]), "\n".join(after[k:m])
            yield Finding("text", Place(location="text"), "the text of the page", was or ABSENT, now or ABSENT)


def lines(page: str) -> list[str]:
    found = (line for token in tokens(page) if not is_specification(token) for line in shown(token).splitlines())
    return [" ".join(line.split()) for line in found if line.strip()]


def shown(token: Token) -> str:
    """What a reader sees of a token, and where its links lead."""
    if token.type != "inline":
        return token.content
    return "".join(
        "\n" if child.type in ("softbreak", "hardbreak") else child.content + str(child.attrGet("href") or "")
        for child in token.children or ()
    )


def described_nowhere(page: str, path: str, summary: str) -> Section | None:
    """The section that is about an operation but has no embedded document: where somebody has to look."""
    for section in sections(page):
        if not section.has_specification and (section.title == summary or path in section.text):
            return section
    return None


def sections(page: str) -> list[Section]:
    found: list[Section] = []
    open_: list[Section] = []
    stream = iter(tokens(page))
    for token in stream:
        if token.type == "heading_open":
            rank, title = int(token.tag[1:]), shown(next(stream)).strip()
            open_ = [section for section in open_ if section.rank < rank]
            open_.append(Section(rank, first_line(token), title))
            found.append(open_[-1])
        for section in open_:
            if is_specification(token):
                section.has_specification = True
            else:
                section.text += shown(token) + "\n"
    return found
