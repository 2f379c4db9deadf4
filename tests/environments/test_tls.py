"""TLS with an authority of one's own, by argument and by environment, and what a handshake that fails says."""

import asyncio
import re
import ssl
from collections.abc import Callable
from datetime import UTC, datetime

import attrs
import pytest

from atlas_refunds import AtlasRefunds, NotSentError, OutcomeUnknownError
from tests.layer.conftest import CODE, CREDENTIALS, ONCE, ORDER, SUBMITTED, ZHAO
from tests.layer.test_submit import EAGER, SHORT, UNCLEAR, watch_for_doubles
from tests.layer.wire_server import answers, never_answers, wire_server

from .conftest import Authority

LISTED = {**SUBMITTED, "refundOrders": [{"refundCode": CODE, "refundStatus": 2}]}


async def test_calls_trust_an_authority_of_ones_own(authority: Authority) -> None:
    async with wire_server(tls=authority.server("127.0.0.1")) as wire:
        wire.plays(answers(LISTED))
        async with AtlasRefunds(CREDENTIALS, base_url=wire.url, tls=authority.client()) as atlas:
            await atlas.quote(ORDER, [ZHAO])
            await atlas.query(ORDER, CODE)
            await atlas.submit(ORDER, offer_id="q_1")
        assert [call.connection for call in wire.calls] == [1, 1, 2]
        await wire.is_quiet()


async def test_the_environment_names_the_authority(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with wire_server(tls=authority.server("127.0.0.1")) as wire:
        wire.plays(answers(LISTED))
        async with AtlasRefunds(CREDENTIALS, base_url=wire.url, retry=ONCE) as atlas:
            await atlas.submit(ORDER, offer_id="q_1")
        async with AtlasRefunds(CREDENTIALS, base_url=wire.url, retry=ONCE, trust_env=False) as atlas:
            with pytest.raises(NotSentError, match="certificate verify failed"):
                await atlas.submit(ORDER, offer_id="q_1")
        watch_for_doubles(wire)


@pytest.mark.parametrize("fault", UNCLEAR)
async def test_whatever_is_not_a_clear_answer_leaves_the_outcome_open(fault: str, authority: Authority) -> None:
    act, _, refund_code = UNCLEAR[fault]
    timeouts = SHORT if act is never_answers or "slowly" in fault else None
    async with wire_server(tls=authority.server("127.0.0.1")) as wire:
        wire.plays(act)
        async with AtlasRefunds(
            CREDENTIALS, base_url=wire.url, tls=authority.client(), retry=EAGER, timeouts=timeouts
        ) as atlas:
            with pytest.raises(OutcomeUnknownError) as caught:
                await atlas.submit(ORDER, offer_id="q_1")
        assert caught.value.refund_code == refund_code
        watch_for_doubles(wire)


# ---- handshakes that fail --------------------------------------------------------------------------------------------
@attrs.frozen
class Handshake:
    server: ssl.SSLContext
    client: ssl.SSLContext


def expired(authority: Authority) -> Handshake:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.ca.issue_cert("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC)).configure_cert(context)
    return Handshake(context, authority.client())


def nameless(authority: Authority) -> Handshake:
    """The server wants to know who calls, and says so during the handshake, as TLS 1.2 has it."""
    server = authority.server("127.0.0.1", clients=True)
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    return Handshake(server, authority.client())


HANDSHAKES: dict[str, Callable[[Authority], Handshake]] = {
    r"certificate verify failed \(unable to get local issuer certificate\)": lambda authority: Handshake(
        authority.server("127.0.0.1"), ssl.create_default_context()
    ),
    r"certificate verify failed \(IP address mismatch": lambda authority: Handshake(
        authority.server("localhost"), authority.client()
    ),
    r"certificate verify failed \(certificate has expired\)": expired,
    "the connection was closed during the TLS handshake": nameless,
}


@pytest.mark.parametrize("reason", HANDSHAKES)
async def test_a_handshake_that_fails_has_sent_nothing_and_says_why(reason: str, authority: Authority) -> None:
    handshake = HANDSHAKES[reason](authority)
    async with wire_server(tls=handshake.server) as wire:
        async with AtlasRefunds(CREDENTIALS, base_url=wire.url, tls=handshake.client, retry=ONCE) as atlas:
            for call in (lambda: atlas.query(ORDER, CODE), lambda: atlas.submit(ORDER, offer_id="q_1")):
                with pytest.raises(NotSentError) as caught:
                    await call()
                assert re.search(
                    rf": cannot connect to 127.0.0.1:{wire.port}: {reason}.*; nothing was sent$", str(caught.value)
                )
        assert wire.calls == []


@pytest.mark.parametrize(("number", "reason"), [(40, "handshake failure"), (70, "protocol version"), (116, "required")])
async def test_what_the_server_alerts_is_told(number: int, reason: str, authority: Authority) -> None:
    async def alerts(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(bytes([21, 3, 3, 0, 2, 2, number]))
        writer.close()

    server = await asyncio.start_server(alerts, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        url = f"https://127.0.0.1:{port}"
        async with AtlasRefunds(CREDENTIALS, base_url=url, tls=authority.client(), retry=ONCE) as atlas:
            with pytest.raises(NotSentError, match=rf"127.0.0.1:{port}: TLS failed \(.*{reason}.*\); nothing was sent"):
                await atlas.submit(ORDER, offer_id="q_1")


# ---- certificates of clients -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_client_shows_its_certificate(newest: ssl.TLSVersion, authority: Authority) -> None:
    context = authority.server("127.0.0.1", clients=True)
    context.maximum_version = newest
    async with wire_server(tls=context) as wire:
        wire.plays(answers(LISTED))
        async with AtlasRefunds(CREDENTIALS, base_url=wire.url, tls=authority.client("shop.example")) as atlas:
            await atlas.submit(ORDER, offer_id="q_1")
        watch_for_doubles(wire)


async def test_a_client_without_certificate_gets_nothing_executed(authority: Authority) -> None:
    """TLS 1.3 tells it after the client's handshake is over: the request can be on its way by then."""
    async with wire_server(tls=authority.server("127.0.0.1", clients=True)) as wire:
        async with AtlasRefunds(CREDENTIALS, base_url=wire.url, tls=authority.client(), retry=EAGER) as atlas:
            with pytest.raises((NotSentError, OutcomeUnknownError)):
                await atlas.submit(ORDER, offer_id="q_1")
        assert wire.calls == []
