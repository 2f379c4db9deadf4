"""A client that the user made stays the user's."""

import json
from collections.abc import Callable
from typing import Any

import aiohttp
import httpx
import httpx2
import httpx_aiohttp
import pytest
from httpcore._trace import Trace

from atlas_refunds import (
    ApiError,
    AtlasRefunds,
    BadResponseError,
    ConfigurationError,
    NoAnswerError,
    NotSentError,
    OutcomeUnknownError,
)
from atlas_refunds.simulator import Simulator

from .conftest import CODE, CREDENTIALS, ONCE, ORDER, SUBMITTED, ZHAO, World, free_port
from .test_hostile import CORRECT
from .test_submit import EAGER, SHORT, UNCLEAR, watch_for_doubles
from .wire_server import (
    Act,
    WireServer,
    answers,
    answers_gzipped,
    closes_before_answer,
    head,
    never_answers,
    refuses,
    sends,
)

FINE = {"status": 0, "refundOrders": []}


def settings_of(http: httpx.AsyncClient) -> dict[str, Any]:
    return {
        "headers": list(http.headers.items()),
        "timeout": http.timeout,
        "base_url": http.base_url,
        "is_closed": http.is_closed,
        "follow_redirects": http.follow_redirects,
        "params": http.params,
        "cookies": dict(http.cookies),
        "auth": http.auth,
        "hooks": {name: list(hooks) for name, hooks in http.event_hooks.items()},
        "max_redirects": http.max_redirects,
    }


async def test_it_is_neither_closed_nor_altered(wire: WireServer) -> None:
    wire.plays(answers({**SUBMITTED, "refundOrders": []}))
    seen: list[httpx.Request] = []

    async def hook(request: httpx.Request) -> None:
        seen.append(request)

    async with httpx.AsyncClient(
        base_url="https://elsewhere.example", headers={"X-Mine": "1"}, timeout=7, event_hooks={"request": [hook]}
    ) as http:
        before = settings_of(http)
        async with AtlasRefunds(CREDENTIALS, base_url=wire.url, http_client=http) as atlas:
            await atlas.quote(ORDER, [ZHAO])
            await atlas.submit(ORDER, offer_id="q_1")
            await atlas.query(ORDER, None)
        assert settings_of(http) == before
        assert (await http.get(wire.url + "/mine")).status_code == 200
    assert [call.path for call in wire.calls][-1] == "/mine"
    assert not any(name.lower().startswith("x-atlas") for name, _ in wire.calls[-1].headers)
    assert len(seen) == 4


async def test_its_own_headers_are_sent_and_ours_win(wire: WireServer) -> None:
    wire.plays(answers(FINE))
    theirs = {"X-Mine": "1", "Accept": "text/html", "x-atlas-client-secret": "another"}
    async with httpx.AsyncClient(headers=theirs) as http:
        await AtlasRefunds(CREDENTIALS, base_url=wire.url, http_client=http).query(ORDER, None)
    headers = httpx.Headers(list(wire.calls[0].headers))
    assert headers.get_list("accept") == ["application/json"]
    assert headers.get_list("x-atlas-client-secret") == [CREDENTIALS.client_secret]
    assert headers["x-mine"] == "1"


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_not_even_by_a_client_that_would(
    own: bool, status: int, wire: WireServer
) -> None:
    wire.plays(answers(b"", status, Location=wire.url + "/elsewhere"))
    async with httpx.AsyncClient(follow_redirects=True) as http:
        atlas = AtlasRefunds(CREDENTIALS, base_url=wire.url, http_client=None if own else http)
        async with atlas:
            with pytest.raises(ApiError) as caught:
                await atlas.query(ORDER, None)
            with pytest.raises(OutcomeUnknownError):
                await atlas.submit(ORDER, offer_id="q_1")
    assert caught.value.http_status == status
    assert [call.path for call in wire.calls] == ["/queryRefundOrders.do", "/refund.do"]


async def test_a_mock_transport_will_do() -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        assert request.url == "https://sandbox.atriptech.com/refund.do"
        assert json.loads(request.content)["refundOfferId"] == "q_1"
        return httpx.Response(200, json=SUBMITTED)

    async with httpx.AsyncClient(transport=httpx.MockTransport(reply)) as http:
        atlas = AtlasRefunds(CREDENTIALS, base_url="https://sandbox.atriptech.com", http_client=http)
        assert (await atlas.submit(ORDER, offer_id="q_1")).refund_code == SUBMITTED["refundCode"]


async def test_an_asgi_application_will_do(world: World) -> None:
    refund = await world.refund("SIM-REFUNDED")
    (state,) = await world.atlas.query(refund.order, refund.refund_code)
    assert state.refund_code == refund.refund_code
    assert isinstance(world.simulator, Simulator)


NOT_CONNECTED = [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError]
SENT_PERHAPS = [httpx.ReadError, httpx.WriteError, httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.CloseError]


def failing(error: Exception) -> httpx.AsyncClient:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    return httpx.AsyncClient(transport=httpx.MockTransport(fail))


@pytest.mark.parametrize("kind", NOT_CONNECTED)
async def test_a_submit_takes_no_transports_word_for_it(kind: type[httpx.TransportError]) -> None:
    async with failing(kind("CANARY")) as http:
        atlas = AtlasRefunds(CREDENTIALS, base_url="https://atlas.example", http_client=http, retry=ONCE)
        with pytest.raises(NotSentError) as caught:
            await atlas.query(ORDER, None)
        assert type(caught.value.__cause__) is kind
        with pytest.raises(OutcomeUnknownError):
            await atlas.submit(ORDER, offer_id="q_1")


@pytest.mark.parametrize("kind", [*SENT_PERHAPS, OSError])
async def test_every_other_failure_may_have_been_sent(kind: type[Exception]) -> None:
    async with failing(kind("CANARY")) as http:
        atlas = AtlasRefunds(CREDENTIALS, base_url="https://atlas.example", http_client=http, retry=ONCE)
        with pytest.raises(NoAnswerError, match=kind.__name__):
            await atlas.query(ORDER, None)
        with pytest.raises(OutcomeUnknownError, match=kind.__name__):
            await atlas.submit(ORDER, offer_id="q_1")


@pytest.mark.parametrize("kind", [RuntimeError, ZeroDivisionError])
async def test_a_mistake_in_a_program_comes_out_as_itself(kind: type[Exception]) -> None:
    async with failing(kind("mine")) as http:
        atlas = AtlasRefunds(CREDENTIALS, base_url="https://atlas.example", http_client=http, retry=ONCE)
        with pytest.raises(kind, match="mine"):
            await atlas.query(ORDER, None)
        with pytest.raises((OutcomeUnknownError, kind)):
            await atlas.submit(ORDER, offer_id="q_1")
        assert len(atlas.unsettled) == 1


async def test_a_hook_that_reads_the_answer_does_not_take_it_away(wire: WireServer) -> None:
    async def hook(response: httpx.Response) -> None:
        await response.aread()

    wire.plays(answers_gzipped(SUBMITTED), answers(SUBMITTED), answers(b" " * 9_000_000))
    async with httpx.AsyncClient(event_hooks={"response": [hook]}) as http:
        atlas = AtlasRefunds(CREDENTIALS, base_url=wire.url, http_client=http)
        for _ in range(2):
            assert (await atlas.submit(ORDER, offer_id="q_1")).refund_code == SUBMITTED["refundCode"]
        with pytest.raises(BadResponseError, match="too large"):
            await atlas.query(ORDER, None)


@pytest.mark.parametrize(
    "renamed", ["http11.send_request_headers", "http11.send_request_body", "connection.connect_tcp"]
)
@pytest.mark.parametrize("act", [closes_before_answer, never_answers])
async def test_a_renamed_event_of_the_trace_never_makes_a_submit_repeatable(
    renamed: str, act: Act, wire: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """httpcore calls the names of these events unstable."""
    name, original = renamed.partition(".")[2], Trace.__init__

    def init(self: Trace, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if self.name == name:
            self.name = "something_new"

    monkeypatch.setattr(Trace, "__init__", init)
    wire.plays(act)
    async with httpx.AsyncClient() as http:
        atlas = AtlasRefunds(CREDENTIALS, base_url=wire.url, http_client=http, retry=EAGER, timeouts=SHORT)
        with pytest.raises(OutcomeUnknownError):
            await atlas.submit(ORDER, offer_id="q_1")
    watch_for_doubles(wire)


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_bytes_behind_an_answer_are_never_the_next_answer(library: Any, wire: WireServer) -> None:
    quote, foreign = json.dumps({"status": 0, "refundOrders": []}).encode(), json.dumps({"status": 810}).encode()
    both = head(200, length=len(quote)) + quote + head(200, length=len(foreign)) + foreign
    wire.plays(sends(both), answers(SUBMITTED))
    async with library.AsyncClient() as http:
        atlas = AtlasRefunds(CREDENTIALS, base_url=wire.url, http_client=http, retry=ONCE)
        assert await atlas.query(ORDER, None) == []
        assert (await atlas.submit(ORDER, offer_id="q_1")).refund_code == SUBMITTED["refundCode"]
    assert [call.connection for call in wire.calls] == [1, 2]


async def test_a_flow_of_several_requests_does_not_send_a_submit_twice(wire: WireServer) -> None:
    challenge = 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5'
    wire.plays(answers(b"", 401, WWW_Authenticate=challenge), answers(SUBMITTED))
    async with httpx.AsyncClient(auth=httpx.DigestAuth("user", "password")) as http:
        atlas = AtlasRefunds(CREDENTIALS, base_url=wire.url, http_client=http, retry=EAGER)
        with pytest.raises(ApiError):
            await atlas.submit(ORDER, offer_id="q_1")
        assert [call.path for call in wire.calls] == ["/refund.do"]
        http.auth = httpx.BasicAuth("user", "password")  # one header, one request
        await atlas.submit(ORDER, offer_id="q_1")
    assert dict(wire.calls[-1].headers)["Authorization"].startswith("Basic ")
    assert [call.path for call in wire.calls] == ["/refund.do"] * 2


# ---- clients of all kinds --------------------------------------------------------------------------------------------
KINDS: dict[str, Callable[[], Any]] = {
    "httpx": httpx.AsyncClient,
    "httpx2": httpx2.AsyncClient,
    "httpx over aiohttp": httpx_aiohttp.HttpxAiohttpClient,  # says ConnectTimeout when the server hangs up
    "aiohttp": aiohttp.ClientSession,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", UNCLEAR)
async def test_whatever_is_not_a_clear_answer_is_never_sent_again(kind: str, fault: str, wire: WireServer) -> None:
    act, _, refund_code = UNCLEAR[fault]
    wire.plays(act)
    timeouts = SHORT if act is never_answers or "slowly" in fault else None
    async with KINDS[kind]() as http:
        atlas = AtlasRefunds(CREDENTIALS, base_url=wire.url, http_client=http, retry=EAGER, timeouts=timeouts)
        with pytest.raises(OutcomeUnknownError) as caught:
            await atlas.submit(ORDER, offer_id="q_1")
    watch_for_doubles(wire)
    assert caught.value.refund_code in (refund_code, None)  # some keep nothing of an answer that they cannot read


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("act", CORRECT.values(), ids=CORRECT)
async def test_a_correct_answer_is_read_and_the_client_stays_open(kind: str, act: Act, wire: WireServer) -> None:
    wire.plays(act)
    http = KINDS[kind]()
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, http_client=http) as atlas:
        assert (await atlas.get(ORDER, CODE)).is_final
        assert json.loads(wire.calls[0].body)["refundCode"] == CODE
    if kind == "aiohttp":
        assert not http.closed
        await http.close()
    else:
        assert not http.is_closed
        await http.aclose()
    atlas = AtlasRefunds(CREDENTIALS, base_url=wire.url, http_client=http)
    with pytest.raises(ConfigurationError, match="closed"):
        await atlas.get(ORDER, CODE)


@pytest.mark.parametrize("kind", ["httpx", "httpx2", "aiohttp"])
@pytest.mark.parametrize("base_url", ["https://atlas.invalid", "http://127.0.0.1:{free}", "https://127.0.0.1:{wire}"])
async def test_what_never_connected_was_not_sent(kind: str, base_url: str, wire: WireServer) -> None:
    wire.greeting = b"220 mail.example.com ESMTP ready\r\n"  # speaks no TLS
    url = base_url.format(free=free_port(), wire=wire.port)
    async with KINDS[kind]() as http:
        atlas = AtlasRefunds(CREDENTIALS, base_url=url, http_client=http, retry=ONCE)
        with pytest.raises(NotSentError):
            await atlas.submit(ORDER, offer_id="q_1")
    assert wire.calls == []


async def test_a_session_of_aiohttp_keeps_its_settings_and_ours_win(wire: WireServer) -> None:
    wire.plays(refuses(801), answers(b"", 302, Location=wire.url + "/elsewhere"))
    theirs = {"X-Mine": "1", "Accept": "text/html", "x-atlas-client-secret": "another"}
    async with aiohttp.ClientSession("https://elsewhere.example", headers=theirs, raise_for_status=True) as session:
        atlas = AtlasRefunds(CREDENTIALS, base_url=wire.url, http_client=session, retry=ONCE)
        for code in (801, None):
            with pytest.raises(ApiError) as caught:
                await atlas.query(ORDER, None)
            assert caught.value.code == code
    headers = httpx.Headers(list(wire.calls[0].headers))
    assert headers.get_list("accept") == ["application/json"]
    assert headers.get_list("accept-encoding") == ["gzip"]
    assert headers.get_list("x-atlas-client-secret") == [CREDENTIALS.client_secret]
    assert headers["x-mine"] == "1"
    assert [call.path for call in wire.calls] == ["/queryRefundOrders.do"] * 2
