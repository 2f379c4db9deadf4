"""Get a page over HTTPS: bounded in time and size, repeated when it may help, redirected within its own host only.

The page may refer to one whole OpenAPI document instead of embedding its operations. Such a link is followed when it is
https, the operations are then embedded in the text that the rest of the pipeline reads.
"""

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx
from yaml import YAMLError

from .addresses import scrubbed, shown_url, unsafe
from .errors import SpecError
from .extract import operations, parse, read
from .grammar import Json, malformed
from .references import inlined, references

CONDITIONS: Final = {"etag": "If-None-Match", "last_modified": "If-Modified-Since"}
ACCEPTED: Final = {"Accept": "text/markdown, application/json, text/*, */*"}
Validators = Mapping[str, str | None]
NONE: Final[Validators] = MappingProxyType({})
PASSING: Final = {408, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True)
class Limits:
    """What a fetch may cost. Seconds and bytes."""

    step: float = 20
    total: float = 90
    page: int = 4_000_000
    document: int = 16_000_000
    attempts: int = 3
    redirects: int = 5
    pause: Callable[[int], None] = field(default=lambda attempt: time.sleep(2**attempt))
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True)
class Answer:
    """An answer of 200, or of 304 when `unchanged`."""

    content: bytes
    etag: str | None = None
    last_modified: str | None = None
    unchanged: bool = False


@dataclass(frozen=True)
class Page:
    """A page as it goes on through the pipeline, without secrets of its links, and what is to be recorded of it."""

    text: str
    url: str = ""
    etag: str | None = None
    last_modified: str | None = None
    followed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unchanged: bool = False


def fetch_page(url: str, validators: Validators, limits: Limits = Limits()) -> Page:
    """The page at an address; SpecError when it cannot be had. `validators`: those of the last time."""
    where = shown_url(url)
    with httpx.Client(timeout=limits.step, headers=ACCEPTED, verify=trusted()) as client:
        fetcher = Fetcher(client, limits)
        answer = fetcher.get(url, limits.page, validators)
        if answer.unchanged:
            return Page("", where, answer.etag, answer.last_modified, unchanged=True)
        text = decoded(answer.content, where)
        documents, notes = linked(text, url, fetcher)
    followed = tuple(shown_url(link) for link in documents)
    return Page(scrubbed(inlined(text, documents)), where, answer.etag, answer.last_modified, followed, tuple(notes))


@cache
def trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def decoded(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError("the page cannot be read", [f"{where} is not UTF-8 text: {error}"]) from None


# ---- links to whole documents ----------------------------------------------------------------------------------------
def linked(page: str, url: str, fetcher: "Fetcher") -> tuple[dict[str, Json], list[str]]:
    """The documents that operations of the page are only referred to in, by link; and what was done, in words."""
    described = {(path, method) for b in read(page).blocks for path, method, _ in operations(b.document)}
    wanted = [r for r in references(page) if (r.path, r.method) not in described]
    documents: dict[str, Json] = {}
    notes: list[str] = []
    for link in dict.fromkeys(r.link for r in wanted if r.link):
        try:
            answer = fetcher.get(link, fetcher.limits.document, referrer=url)
            document = parse(decoded(answer.content, shown_url(link)))
            if problems := list(malformed(document)):
                raise ValueError(problems[0])
        except (SpecError, ValueError, YAMLError, RecursionError) as error:
            why = error.problems[0] if isinstance(error, SpecError) else str(error)
            notes.append(f"not followed: {' '.join(f'{shown_url(link)}: {why}'.split())}")
        else:
            documents[link] = document
            notes.append(f"followed: {shown_url(link)}, one whole document; only the operations of the page were taken")
    return documents, notes


# ---- one request -----------------------------------------------------------------------------------------------------
class Passing(Exception):
    """An answer that another attempt may improve."""


@dataclass(frozen=True)
class Fetcher:
    """One connection pool, and what it may be used for."""

    client: httpx.Client
    limits: Limits

    def get(self, url: str, size: int, validators: Validators = NONE, referrer: str = "") -> Answer:
        """The content of an address; SpecError when it cannot be had."""
        conditions = {header: value for name, header in CONDITIONS.items() if (value := validators.get(name))}
        deadline = self.limits.clock() + self.limits.total
        attempt, problem = 0, ""
        while attempt < self.limits.attempts and self.limits.clock() <= deadline:
            if attempt:
                self.limits.pause(attempt)
            attempt += 1
            try:
                return self.follow(url, size, conditions, deadline, referrer)
            except Passing as passing:
                problem = str(passing)
            except httpx.TransportError as error:
                problem = f"{type(error).__name__}: {error}".rstrip(": ")
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise unfetched(url, str(error)) from None
        raise unfetched(url, f"{problem}, after {attempt} attempts")

    def follow(self, url: str, size: int, conditions: dict[str, str], deadline: float, referrer: str) -> Answer:
        """One attempt, along its redirects."""
        start = url
        for _ in range(self.limits.redirects + 1):
            if why_not := unsafe(url, referrer):
                raise unfetched(url, why_not)
            with self.client.stream("GET", url, headers=conditions) as response:
                if response.has_redirect_location:
                    url = urljoin(url, response.headers["location"])
                    if urlsplit(url).netloc != urlsplit(start).netloc:
                        raise unfetched(start, f"redirected to another host, {shown_url(url)}")
                else:
                    return self.answer(response, url, size, conditions, deadline)
        raise unfetched(start, f"more than {self.limits.redirects} redirects")

    def answer(
        self, response: httpx.Response, url: str, size: int, conditions: dict[str, str], deadline: float
    ) -> Answer:
        """What an answer holds, as far as it is one."""
        known = response.headers.get("etag"), response.headers.get("last-modified")
        if response.status_code == 304 and conditions:
            return Answer(b"", *known, unchanged=True)
        if response.status_code in PASSING:
            raise Passing(f"HTTP {response.status_code}")
        if response.status_code != 200:
            raise unfetched(url, f"HTTP {response.status_code}")
        content = bytearray()
        for part in response.iter_bytes():
            content += part
            if len(content) > size:
                raise unfetched(url, f"larger than {size} bytes")
            if self.limits.clock() > deadline:
                raise unfetched(url, f"not complete after {self.limits.total:g} seconds")
        return Answer(bytes(content), *known)


def unfetched(url: str, why: str) -> SpecError:
    return SpecError("the page cannot be fetched", [f"{shown_url(url)}: {why}"])
