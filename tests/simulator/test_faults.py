"""Every fault as a caller meets it, on a socket and in process: what is seen, what was executed."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import pytest

from atlas_refunds.simulator import FAULTS, Simulator, serve
from atlas_refunds.simulator.faultplan import by_chance

from .conftest import HEADERS, Api, checked

SUBMIT, FAULT = "/refund.do", "x-simulator-fault"
JSON, HTML = "application/json;charset=UTF-8", "text/html"


@pytest.fixture(autouse=True)
def silent(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A fault that is played is no reason to complain."""
    yield
    assert not [record for record in caplog.get_records("call") if record.levelno >= logging.WARNING]


@pytest.fixture(params=["socket", "in process"])
async def http(request: pytest.FixtureRequest, simulator: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    simulator.faults.set(delay_seconds=0.01)
    if request.param == "socket":
        async with serve(simulator) as url, httpx.AsyncClient(base_url=url, headers=HEADERS) as client:
            yield client
    else:
        transport = httpx.ASGITransport(app=simulator.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://atlas", headers=HEADERS) as client:
            yield client


def submission(order_no: str) -> dict[str, object]:
    return {"orderNo": order_no, "refundRequestList": Api.people(order_no)}


def executed(simulator: Simulator, order_no: str) -> int:
    return len(simulator.ledger.refunds(order_no))


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not reached():  # noqa: ASYNC110 - tells nobody
            await asyncio.sleep(0.005)


# fault: what httpx makes of it (HTTP status, content type, status in the body) or raises, executions
SEEN: dict[str, tuple[tuple[int, str, int | None] | type[httpx.TransportError], int]] = {
    "lost_answer": (httpx.RemoteProtocolError, 1),
    "refused": (httpx.RemoteProtocolError, 0),
    "delayed": ((200, JSON, 0), 1),
    "late": ((200, JSON, 0), 1),
    "reset_mid_body": (httpx.ReadError, 1),
    "duplicate": ((200, JSON, 803), 1),
    "slow_loris": ((200, JSON, 0), 1),
    "html_200": ((200, HTML, None), 1),
    "bad_gateway": ((502, HTML, None), 1),
    "gateway_refusal": ((503, HTML, None), 0),
    "http_522": ((522, "text/plain; charset=UTF-8", None), 0),
    "too_many_requests": ((429, JSON, None), 0),
    "truncated_json": ((200, JSON, None), 1),
    "not_json": ((200, JSON, None), 1),
    "system_error": ((200, JSON, 2), 1),
    "empty": ((200, JSON, None), 1),
}


def test_no_fault_is_left_out() -> None:
    assert SEEN.keys() == FAULTS.keys()
    assert [fault.executed for fault in FAULTS.values()] == [bool(SEEN[name][1]) for name in FAULTS]


def status_in(response: httpx.Response) -> int | None:
    try:
        status: int | None = response.json().get("status")
    except ValueError:
        return None
    return status


@pytest.mark.parametrize("name", FAULTS)
async def test_what_a_submission_meets(name: str, http: httpx.AsyncClient, simulator: Simulator) -> None:
    order_no = f"SIM-REFUNDED+{name}.1"
    expected, executions = SEEN[name]
    seen: object
    try:
        response = await http.post(SUBMIT, json=submission(order_no))
        seen = (response.status_code, response.headers["content-type"], status_in(response))
    except httpx.TransportError as error:
        seen = type(error)
    assert seen == expected
    assert executed(simulator, order_no) == executions
    orders = (await http.get("/_simulator/state")).json()["orders"]
    assert orders.get(order_no, {"submissions": 0})["submissions"] == executions
    assert simulator.faults.played == {"quote": {}, "submit": {name: 1}, "query": {}}

    # Only the first submission: the next one gets through, and the order has been refunded once.
    answer = checked(SUBMIT, await http.post(SUBMIT, json=submission(order_no)))
    assert answer["status"] == (803 if executions else 0)
    assert executed(simulator, order_no) == 1


async def test_an_order_with_a_fault_is_quoted_and_queried_as_any_other(http: httpx.AsyncClient) -> None:
    api, order_no = Api(http), "SIM-REFUNDED+lost_answer"
    quote = await api.quote(order_no)
    with pytest.raises(httpx.RemoteProtocolError):
        await api.submit(order_no, refundOfferId=quote["refundOfferId"])
    assert (await api.refund_order(order_no, "202505-0001"))["orderNo"] == order_no
    assert (await api.submit(order_no, refundOfferId=quote["refundOfferId"]))["status"] == 816


async def test_an_order_with_an_unknown_fault_does_not_exist(http: httpx.AsyncClient) -> None:
    assert (await Api(http).quote("SIM-REFUNDED+lost_anwser"))["status"] == 801


async def test_the_second_of_two_arrivals_is_answered(http: httpx.AsyncClient, simulator: Simulator) -> None:
    api = Api(http)
    offer = (await api.quote("SIM-REFUNDED+duplicate"))["refundOfferId"]
    assert (await api.submit("SIM-REFUNDED+duplicate", refundOfferId=offer))["status"] == 816
    assert executed(simulator, "SIM-REFUNDED+duplicate") == 1


async def test_bodies(http: httpx.AsyncClient) -> None:
    async def body(name: str) -> str:
        return (await http.post(SUBMIT, json=submission(f"SIM-REFUNDED+{name}"))).text

    whole = await body("slow_loris")
    assert json.loads(whole)["orderNo"] == "SIM-REFUNDED+slow_loris"
    assert (await body("truncated_json")).startswith('{"refundStatus": 0, "refundCode": "')
    assert await body("empty") == ""
    assert json.loads(await body("too_many_requests")).keys() == {"code", "message", "limitType", "limit", "retryAfter"}
    assert json.loads(await body("system_error")) == {"status": 2, "msg": "System error"}


async def test_a_header_names_the_fault_of_one_call(http: httpx.AsyncClient, simulator: Simulator) -> None:
    api = Api(http)
    http.headers[FAULT] = "lost_answer; operation=submit; delay=0.01"
    assert (await api.quote())["status"] == 0
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            await api.submit()
    assert executed(simulator, "SIM-REFUNDED") == 1
    http.headers[FAULT] = "system_error"
    assert (await api.quote("SIM-VCC"))["status"] == 2


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("lost_anwser", "unknown fault: lost_anwser"),
        ("", "unknown fault: "),
        ("late;delay=soon", "the delay is not a number of seconds"),
        ("late;delay=-1", "the delay is not a number of seconds"),
        ("late;operation=pay", "unknown operation: pay"),
        ("late;when=now", "unknown: when=now"),
    ],
)
async def test_a_wrong_header_is_refused(
    header: str, sentence: str, http: httpx.AsyncClient, simulator: Simulator
) -> None:
    answer = await http.post(SUBMIT, json=submission("SIM-REFUNDED"), headers={FAULT: header})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(sentence)
    assert executed(simulator, "SIM-REFUNDED") == 0


async def leave(http: httpx.AsyncClient, simulator: Simulator, fault: str, delay: float) -> None:
    """As soon as the fault has begun."""
    headers = {FAULT: f"{fault};delay={delay}"}
    call = asyncio.create_task(http.post(SUBMIT, json=submission("SIM-REFUNDED"), headers=headers))
    await until(lambda: simulator.faults.played["submit"] == {fault: 1})
    call.cancel()
    with suppress(asyncio.CancelledError):
        await call


async def test_late_is_executed_though_the_caller_has_left(http: httpx.AsyncClient, simulator: Simulator) -> None:
    await leave(http, simulator, "late", 0.05)
    await until(lambda: executed(simulator, "SIM-REFUNDED") == 1)


@pytest.mark.parametrize(("name", "executions"), [("delayed", 1), ("slow_loris", 1), ("late", 0)])
async def test_the_end_of_the_server_ends_all_delays(name: str, executions: int, simulator: Simulator) -> None:
    async with serve(simulator) as url, httpx.AsyncClient(base_url=url, headers=HEADERS) as http:
        await leave(http, simulator, name, 600)
        await until(lambda: executed(simulator, "SIM-REFUNDED") >= executions)
        assert executed(simulator, "SIM-REFUNDED") == executions
    assert executed(simulator, "SIM-REFUNDED") == 1


async def test_after_a_reset_nothing_of_before_arrives(simulator: Simulator) -> None:
    async with serve(simulator) as url, httpx.AsyncClient(base_url=url, headers=HEADERS) as http:
        await leave(http, simulator, "late", 600)
        simulator.reset()
    assert executed(simulator, "SIM-REFUNDED") == 0


async def received(url: str, request: bytes, *, then: Callable[[], Awaitable[object]] | None = None) -> bytes | str:
    """All bytes until the connection is closed, and the word if it was reset."""
    loop, address = asyncio.get_running_loop(), urlsplit(url)
    with socket.socket() as connection:
        connection.setblocking(False)
        await loop.sock_connect(connection, (address.hostname, address.port))
        await loop.sock_sendall(connection, request)
        if then:
            await then()
            return b""
        answer = b""
        try:
            while part := await loop.sock_recv(connection, 65_536):
                answer += part
        except ConnectionResetError:
            return answer.decode() + " reset"
        return answer


def raw(fault: str, *, length: int | None = None) -> bytes:
    body = json.dumps(submission("SIM-REFUNDED")).encode()
    head = [f"POST {SUBMIT} HTTP/1.1", "host: atlas", f"content-length: {length or len(body)}", f"{FAULT}: {fault}"]
    head += [f"{name}: {value}" for name, value in HEADERS.items()]
    return "\r\n".join([*head, "", ""]).encode() + body


@pytest.mark.parametrize("name", ["lost_answer", "refused"])
async def test_not_a_byte_comes_back(name: str, simulator: Simulator) -> None:
    async with serve(simulator) as url:
        assert await received(url, raw(name)) == b""


async def test_the_connection_is_reset_after_half_of_the_body(simulator: Simulator) -> None:
    async with serve(simulator) as url:
        answer = await received(url, raw("reset_mid_body"))
    assert isinstance(answer, str)
    assert answer.endswith(" reset")
    head, _, body = answer.removesuffix(" reset").partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200 ")
    (length,) = (int(line.split()[1]) for line in head.splitlines() if line.startswith("content-length"))
    assert len(body) == length // 2
    assert body.startswith('{"refundStatus": 0')


async def test_a_reset_is_one_even_when_the_caller_has_left(simulator: Simulator) -> None:
    async def gone() -> None:
        await until(lambda: executed(simulator, "SIM-REFUNDED") == 1)

    async with serve(simulator) as url:
        await received(url, raw("reset_mid_body"), then=gone)


async def test_half_a_request_is_no_call(simulator: Simulator) -> None:
    async def at_once() -> None: ...

    async with serve(simulator) as url:
        await received(url, raw("lost_answer", length=9999), then=at_once)
    assert executed(simulator, "SIM-REFUNDED") == 0
    assert simulator.faults.describe()["calls"] == {"quote": 0, "submit": 0, "query": 0}


async def test_a_slow_loris_sends_byte_by_byte(simulator: Simulator) -> None:
    parts: list[bytes] = []

    async def app(scope: object, receive: object, send: Callable[[object], Awaitable[None]]) -> None:
        async def noted(message: dict[str, bytes]) -> None:
            parts.append(message.get("body", b""))
            await send(message)

        await simulator.asgi(scope, receive, noted)  # type: ignore[arg-type]

    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://atlas", headers=HEADERS) as http:
        answer = await http.post(SUBMIT, json={}, headers={FAULT: "slow_loris;delay=0"})
    assert b"".join(parts) == answer.content
    assert {len(part) for part in parts} == {0, 1}


async def test_executions_are_exact_under_all_faults_at_once(simulator: Simulator) -> None:
    simulator.faults.set(seed=7, delay_seconds=0.01, rates={"submit": dict.fromkeys(FAULTS, 0.06)})
    meetings = [by_chance("submit", number, simulator.faults.settings) for number in range(100)]
    orders = [f"SIM-REFUNDED.{number}" for number in range(100)]
    async with serve(simulator) as url, httpx.AsyncClient(base_url=url, headers=HEADERS) as http:
        for order_no in orders:
            with suppress(httpx.TransportError):
                await http.post(SUBMIT, json=submission(order_no))
    assert [executed(simulator, order_no) for order_no in orders] == [
        int(meeting is None or meeting.fault.executed) for meeting in meetings
    ]
    assert {meeting.fault.name for meeting in meetings if meeting} == FAULTS.keys()
