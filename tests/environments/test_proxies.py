"""Egress as companies have it: a CONNECT proxy, by argument and by environment."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import aiohttp
import attrs
import httpx
import httpx2
import pytest

from atlas_refunds import AtlasRefunds, ConfigurationError, NotSentError, OutcomeUnknownError, Timeouts
from tests.layer.conftest import CODE, CREDENTIALS, ONCE, ORDER, SUBMITTED, ZHAO, free_port
from tests.layer.test_submit import EAGER, SHORT, UNCLEAR, watch_for_doubles
from tests.layer.wire_server import WireServer, answers, never_answers, wire_server

from . import proxy as proxies
from .conftest import Authority
from .proxy import Proxy, proxy_before, refuses, says

ATLAS = "https://atlas.test"  # a name that only the proxy knows
pytestmark = pytest.mark.atlas_hosts("atlas.test")
LISTED = {**SUBMITTED, "refundOrders": [{"refundCode": CODE, "refundStatus": 2}]}


@attrs.frozen
class Office:
    """Atlas with TLS, and the proxy on the way to it."""

    wire: WireServer
    proxy: Proxy
    authority: Authority

    def client(self, **settings: Any) -> AtlasRefunds:
        given = {"base_url": ATLAS, "tls": self.authority.client(), "retry": ONCE, **settings}
        return AtlasRefunds(CREDENTIALS, **given)

    def client_by_argument(self, **settings: Any) -> AtlasRefunds:
        return self.client(proxy=self.proxy.url, **settings)


@pytest.fixture
async def office(authority: Authority) -> AsyncIterator[Office]:
    async with wire_server(tls=authority.server("atlas.test", "127.0.0.1")) as wire, proxy_before(wire.port) as proxy:
        wire.plays(answers(LISTED))
        yield Office(wire, proxy, authority)


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme}_proxy".upper(), raising=False)


async def everything(atlas: AtlasRefunds) -> None:
    async with atlas:
        await atlas.quote(ORDER, [ZHAO])
        await atlas.query(ORDER, CODE)
        await atlas.submit(ORDER, offer_id="q_1")


# ---- through it ------------------------------------------------------------------------------------------------------
async def test_calls_go_through_the_tunnel_and_a_submit_has_one_of_its_own(office: Office) -> None:
    async with office.client_by_argument() as atlas:
        await atlas.quote(ORDER, [ZHAO])
        await atlas.query(ORDER, CODE)
        await atlas.submit(ORDER, offer_id="q_1")
        await atlas.query(ORDER, CODE)
    assert [call.connection for call in office.wire.calls] in ([1, 1, 2, 1], [1, 1, 2, 2])
    assert office.proxy.lines == ["CONNECT atlas.test:443"] * 2
    await office.proxy.is_quiet()


async def test_secrets_stay_between_those_they_are_for(office: Office) -> None:
    office.proxy.login = "clerk:p@ss:word"
    await everything(office.client(proxy=f"http://clerk:p%40ss%3Aword@127.0.0.1:{office.proxy.port}"))
    for asked in office.proxy.asked:
        assert asked.login == office.proxy.login
        assert not [name for name in asked.headers if name.startswith("x-atlas")]
    assert "proxy-authorization" not in {name.lower() for call in office.wire.calls for name, _ in call.headers}


# ---- refused tunnels: nothing was sent, and the words say so ---------------------------------------------------------
REFUSALS: dict[str, tuple[proxies.Act, str]] = {
    "hangs up": (proxies.hangs_up_at_once, ""),
    "hangs up when asked": (says(b""), ""),
    "no HTTP": (says(b"220 mail.example.com ESMTP ready\r\n"), ""),
    "half an answer": (says(b"HTTP/1.1 200 Conn"), ""),
    "403": (refuses(403), "403"),
    "407": (refuses(407, 'Proxy-Authenticate: Basic realm="corp"'), "407"),
    "502": (refuses(502), "502"),
    "a redirect": (refuses(302, "Location: http://login.corp.example"), "302"),
    "headers without end": (says(b"HTTP/1.1 200 OK\r\n" + b"X-Padding: 1\r\n" * 100_000), ""),
    "200 and then nothing": (says(b"HTTP/1.1 200 OK\r\n\r\n"), ""),
    "200 and then no TLS": (says(b"HTTP/1.1 200 OK\r\n\r\n<html>Welcome to the hotel</html>"), ""),
}


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_a_tunnel_that_does_not_come_about_has_sent_nothing(refusal: str, office: Office) -> None:
    office.proxy.act, reason = REFUSALS[refusal]
    async with office.client(proxy=f"http://clerk:hush-hush@127.0.0.1:{office.proxy.port}") as atlas:
        for call in (atlas.quote(ORDER, [ZHAO]), atlas.query(ORDER, CODE), atlas.submit(ORDER, offer_id="q_1")):
            with pytest.raises(NotSentError, match="nothing was sent") as caught:
                await call
            assert reason in str(caught.value)
            assert "proxy" in str(caught.value)
            assert f"127.0.0.1:{office.proxy.port}" in str(caught.value)
            assert "hush" not in str(caught.value)
        assert atlas.unsettled == ()
    assert office.wire.calls == []
    await office.proxy.is_quiet()


async def test_a_proxy_that_does_not_answer_has_the_time_for_connecting(office: Office) -> None:
    office.proxy.act = proxies.never_answers
    timeouts = Timeouts(connect=timedelta(seconds=0.1), submit=timedelta(seconds=5))
    async with office.client_by_argument(timeouts=timeouts) as atlas:
        with pytest.raises(NotSentError, match=r"proxy 127.0.0.1:.*not in time.*nothing was sent"):
            await atlas.submit(ORDER, offer_id="q_1")
    await office.proxy.is_quiet()


async def test_no_proxy_there(office: Office) -> None:
    port = free_port()
    async with office.client(proxy=f"http://127.0.0.1:{port}") as atlas:
        with pytest.raises(NotSentError, match=f"127.0.0.1:{port}.*nothing was sent"):
            await atlas.submit(ORDER, offer_id="q_1")


async def test_a_refused_tunnel_is_tried_again(office: Office) -> None:
    """As it was not sent, also for a submit."""
    tries = 0

    async def open_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        tries += 1
        office.proxy.act = None if tries == 2 else open_up
        await refuses(502)(reader, writer)

    office.proxy.act = open_up
    async with office.client_by_argument(retry=attrs.evolve(EAGER, base=timedelta())) as atlas:
        assert (await atlas.submit(ORDER, offer_id="q_1")).refund_code == CODE
    watch_for_doubles(office.wire)
    assert len(office.proxy.asked) == 3


async def test_a_call_cancelled_while_the_proxy_thinks_leaves_no_connection(office: Office) -> None:
    asked = asyncio.Event()

    async def thinks(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()

    office.proxy.act = thinks
    async with office.client_by_argument() as atlas:
        call = asyncio.create_task(atlas.submit(ORDER, offer_id="q_1"))
        await asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await office.proxy.is_quiet()
        assert atlas.unsettled == ()


# ---- lost answers ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("fault", UNCLEAR)
async def test_whatever_is_not_a_clear_answer_leaves_the_outcome_open(fault: str, office: Office) -> None:
    act, _, refund_code = UNCLEAR[fault]
    office.wire.plays(act)
    timeouts = SHORT if act is never_answers or "slowly" in fault else None
    async with office.client_by_argument(retry=EAGER, timeouts=timeouts) as atlas:
        with pytest.raises(OutcomeUnknownError) as caught:
            await atlas.submit(ORDER, offer_id="q_1")
    assert caught.value.refund_code == refund_code
    watch_for_doubles(office.wire)
    assert office.proxy.lines == ["CONNECT atlas.test:443"]


async def test_not_sent_is_never_said_of_what_arrived(office: Office) -> None:
    """The tunnel dies after each number of bytes in turn; a submit is on its way through it."""
    async with office.client_by_argument() as atlas:
        await atlas.submit(ORDER, offer_id="q_1")
    async with office.client_by_argument() as atlas:
        whole, outcomes = office.proxy.carried, []
        office.wire.plays(never_answers)
        for budget in (*range(1, whole, whole // 25), whole):
            office.proxy.budget, office.proxy.carried = budget, 0
            office.wire.calls.clear()
            with pytest.raises((NotSentError, OutcomeUnknownError)) as caught:
                await atlas.submit(ORDER, offer_id="q_1")
            await office.wire.is_quiet()
            assert len(office.wire.calls) == (budget == whole)
            assert not (office.wire.calls and isinstance(caught.value, NotSentError))
            outcomes.append(type(caught.value))
    assert (outcomes[0], outcomes[-1]) == (NotSentError, OutcomeUnknownError)


# ---- clients that were made elsewhere --------------------------------------------------------------------------------
def session_of_aiohttp(*, proxy: str, verify: ssl.SSLContext) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(proxy=proxy, connector=aiohttp.TCPConnector(ssl=verify))


INJECTED: dict[str, Callable[..., Any]] = {
    "httpx": httpx.AsyncClient,
    "httpx2": httpx2.AsyncClient,
    "aiohttp": session_of_aiohttp,
}


@pytest.mark.parametrize("kind", INJECTED)
@pytest.mark.parametrize("status", [403, 407, 502])
async def test_a_tunnel_refused_to_an_injected_client_has_sent_nothing(kind: str, status: int, office: Office) -> None:
    office.proxy.act = refuses(status)
    async with INJECTED[kind](proxy=office.proxy.url, verify=office.authority.client()) as http:
        atlas = AtlasRefunds(CREDENTIALS, base_url=ATLAS, http_client=http, retry=ONCE)
        with pytest.raises(NotSentError, match=f"HTTP {status}.*nothing was sent"):
            await atlas.submit(ORDER, offer_id="q_1")
    assert office.wire.calls == []


@pytest.mark.parametrize("kind", INJECTED)
@pytest.mark.parametrize("fault", ["closed before the answer", "HTTP 502", "truncated JSON", "code 9999"])
async def test_an_answer_that_an_injected_client_loses_leaves_the_outcome_open(
    kind: str, fault: str, office: Office
) -> None:
    office.wire.plays(UNCLEAR[fault][0])
    async with INJECTED[kind](proxy=office.proxy.url, verify=office.authority.client()) as http:
        atlas = AtlasRefunds(CREDENTIALS, base_url=ATLAS, http_client=http, retry=EAGER)
        with pytest.raises(OutcomeUnknownError):
            await atlas.submit(ORDER, offer_id="q_1")
    watch_for_doubles(office.wire)
    assert office.proxy.lines == ["CONNECT atlas.test:443"]


# ---- the environment -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("scheme", ["http://", ""])
async def test_the_environment_names_the_proxy(
    name: str, scheme: str, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.proxy.login = "clerk:word"
    monkeypatch.setenv(name, f"{scheme}clerk:word@127.0.0.1:{office.proxy.port}")
    await everything(office.client())
    assert set(office.proxy.lines) == {"CONNECT atlas.test:443"}


@pytest.mark.parametrize("exception", ["127.0.0.1", "*", "example.org, 127.0.0.1"])
async def test_the_environment_names_exceptions(
    exception: str, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", office.proxy.url)
    monkeypatch.setenv("NO_PROXY", exception)
    await everything(office.client(base_url=office.wire.url))
    assert office.proxy.asked == []
    assert len(office.wire.calls) == 3


async def test_another_exception_is_none_for_us(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", office.proxy.url)
    monkeypatch.setenv("NO_PROXY", "example.org, 127.0.0.2")
    await everything(office.client(base_url=office.wire.url))
    assert set(office.proxy.lines) == {f"CONNECT 127.0.0.1:{office.wire.port}"}


async def test_without_trust_in_the_environment_no_proxy_is_asked(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", office.proxy.url)
    monkeypatch.setenv("ALL_PROXY", office.proxy.url)
    await everything(office.client(base_url=office.wire.url, trust_env=False))
    assert office.proxy.asked == []


async def test_the_argument_wins_over_the_environment(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NO_PROXY", "atlas.test")
    await everything(office.client_by_argument())
    assert set(office.proxy.lines) == {"CONNECT atlas.test:443"}


async def test_plain_http_is_handed_to_the_proxy_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A local Atlas behind HTTP_PROXY: no tunnel, and an answer that the proxy loses is lost."""
    async with wire_server() as wire, proxy_before(wire.port) as proxy:
        wire.plays(answers(LISTED))
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        async with AtlasRefunds(CREDENTIALS, base_url=wire.url, retry=ONCE) as atlas:
            await atlas.submit(ORDER, offer_id="q_1")
            assert proxy.lines == [f"POST {wire.url}/refund.do"]
            watch_for_doubles(wire)
            proxy.act = refuses(502)
            with pytest.raises(OutcomeUnknownError):
                await atlas.submit(ORDER, offer_id="q_1")
            proxy.act = says(b"")
            with pytest.raises(OutcomeUnknownError):
                await atlas.submit(ORDER, offer_id="q_1")
        watch_for_doubles(wire)


@pytest.mark.parametrize("proxy", ["proxy.example:3128", "ftp://proxy.example", "http://", "http://proxy.example:x"])
def test_a_proxy_that_is_none_is_refused_when_it_is_given(proxy: str) -> None:
    with pytest.raises(ConfigurationError, match="proxy"):
        AtlasRefunds(CREDENTIALS, base_url=ATLAS, proxy=proxy)
