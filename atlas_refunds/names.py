"""Names of passengers, as airlines write them: two questions, each answered on its safe side."""

import re
import unicodedata
from itertools import product
from typing import Final

from atlas_refunds_api.models import RefundPassenger, RefundTicket

TITLES: Final = ("mstr", "miss", "mrs", "chd", "inf", "adt", "mr", "ms", "dr", "fnu", "lnu")
PLAIN: Final = re.compile(r"[a-z \-'’/.,]*", re.IGNORECASE)
MASK: Final = re.compile(r"(.)\1\1|xx", re.IGNORECASE)


def letters(*words: str | None) -> str:
    """Without case, accents, blanks and punctuation."""
    text = unicodedata.normalize("NFKD", "".join(word or "" for word in words))
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def name_of(person: RefundPassenger | RefundTicket) -> str:
    return letters(person.last_name, person.first_name)


def is_named(ticket: RefundTicket, person: RefundPassenger) -> bool:
    """Whether the ticket shows the passenger's whole name; what follows it may be a title."""
    wanted = name_of(person), letters(person.first_name, person.last_name)
    return all(wanted) and (name_of(ticket).startswith(wanted) or letters(ticket.name).startswith(wanted))


def may_be_same(ticket: RefundTicket, person: RefundPassenger) -> bool:
    """Whether the ticket is not certainly somebody else's: then a last or a first name is another one altogether.

    Titles are added to names, long ones are cut, parts change places; a missing or masked one excludes nobody.
    """
    last, slash, first = (ticket.name or "").partition("/")
    shown = [
        pair for pair in ((ticket.last_name, ticket.first_name), (last, first if slash else last)) if letters(*pair)
    ]
    wanted = (person.last_name, person.first_name), (person.first_name, person.last_name)
    return not shown or any(
        may_be_alike(one[0], other[0]) and may_be_alike(one[1], other[1]) for one, other in product(shown, wanted)
    )


def may_be_alike(one: str | None, other: str | None) -> bool:
    """Whether two parts of names may be one: a word begins as one of the other does, or stands in it."""
    ours, theirs = forms(one), forms(other)
    return not (ours and theirs) or any(a[:2] == b[:2] or a in b or b in a for a, b in product(ours, theirs))


def forms(part: str | None) -> set[str]:
    """The words of a name, each with and without a title at its ends, and all in one. None if it may be incomplete."""
    part = part or ""
    words = [word for word in re.split(r"[\s/.,]+", part) if letters(word) not in ("", *TITLES)]
    found = {letters(word) for word in (*words, "".join(words))} - {""}
    if not PLAIN.fullmatch(part) or MASK.search(part) or any(len(word) < 2 for word in found):
        return set()
    for title in TITLES:
        bare = {word.removeprefix(title) for word in found} | {word.removesuffix(title) for word in found}
        found |= {word for word in bare if len(word) > 1}
    return found
