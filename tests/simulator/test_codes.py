"""Every code of the error table that the simulator knows, provoked."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from atlas_refunds.simulator import Simulator
from atlas_refunds.simulator.codes import MESSAGES

from .conftest import PATHS, QIAN, TWO_HOURS, ZHAO, Api, Body, checked, passenger

TRIP = passenger()["segments"]
(SEGMENT,) = TRIP
INBOUND = passenger(order_no="SIM-RETURN")["segments"][1]


def listed(order_no: str, *entries: object) -> Body:
    return {"orderNo": order_no, "refundRequestList": list(entries)}


# code, text that the message has, operations, body
REFUSED: list[tuple[int, str, str, Any]] = [
    (9999, "", "quote submit query", []),
    (9999, "", "quote submit query", "text"),
    (9999, "", "quote submit", listed("SIM-REFUNDED", "1234567890123")),
    (9999, "", "quote submit", listed("SIM-REFUNDED") | {"refundRequestList": {"a": 1}}),
    (9999, "", "quote submit", listed("SIM-REFUNDED", passenger(segments=["U22437"]))),
    (810, "refundRequestList", "quote submit", {"orderNo": "SIM-REFUNDED"}),
    (810, "refundRequestList", "quote submit", listed("SIM-REFUNDED")),
    (810, "refundOfferId", "submit", listed("SIM-REFUNDED", passenger()) | {"refundOfferId": "q_1"}),
    (810, "orderNo", "quote submit query", {"refundRequestList": [passenger()], "refundCode": "202505-0001"}),
    (810, "orderNo", "quote", listed("", passenger())),
    (810, "not both", "quote", listed("SIM-REFUNDED", passenger()) | {"airlinePNR": "SIM001", "carrier": "U2"}),
    (810, "airlinePNR", "quote", {"airlinePNR": "SIM001", "refundRequestList": [passenger()]}),
    (810, "orderNo", "quote", {"orderNo": 1, "refundRequestList": [passenger()]}),
    (810, "refundCode", "query", {"orderNo": "SIM-REFUNDED"}),
    (810, "refundCode", "query", {"orderNo": "SIM-REFUNDED", "refundCode": None}),
    (810, "depDate", "quote submit", listed("SIM-REFUNDED", passenger(segments=[SEGMENT | {"depDate": "2030-06-15"}]))),
    (810, "flightNo", "quote submit", listed("SIM-REFUNDED", passenger(segments=[SEGMENT | {"flightNo": None}]))),
    (810, "segments", "quote submit", listed("SIM-REFUNDED", passenger(segments=[]))),
    (810, "refundReason", "quote submit", listed("SIM-REFUNDED", passenger(refundReason="2"))),
    (810, "refundReason", "quote submit", listed("SIM-REFUNDED", passenger(refundReason=1))),
    (810, "firstName", "quote submit", listed("SIM-REFUNDED", passenger(firstName=""))),
    (810, "twice", "quote submit", listed("SIM-REFUNDED", passenger(), passenger())),
    (810, "displayCurrency", "quote", listed("SIM-REFUNDED", passenger()) | {"displayCurrency": "XXX"}),
    (810, "displayCurrency", "query", {"orderNo": "SIM-REFUNDED", "refundCode": "1", "displayCurrency": "eur"}),
    (801, "", "quote submit", listed("SIM-NOWHERE", passenger())),
    (801, "", "query", {"orderNo": "SIM-NOWHERE", "refundCode": "202505-0001"}),
    (801, "", "quote", {"airlinePNR": "SIM001", "carrier": "G9", "refundRequestList": [passenger()]}),
    (802, "", "quote submit", listed("SIM-CHILD", passenger(ZHAO))),
    (807, "", "quote submit", listed("SIM-REFUNDED", passenger(("SUN", "SANSAN")))),
    (812, "", "quote submit", listed("SIM-REFUNDED", passenger(("ZHAO", "YI ER")))),
    (8041, "", "quote submit", listed("SIM-REFUNDED", passenger(segments=[*TRIP, INBOUND]))),
    (8041, "", "quote submit", listed("SIM-REFUNDED", passenger(segments=[SEGMENT | {"arrAirport": "ORY"}]))),
    (811, "", "quote submit", listed("SIM-RETURN", passenger())),
    (811, "", "quote submit", listed("SIM-RETURN", passenger(order_no="SIM-RETURN"), passenger(QIAN))),
    (809, "", "quote submit", listed("SIM-NOT-TICKETED", passenger())),
    (815, "", "quote submit", listed("SIM-TICKET-NOT-FOUND", passenger())),
    (820, "", "submit", listed("SIM-USED", passenger())),
    (821, "", "submit", listed("SIM-PAST-DEADLINE", passenger())),
    (822, "", "submit", listed("SIM-VOID-PAST-DEADLINE", *Api.people("SIM-VOID", refundReason="4"))),
    (823, "", "submit", listed("SIM-VOID", passenger(refundReason="4"))),
    (824, "", "quote submit", listed("SIM-ANCILLARY-ORDER", passenger())),
    (803, "", "quote", listed("SIM-PORTAL-CLAIM", passenger())),
    (818, "", "submit", listed("SIM-PORTAL-CLAIM", passenger())),
    (814, "", "submit", listed("SIM-IN-PROGRESS", passenger())),
    (905, "", "submit", listed("SIM-TOO-OFTEN", passenger())),
    (902, "", "quote submit", listed("SIM-ACCESS-DENIED", passenger())),
    (902, "", "query", {"orderNo": "SIM-ACCESS-DENIED", "refundCode": "202505-0001"}),
    (2, "", "submit", listed("SIM-SUBMIT-ERROR", passenger())),
    (2, "", "quote submit", listed("SIM-SYSTEM-ERROR", passenger())),
    (2, "", "query", {"orderNo": "SIM-SYSTEM-ERROR", "refundCode": "202505-0001"}),
    (805, "", "submit", {"orderNo": "SIM-REFUNDED", "refundOfferId": "q_b893711fcfae4e9d949e9965576bfd3a"}),
]


@pytest.mark.parametrize(
    ("code", "text", "operation", "body"),
    [(code, text, operation, body) for code, text, names, body in REFUSED for operation in names.split()],
)
async def test_refused(code: int, text: str, operation: str, body: Any, simulator: Simulator, api: Api) -> None:
    answer = await api.send(operation, body)
    assert answer["status"] == code
    assert text in answer["msg"]
    assert simulator.ledger.by_order() == {}


def test_no_code_is_left_out() -> None:
    elsewhere = {100, 816, 900}
    assert {code for code, *_ in REFUSED} | elsewhere == set(MESSAGES)


@pytest.mark.parametrize("path", PATHS.values())
@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"[" * 100_000])
async def test_100_for_what_is_not_json(path: str, raw: bytes, api: Api) -> None:
    assert checked(path, await api.http.post(path, content=raw))["status"] == 100


@pytest.mark.parametrize("path", PATHS.values())
@pytest.mark.parametrize(
    "headers",
    [{}, {"x-atlas-client-id": "simulator"}, {"x-atlas-client-id": "simulator", "x-atlas-client-secret": "wrong"}],
)
async def test_900_for_credentials_comes_before_all_else(
    path: str, headers: dict[str, str], simulator: Simulator
) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=simulator.asgi), base_url="http://atlas") as http:
        assert checked(path, await http.post(path, content=b"{", headers=headers))["status"] == 900


async def test_credentials_are_a_setting() -> None:
    simulator = Simulator(client_id="me", client_secret="mine")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=simulator.asgi), base_url="http://atlas") as http:
        headers = {"x-atlas-client-id": "me", "x-atlas-client-secret": "mine"}
        answer = await http.post("/refund.do", json={}, headers=headers)
        assert answer.json()["status"] == 810


ACCEPTED: list[tuple[str, Body]] = [
    ("all keys, unused ones null", listed("SIM-REFUNDED", passenger()) | {"airlinePNR": None, "carrier": None}),
    ("by airline PNR", {"airlinePNR": "SIM001", "carrier": "U2", "refundRequestList": [passenger()]}),
    (
        "another airline",
        {"airlinePNR": "S24933", "carrier": "G9", "refundRequestList": Api.people("SIM-AIRLINE-PNR")},
    ),
    ("unknown members", listed("SIM-REFUNDED", passenger(ticketNo="S87579", segmentIndex=1)) | {"cid": "X"}),
    ("the child goes, the adult stays", listed("SIM-CHILD", passenger(QIAN))),
    ("the whole family", listed("SIM-CHILD", passenger(ZHAO), passenger(QIAN))),
    ("segments in any order", listed("SIM-RETURN", passenger(segments=[INBOUND, *TRIP]))),
    ("used, but only submit says so", listed("SIM-USED", passenger())),
    ("a void of one, but only submit refuses it", listed("SIM-VOID", passenger(refundReason="4"))),
]


@pytest.mark.parametrize("body", [body for _, body in ACCEPTED], ids=[name for name, _ in ACCEPTED])
async def test_quoted(body: Body, api: Api) -> None:
    answer = await api.send("quote", body)
    assert (answer["status"], answer["msg"]) == (0, None)


async def test_an_adult_may_follow_the_child(api: Api) -> None:
    await api.submit("SIM-CHILD", QIAN)
    assert (await api.submit("SIM-CHILD", ZHAO))["status"] == 0


async def test_an_offer_is_submitted_once(simulator: Simulator, api: Api) -> None:
    offers = [(await api.quote())["refundOfferId"] for _ in range(2)]
    assert (await api.submit(refundOfferId=offers[0]))["status"] == 0
    assert (await api.submit(refundOfferId=offers[0]))["status"] == 816
    assert (await api.submit(refundOfferId=offers[1]))["status"] == 816
    assert (await api.submit())["status"] == 803
    assert (await api.quote())["status"] == 803
    simulator.clock.advance(TWO_HOURS)
    assert (await api.submit(refundOfferId=offers[0]))["status"] == 816  # not 805: there is nothing to quote again
    assert len(simulator.ledger.by_order()["SIM-REFUNDED"]) == 1


async def test_805_for_the_offer_of_another_order(api: Api) -> None:
    offer = (await api.quote("SIM-REFUNDED"))["refundOfferId"]
    assert (await api.submit("SIM-REJECTED", refundOfferId=offer))["status"] == 805
    by_pnr = {"airlinePNR": "SIM001", "carrier": "U2", "refundOfferId": offer}
    assert (await api.send("submit", by_pnr))["orderNo"] == "SIM-REFUNDED"


async def test_an_offer_lives_two_hours(simulator: Simulator, api: Api) -> None:
    early, late = (await api.quote("SIM-VCC"))["refundOfferId"], (await api.quote("SIM-STUCK"))["refundOfferId"]
    simulator.clock.advance(TWO_HOURS - timedelta(seconds=1))
    assert (await api.submit("SIM-VCC", refundOfferId=early))["status"] == 0
    simulator.clock.advance(timedelta(seconds=1))
    assert (await api.submit("SIM-STUCK", refundOfferId=late))["status"] == 805


async def test_the_scale_of_the_clock_does_not_age_an_offer(simulator: Simulator, api: Api, ticker: Any) -> None:
    simulator.clock.scale = 86_400
    offer = (await api.quote())["refundOfferId"]
    ticker.seconds += 60  # two months
    assert (await api.submit(refundOfferId=offer))["status"] == 0


@pytest.mark.parametrize(
    ("order_no", "code", "seconds"),
    [("SIM-IN-PROGRESS", 814, 120), ("SIM-TOO-OFTEN", 905, 30), ("SIM-TICKETED-LATER", 809, 30)],
)
async def test_a_window_opens_with_the_first_call_and_closes(
    order_no: str, code: int, seconds: int, simulator: Simulator, api: Api, ticker: Any
) -> None:
    simulator.clock.scale = 86_400
    ticker.seconds += 1000
    assert (await api.submit(order_no))["status"] == code
    ticker.seconds += seconds - 1
    assert (await api.submit(order_no))["status"] == code
    ticker.seconds += 1
    assert (await api.submit(order_no))["status"] == 0


async def test_822_is_for_voids_only(api: Api) -> None:
    assert (await api.submit("SIM-VOID-PAST-DEADLINE"))["status"] == 0


async def test_a_void_goes_through_by_offer(simulator: Simulator, api: Api) -> None:
    people = Api.people("SIM-VOID", refundReason="4")
    quote = await api.quote("SIM-VOID", refundRequestList=people)
    assert quote["fastConfirmation"] == 1
    assert quote["expectedRefundDate"] == "20250512"
    submitted = await api.submit("SIM-VOID", refundOfferId=quote["refundOfferId"])
    assert (submitted["status"], submitted["refundReason"]) == (0, "4")


async def test_a_void_for_one_passenger_makes_the_whole_request_a_void(api: Api) -> None:
    mixed = [passenger(ZHAO), passenger(QIAN, refundReason="4")]
    assert (await api.submit(refundRequestList=mixed))["refundReason"] == "4"


async def test_an_unknown_refund_code_is_an_empty_list(api: Api) -> None:
    assert await api.query("SIM-REFUNDED", "202505-0099") == {"refundOrders": [], "status": 0, "msg": None}
