"""Which of Atlas' own words an error text may show."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final, cast

SENTENCE: Final = re.compile(r"[A-Za-z0-9 .,:;'_()\[\]-]{1,120}")
LIKE_A_NAME: Final = re.compile(r"\b(?=\w*[A-Z])[A-Z0-9_]{2,}\b|\d{4}")
"""Atlas writes names, PNR and tickets in capitals and digits; members of requests have small letters too."""


def is_harmless(words: str, sent: bytes) -> bool:
    """Whether this is a short sentence that holds no value of the request (JSON) and nothing that looks like a name."""
    if not SENTENCE.fullmatch(words) or LIKE_A_NAME.search(words):
        return False
    try:
        request = json.loads(sent)
    except ValueError:
        return False
    said = words.casefold()
    alone = set(re.findall(r"\w+", said))
    parts = (part for value in values(request) for part in re.findall(r"\w+", value.casefold()))
    return not any(part in (said if len(part) > 3 else alone) for part in parts)


def values(sent: Any) -> Iterator[str]:
    """Every text in a request."""
    if isinstance(sent, str):
        yield sent
    elif isinstance(sent, (dict, list)):
        inner = cast("dict[str, Any] | list[Any]", sent)
        for value in inner.values() if isinstance(inner, dict) else inner:
            yield from values(value)
