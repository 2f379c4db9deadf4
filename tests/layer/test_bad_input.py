"""What cannot be sent: each mistake has its error, and nothing leaves."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import httpx
import pytest

from atlas_refunds import (
    SANDBOX_URL,
    AirlinePnr,
    AtlasRefunds,
    AtlasRefundsError,
    ConfigurationError,
    Credentials,
    InvalidOrderRef,
    InvalidRequestError,
    OrderNo,
    PollSchedule,
    RefundPassenger,
    RefundQuote,
    RefundReason,
    RefundSegment,
    RetryPolicy,
    Timeouts,
    order_ref,
)

from .conftest import CREDENTIALS, ORDER, QIAN, SEGMENT, ZHAO
from .wire_server import WireServer, answers

Attempt = Callable[[AtlasRefunds], Awaitable[object]]
ANY: Any = None


def person(**changes: Any) -> RefundPassenger:
    return attrs.evolve(ZHAO, **changes)


def segment(**changes: Any) -> RefundSegment:
    return attrs.evolve(SEGMENT, **changes)


def a_quote(**members: object) -> RefundQuote:
    return RefundQuote.from_dict({"status": 0, **members}, order=ORDER, passengers=(ZHAO,))


GOOD_OFFER = {"isRefundable": True, "refundOfferId": "q_1"}
UNKNOWN_REASON = RefundReason("2")

MISTAKES: dict[str, tuple[type[AtlasRefundsError], Attempt]] = {
    # which order
    "no identifier": (InvalidOrderRef, lambda a: a.quote(order_ref(), [ZHAO])),
    "both forms": (
        InvalidOrderRef,
        lambda a: a.query(order_ref(order_no="X1", airline_pnr="S24933", carrier="G9"), None),
    ),
    "pnr without carrier": (InvalidOrderRef, lambda a: a.quote(order_ref(airline_pnr="S24933"), [ZHAO])),
    "carrier of three letters": (InvalidOrderRef, lambda a: a.quote(AirlinePnr("S24933", carrier="EZY"), [ZHAO])),
    "order as text": (InvalidOrderRef, lambda a: a.quote("X1", [ZHAO])),  # type: ignore[arg-type]
    "order missing": (InvalidOrderRef, lambda a: a.submit(ANY, offer_id="q_1")),
    "order in a query": (InvalidOrderRef, lambda a: a.query(ANY, "1")),
    # who
    "nobody": (InvalidRequestError, lambda a: a.quote(ORDER, [])),
    "nobody to submit": (InvalidRequestError, lambda a: a.submit(ORDER, passengers=[])),
    "None for passengers": (InvalidRequestError, lambda a: a.quote(ORDER, ANY)),
    "one passenger instead of a list": (InvalidRequestError, lambda a: a.quote(ORDER, ZHAO)),  # type: ignore[arg-type]
    "a passenger to submit instead of a list": (
        InvalidRequestError,
        lambda a: a.submit(ORDER, passengers=ZHAO),  # type: ignore[call-overload]
    ),
    "passengers as wire objects": (InvalidRequestError, lambda a: a.quote(ORDER, [ZHAO.to_dict()])),  # type: ignore[list-item]
    "a name among passengers": (InvalidRequestError, lambda a: a.quote(ORDER, [ZHAO, "QIAN/ERER"])),  # type: ignore[list-item]
    "empty last name": (InvalidRequestError, lambda a: a.quote(ORDER, [person(last_name="")])),
    "blank first name": (InvalidRequestError, lambda a: a.quote(ORDER, [person(first_name=" ")])),
    "no first name": (InvalidRequestError, lambda a: a.quote(ORDER, [person(first_name=None)])),
    "no segments": (InvalidRequestError, lambda a: a.quote(ORDER, [person(segments=[])])),
    "a segment instead of a list": (InvalidRequestError, lambda a: a.quote(ORDER, [person(segments=SEGMENT)])),
    "unknown reason": (InvalidRequestError, lambda a: a.quote(ORDER, [person(refund_reason=UNKNOWN_REASON)])),
    "reason as text": (InvalidRequestError, lambda a: a.quote(ORDER, [person(refund_reason="1")])),
    # which flight
    "no departure airport": (
        InvalidRequestError,
        lambda a: a.quote(ORDER, [person(segments=[segment(dep_airport="")])]),
    ),
    "no arrival airport": (InvalidRequestError, lambda a: a.quote(ORDER, [person(segments=[segment(arr_airport="")])])),
    "airport in lower case": (
        InvalidRequestError,
        lambda a: a.quote(ORDER, [person(segments=[segment(arr_airport="cdg")])]),
    ),
    "airport with a line break": (
        InvalidRequestError,
        lambda a: a.quote(ORDER, [person(segments=[segment(arr_airport="CDG\n")])]),
    ),
    "date as text": (
        InvalidRequestError,
        lambda a: a.quote(ORDER, [person(segments=[segment(dep_date="20250513")])]),
    ),
    "date with a time": (
        InvalidRequestError,
        lambda a: a.quote(ORDER, [person(segments=[segment(dep_date=datetime(2025, 5, 13, tzinfo=UTC))])]),
    ),
    # which offer, which refund, which currency
    "neither offer nor passengers": (InvalidRequestError, lambda a: a.submit(ORDER)),  # type: ignore[call-overload]
    "offer and passengers": (
        InvalidRequestError,
        lambda a: a.submit(ORDER, offer_id="q_1", passengers=[ZHAO]),  # type: ignore[call-overload]
    ),
    "empty offer id": (InvalidRequestError, lambda a: a.submit(ORDER, offer_id="")),
    "offer id as number": (InvalidRequestError, lambda a: a.submit(ORDER, offer_id=5)),  # type: ignore[call-overload]
    "a quote and an offer id": (
        InvalidRequestError,
        lambda a: a.submit(a_quote(**GOOD_OFFER), offer_id="q_1"),  # type: ignore[call-overload]
    ),
    "a quote and passengers": (
        InvalidRequestError,
        lambda a: a.submit(a_quote(**GOOD_OFFER), passengers=[QIAN]),  # type: ignore[call-overload]
    ),
    "a quote that is not refundable": (
        InvalidRequestError,
        lambda a: a.submit(a_quote(isRefundable=False, refundOfferId="q_1")),
    ),
    "a quote that does not say": (InvalidRequestError, lambda a: a.submit(a_quote(refundOfferId="q_1"))),
    "a quote without an offer": (InvalidRequestError, lambda a: a.submit(a_quote(isRefundable=True))),
    "a quote without an offer, all the same": (
        InvalidRequestError,
        lambda a: a.submit(a_quote(isRefundable=True), even_if_not_refundable=True),
    ),
    "refund code as number": (InvalidRequestError, lambda a: a.query(ORDER, 5)),  # type: ignore[arg-type]
    "currency in lower case, quote": (InvalidRequestError, lambda a: a.quote(ORDER, [ZHAO], display_currency="eur")),
    "currency in lower case, submit": (
        InvalidRequestError,
        lambda a: a.submit(ORDER, offer_id="q_1", display_currency="eur"),
    ),
    "currency in lower case, query": (InvalidRequestError, lambda a: a.query(ORDER, "1", display_currency="eur")),
    "currency with a line break": (InvalidRequestError, lambda a: a.quote(ORDER, [ZHAO], display_currency="EUR\n")),
    "empty currency": (InvalidRequestError, lambda a: a.quote(ORDER, [ZHAO], display_currency="")),
}


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_a_mistake_has_its_error_and_nothing_is_sent(mistake: str, wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers({"status": 0}))
    kind, attempt = MISTAKES[mistake]
    with pytest.raises(kind) as caught:
        await attempt(atlas)
    assert isinstance(caught.value, InvalidRequestError | ValueError)
    assert len(str(caught.value)) > 20
    assert (wire.calls, wire.connections) == ([], 0)


async def test_what_is_quoted_as_not_refundable_is_submitted_on_demand(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers({"status": 0}))
    await atlas.submit(a_quote(isRefundable=False, refundOfferId="q_1"), even_if_not_refundable=True)
    assert wire.calls[0].json["refundOfferId"] == "q_1"


CALLS: dict[str, Attempt] = {
    "quote": lambda a: a.quote(ORDER, [ZHAO]),
    "submit": lambda a: a.submit(ORDER, offer_id="q_1"),
    "query": lambda a: a.query(ORDER, "1"),
    "get": lambda a: a.get(ORDER, "1"),
}


@pytest.mark.parametrize("call", CALLS)
async def test_a_closed_client_says_so(call: str, wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers({"status": 0}))
    await atlas.aclose()
    with pytest.raises(ConfigurationError, match="closed"):
        await CALLS[call](atlas)
    await atlas.aclose()
    assert wire.connections == 0


@pytest.mark.parametrize("call", CALLS)
async def test_a_closed_client_of_the_user_says_so(call: str, wire: WireServer) -> None:
    http = httpx.AsyncClient()
    await http.aclose()
    atlas = AtlasRefunds(CREDENTIALS, base_url=wire.url, http_client=http)
    with pytest.raises(ConfigurationError, match="closed"):
        await CALLS[call](atlas)
    assert wire.connections == 0


# ---- settings --------------------------------------------------------------------------------------------------------
BAD_TEXT: list[Any] = ["", None, " ", "a b", "a\n", "a\r\nX-Evil: 1", "schlüssel", "a\x00", "a\t", b"bytes", 5]


@pytest.mark.parametrize("bad", BAD_TEXT)
def test_credentials_that_no_header_can_carry(bad: Any) -> None:
    for pair in ((bad, "secret-0815"), ("client-4711", bad)):
        with pytest.raises(ConfigurationError) as caught:
            Credentials(*pair)
        assert "4711" not in str(caught.value)
        assert "0815" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="client_secret"):
        Credentials("client-4711", bad)


BAD_URLS: list[Any] = [
    *["", None, "atlas.example.com", "//atlas.example.com", "https://", "https:///path", "ftp://atlas.example.com"],
    *["https://user@atlas.example.com", "https://user:word@atlas.example.com", "https://:word@atlas.example.com"],
    *["https://atlas.example.com/?a=1", "https://atlas.example.com/#part"],
    *["http://atlas.example.com", "http://10.0.0.1", "http://0.0.0.0", "http://127.0.0.1.evil.example"],
    *["http://localhost.evil.example", "http://127.0.0.1:80@evil.example", "http://[::2]"],
    *["https://[::1", "https://atlas.example.com:99999", "https://atlas.example.com:port", "https://at las.example"],
    *["https://atlas.example.com\n", "https://atlas.example.com\\evil", 5],
    *["https://atlas.example.com\x00", "https://atlas.example.com/\x7f", "https://atlas.example.com/\x1b[31m"],
    *[
        "https://@atlas.example.com",
        "https://:@atlas.example.com",
        "https://atlas.example.com/?",
        "https://a.example/#",
    ],
    *["https://atlas.example.com/a/../b", "https://atlas.example.com/.", "https://atlas.example.com/.."],
    *["https://atlas.example.com/%0d%0aX:1", "https://atlas.example.com/%2e%2e/", "https://ätlas.example.com"],
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_an_address_that_cannot_work_or_would_give_the_secret_away(url: Any) -> None:
    with pytest.raises(ConfigurationError, match="base_url"):
        AtlasRefunds(CREDENTIALS, base_url=url)


@pytest.mark.parametrize(
    "url",
    [
        *[SANDBOX_URL, "https://api.example.com/", "https://api.example.com:8443/atlas/", "HTTPS://api.example.com"],
        *[
            "https://api.example.com/v1.2/..refunds",
            "http://127.0.0.1:8080",
            "http://localhost:1",
            "http://[::1]:1",
            "http://127.8.9.1",
        ],
    ],
)
async def test_an_address_that_works(url: str) -> None:
    async with AtlasRefunds(CREDENTIALS, base_url=url):
        pass


async def test_a_path_in_the_address_comes_before_the_endpoint(wire: WireServer) -> None:
    wire.plays(answers({"status": 0}))
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url + "/atlas/") as atlas:
        await atlas.query(ORDER, "1")
    assert wire.calls[0].path == "/atlas/queryRefundOrders.do"


ENVIRONMENT = {
    "ATLAS_CLIENT_ID": "client-4711",
    "ATLAS_CLIENT_SECRET": "secret-0815",
    "ATLAS_BASE_URL": "https://user-0815.example.com",
}


@pytest.mark.parametrize("absent", [{name} for name in ENVIRONMENT] + [set(ENVIRONMENT)])
@pytest.mark.parametrize("empty", [True, False])
def test_the_environment_lacks_something(absent: set[str], empty: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        if name not in absent:
            monkeypatch.setenv(name, value)
        elif empty:
            monkeypatch.setenv(name, "")
        else:
            monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigurationError) as caught:
        AtlasRefunds.from_env()
    assert {name for name in ENVIRONMENT if name in str(caught.value)} == absent
    assert not any(value in str(caught.value) for value in ENVIRONMENT.values())


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_bad_value_in_the_environment_is_not_shown(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in {**ENVIRONMENT, name: "http://bad value"}.items():
        monkeypatch.setenv(key, value)
    with pytest.raises(ConfigurationError) as caught:
        AtlasRefunds.from_env()
    assert "bad value" not in str(caught.value)


async def test_the_environment_is_enough(wire: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
    wire.plays(answers({"status": 0}))
    for key, value in {**ENVIRONMENT, "ATLAS_BASE_URL": wire.url}.items():
        monkeypatch.setenv(key, value)
    async with AtlasRefunds.from_env(timeouts=Timeouts(query=timedelta(seconds=5))) as atlas:
        await atlas.query(OrderNo("X1"), "1")
    assert ("x-atlas-client-secret", "secret-0815") in wire.calls[0].headers


SECOND, DAYS = timedelta(seconds=1), timedelta(days=2)
BAD_SETTINGS: list[Callable[[], object]] = [
    lambda: Timeouts(quote=timedelta()),
    lambda: Timeouts(submit=-SECOND),
    lambda: Timeouts(connect=DAYS),
    lambda: Timeouts(query=5),  # type: ignore[arg-type]
    lambda: RetryPolicy(attempts=0),
    lambda: RetryPolicy(attempts=101),
    lambda: RetryPolicy(base=-SECOND),
    lambda: RetryPolicy(longest=DAYS),
    lambda: RetryPolicy(deadline=-SECOND),
    lambda: PollSchedule(later=timedelta()),
    lambda: PollSchedule(steps=((SECOND, -SECOND),)),
    lambda: PollSchedule(jitter=1),
    lambda: PollSchedule(jitter=-0.1),
    lambda: PollSchedule(jitter=float("nan")),
    lambda: PollSchedule(failures=0),
]


@pytest.mark.parametrize("make", BAD_SETTINGS)
def test_a_setting_that_cannot_work(make: Callable[[], object]) -> None:
    with pytest.raises(ConfigurationError, match="give"):
        make()


@pytest.mark.parametrize("day", [date(2025, 5, 13), date(2025, 12, 1)])
async def test_a_date_is_sent_as_eight_digits(day: date, wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers({"status": 0}))
    await atlas.quote(ORDER, [person(segments=[segment(dep_date=day)])])
    sent = wire.calls[0].json["refundRequestList"][0]["segments"][0]["depDate"]
    assert (len(sent), int(sent)) == (8, day.year * 10000 + day.month * 100 + day.day)
