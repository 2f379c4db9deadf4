"""Fetching, against a server on this machine: what is taken, what is refused, what is followed."""

import gzip
import itertools
import json
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from scripts.addresses import scrubbed, unsafe
from scripts.changes import Level
from scripts.drift import check, examine, load, main
from scripts.errors import SpecError
from scripts.fetch import Limits, Page, fetch_page
from scripts.spec import committed_page

from .conftest import Answer, Site
from .pages import ACTIONS, QUERY, QUOTE, SECTION, SUBMIT, found, merged, properties

PAUSES: list[int] = []
Json = dict[str, Any]
FAST = Limits(step=5, pause=PAUSES.append)
SIGNED = "X-Amz-Credential=abc&X-Amz-Signature=0123456789&X-Amz-Expires=172800"
FORMS = {
    "openapi-operation": '{{% openapi-operation spec="atlas" path="{path}" method="post" %}}\n'
    "[OpenAPI]({link})\n{{% endopenapi-operation %}}",
    "openapi": '{{% openapi src="{link}" path="{path}" method="post" %}}\n[{link}]({link})\n{{% endopenapi %}}',
}


def problem(url: str, limits: Limits = FAST) -> str:
    with pytest.raises(SpecError) as caught:
        fetch_page(url, {}, limits)
    (text,) = caught.value.problems
    return text


def status(code: int, **headers: str) -> Answer:
    """An answer without a body."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in {**headers, "Content-Length": "0"}.items():
            handler.send_header(name, value)
        handler.end_headers()

    return answer


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def page(handler: BaseHTTPRequestHandler) -> None:
    content = committed_page().encode()
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


# ---- the page --------------------------------------------------------------------------------------------------------
def test_a_page_and_its_validators(site: Site) -> None:
    url = site.serve("/refunds.md", committed_page(), ETag='"1"', Last_Modified="Fri, 20 Nov 2026 08:00:00 GMT")
    fetched = fetch_page(f"{url}?token=secret", {}, FAST)
    assert fetched == Page(committed_page(), url, '"1"', "Fri, 20 Nov 2026 08:00:00 GMT")


def test_validators_are_sent_and_an_unchanged_page_is_not_read_again(site: Site) -> None:
    url = site.answer("/refunds.md", status(304, ETag='"2"'))
    fetched = fetch_page(url, {"etag": '"1"', "last_modified": "Fri, 20 Nov 2026 08:00:00 GMT"}, FAST)
    ((_, headers),) = site.seen
    assert (headers["if-none-match"], headers["if-modified-since"]) == ('"1"', "Fri, 20 Nov 2026 08:00:00 GMT")
    assert fetched.unchanged
    drift = examine(committed_page(), fetched, ACTIONS)
    assert (drift.level, drift.fit.fits) == (Level.SAME, True)


def test_validators_belong_to_one_address(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """And are of no use for a page that refers to another document."""
    recorded = {"page": site.serve("/refunds.md", committed_page()), "etag": '"1"'}
    monkeypatch.setattr("scripts.drift.PROVENANCE", FakePath(recorded))
    other = site.serve("/other.md", committed_page())
    for url in (None, other):
        load(None, url, FAST)
    monkeypatch.setattr(
        "scripts.drift.PROVENANCE", FakePath({**recorded, "followed": ["https://files.example/a.json"]})
    )
    load(None, None, FAST)
    assert [(path, headers.get("if-none-match")) for path, headers in site.seen] == [
        ("/refunds.md", '"1"'),
        ("/other.md", None),
        ("/refunds.md", None),
    ]


class FakePath:
    """A provenance file of our own."""

    def __init__(self, content: object) -> None:
        self.content = content

    def read_text(self, encoding: str) -> str:
        return json.dumps(self.content)


@pytest.mark.parametrize("first", [status(503), status(429), hang_up], ids=["503", "429", "connection lost"])
def test_what_passes_is_tried_again(first: Answer, site: Site) -> None:
    PAUSES.clear()
    url = site.answer("/refunds.md", first, first, page)
    assert fetch_page(url, {}, FAST).text == committed_page()
    assert PAUSES == [1, 2]


@pytest.mark.parametrize(
    ("answer", "said", "requests"),
    [
        (status(503), "HTTP 503, after 3 attempts", 3),
        (hang_up, "RemoteProtocolError: Server disconnected without sending a response., after 3 attempts", 3),
        (status(404), "HTTP 404", 1),
        (status(401), "HTTP 401", 1),
        (status(304), "HTTP 304", 1),
        (status(302, Location="https://elsewhere.example/refunds.md"), "redirected to another host", 1),
        (status(302, Location="//127.0.0.1:1/refunds.md"), "redirected to another host", 1),
        (status(302, Location="/refunds.md"), "more than 5 redirects", 6),
    ],
)
def test_a_page_that_cannot_be_had(answer: Answer, said: str, requests: int, site: Site) -> None:
    url = site.answer("/refunds.md", answer)
    assert said in problem(url)
    assert len(site.seen) == requests


def test_a_redirect_within_the_host_is_followed(site: Site) -> None:
    site.serve("/new.md", committed_page())
    assert fetch_page(site.answer("/old.md", status(301, Location="/new.md")), {}, FAST).text == committed_page()


def test_nobody_there(site: Site) -> None:
    assert "ConnectError" in problem("http://127.0.0.1:1/refunds.md")


def test_a_server_that_does_not_answer(site: Site) -> None:
    def silent(handler: BaseHTTPRequestHandler) -> None:
        site.closing.wait()

    url = site.answer("/refunds.md", silent)
    assert "ReadTimeout" in problem(url, Limits(step=0.05, attempts=1))


def test_a_server_that_does_not_end(site: Site) -> None:
    ticks = itertools.count(step=40)
    url = site.serve("/refunds.md", b"x" * 1_000_000)
    assert "not complete after 90 seconds" in problem(url, Limits(clock=lambda: next(ticks)))


def test_a_page_that_is_too_large(site: Site) -> None:
    assert "larger than 1000 bytes" in problem(site.serve("/refunds.md", b"x" * 1001), Limits(page=1000))


def test_a_page_that_unpacks_to_too_much(site: Site) -> None:
    url = site.serve("/refunds.md", gzip.compress(b"x" * 9_000_000), Content_Encoding="gzip")
    assert "larger than 4000000 bytes" in problem(url)


def test_a_page_that_cannot_be_unpacked(site: Site) -> None:
    assert "incorrect header check" in problem(site.serve("/refunds.md", b"plain", Content_Encoding="gzip"))


def test_a_page_that_is_not_text(site: Site) -> None:
    assert "is not UTF-8 text" in problem(site.serve("/refunds.md", b"\xff\xfe"))


@pytest.mark.parametrize(
    ("url", "referrer", "why"),
    [
        ("https://resources.atriptech.com/refunds.md", "", None),
        ("https://files.example/spec.json", "https://resources.atriptech.com/refunds.md", None),
        ("http://127.0.0.1:8000/refunds.md", "", None),
        ("http://localhost/spec.json", "http://127.0.0.1/refunds.md", None),
        ("http://resources.atriptech.com/refunds.md", "", "only https"),
        ("http://127.0.0.1/spec.json", "https://resources.atriptech.com/refunds.md", "only https"),
        ("https://127.0.0.1/spec.json", "https://resources.atriptech.com/refunds.md", "without a name"),
        ("https://169.254.169.254/latest", "https://resources.atriptech.com/refunds.md", "without a name"),
        ("https://[::1]/spec.json", "https://resources.atriptech.com/refunds.md", "without a name"),
        ("https://localhost/spec.json", "https://resources.atriptech.com/refunds.md", "without a name"),
        ("https://user:password@files.example/spec.json", "", "credentials"),
        ("file:///etc/passwd", "", "only https"),
        ("https:///spec.json", "", "only https"),
        ("https://[broken/spec.json", "", "Invalid IPv6 URL"),
        ("https://files.example:port/", "", "Port could not be cast"),
    ],
)
def test_which_addresses_are_fetched(url: str, referrer: str, why: str | None) -> None:
    refused = unsafe(url, referrer)
    assert refused is None if why is None else why in str(refused)


# ---- links to one whole document -------------------------------------------------------------------------------------
def whole(document: Json | None = None) -> str:
    """One document with everything, and an operation that the page does not speak of."""
    everything = document or merged()
    everything["paths"]["/other.do"] = {"post": {"responses": {}}}
    return json.dumps(everything)


def referring(link: str, form: str, paths: tuple[str, ...] = (QUOTE, SUBMIT, QUERY)) -> str:
    """The committed page with references in place of its documents."""
    text = committed_page()
    for section in SECTION.finditer(text):
        for path in paths:
            if f'"{path}"' in section[1]:
                fence = section[0][section[0].index("```json") :]
                text = text.replace(fence, FORMS[form].format(path=path, link=link) + "\n")
    return text


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("paths", [(QUOTE, SUBMIT, QUERY), (SUBMIT,)], ids=["all", "one"])
def test_a_linked_document_is_followed(form: str, paths: tuple[str, ...], site: Site) -> None:
    link = f"{site.serve('/spec.json', whole())}?{SIGNED}"
    fetched = fetch_page(site.serve("/refunds.md", referring(link, form, paths)), {}, FAST)
    assert fetched.followed == (f"{site.origin}/spec.json",)
    assert fetched.notes == (
        f"followed: {site.origin}/spec.json, one whole document; only the operations of the page were taken",
    )
    assert "X-Amz" not in repr(fetched)
    assert "/other.do" not in fetched.text
    assert found(fetched.text) == []


def test_a_change_in_the_linked_document_is_found(site: Site) -> None:
    document = merged()
    properties(document, "RefundOrder")["refundStatus"]["enum"].append(7)
    link = site.serve("/spec.json", whole(document))
    fetched = fetch_page(site.serve("/refunds.md", referring(link, "openapi")), {}, FAST)
    assert [finding.message for finding in found(fetched.text)] == ["new value 7"]


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("http://files.example/spec.json", "only https addresses are fetched"),
        ("/missing.json", "HTTP 404"),
        ("/huge.json", "larger than 100000 bytes"),
        ("/newer.json", "its version is 3.1.0"),
        ("/html", "it is not an object"),
        ("/broken.json", "Expecting property name"),
        ("/malformed.json", "paths is a list, expected an object"),
        ("/moved.json", "redirected to another host"),
    ],
)
def test_a_link_that_is_not_followed_is_reported(link: str, why: str, site: Site) -> None:
    site.answer("/missing.json", status(404))
    site.serve("/huge.json", b" " * 100_001)
    site.serve("/newer.json", '{"openapi": "3.1.0", "paths": {}}')
    site.serve("/html", "<html>")
    site.serve("/broken.json", '{"openapi": "3.0.1",')
    site.serve("/malformed.json", '{"openapi": "3.0.1", "paths": []}')
    site.answer("/moved.json", status(302, Location="https://elsewhere.example/spec.json"))
    target = link if link.startswith("http") else site.origin + link
    url = site.serve("/refunds.md", referring(f"{target}?{SIGNED}", "openapi-operation", (SUBMIT,)))
    drift, _ = check(url=url, limits=Limits(document=100_000, pause=PAUSES.append))
    (note,) = drift.notes
    assert note.startswith(f"not followed: {target}: ")
    assert why in note
    assert drift.level is Level.UNREADABLE
    assert "X-Amz" not in repr(drift)


def test_an_operation_that_the_linked_document_lacks(site: Site) -> None:
    document = merged()
    del document["paths"][SUBMIT]
    link = site.serve("/spec.json", whole(document))
    drift, _ = check(url=site.serve("/refunds.md", referring(link, "openapi")), limits=FAST)
    assert [f.message for f in drift.findings if f.place.operation == f"POST {SUBMIT}"] == [
        "not compared: the page has no description of it that can be read"
    ]


def test_signed_links_lose_what_is_secret() -> None:
    text = f"[a](https://files.example/a.json?{SIGNED}) https://b.example/?q=1 <https://c.example/x?sig=1&Expires=2>"
    assert scrubbed(text) == "[a](https://files.example/a.json) https://b.example/?q=1 <https://c.example/x>"


def test_the_command_reports_a_page_that_cannot_be_fetched(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--url", site.answer("/refunds.md", status(404)), "--format", "markdown"]) == 40
    assert f"`the page cannot be fetched: {site.origin}/refunds.md: HTTP 404`" in capsys.readouterr().out
