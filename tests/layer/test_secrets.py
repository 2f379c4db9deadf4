"""No credential and no passenger is in a log record, a repr, an error text or a traceback."""

import json
import logging
import traceback
from collections.abc import Awaitable, Callable
from datetime import date, timedelta

import httpx
import pytest

from atlas_refunds import (
    AirlinePnr,
    AtlasRefunds,
    AtlasRefundsError,
    Credentials,
    RefundPassenger,
    RefundReason,
    RefundSegment,
    RefundToken,
    Timeouts,
    parse_notification,
)

from .conftest import ONCE, HandClock
from .wire_server import (
    Act,
    WireServer,
    answers,
    answers_gzipped,
    closes_before_answer,
    closes_mid_body,
    never_answers,
    refuses,
)

CANARIES = ["canary-id", "canary-secret", "CANARYLAST", "CANARYFIRST", "CNRY77", "CANARYTICKET", "CANARYMSG"]
ORDER = AirlinePnr("CNRY77", carrier="G9")
SEGMENT = RefundSegment(dep_date=date(2025, 5, 13), flight_no="U22437", dep_airport="LTN", arr_airport="CDG")
PERSON = RefundPassenger(
    last_name="CANARYLAST", first_name="CANARYFIRST", segments=[SEGMENT], refund_reason=RefundReason.VOLUNTARY
)
TICKET = {"name": "CANARYLAST/CANARYFIRST", "lastName": "CANARYLAST", "ticketNo": "CANARYTICKET"}
VOUCHER = {"voucherCode": "CANARYTICKET", "voucherId": "CANARYTICKET", "eligiblePassengers": [{"name": "CANARYLAST"}]}
BODY = {
    "status": 0,
    "msg": "CANARYMSG",
    "cancelReason": "CANARYMSG",
    "isRefundable": True,
    "refundOfferId": "q_1",
    "refundCode": "202505-0012",
    "refundTickets": [TICKET],
    "refundVouchers": [VOUCHER],
    "surprise": "CANARYMSG",
}
ANSWER = {**BODY, "refundOrders": [BODY]}
TOKEN = RefundToken(order=ORDER, refund_code="202505-0012")

FAULTS: dict[str, Act] = {
    "fine": answers(ANSWER),
    "refused": refuses(801, msg="CANARYMSG", refundTickets=[TICKET]),
    "unknown code": refuses(777, msg="CANARYMSG"),
    "limited": answers({"code": 429, "message": "CANARYMSG", "limitType": "CANARYMSG", "retryAfter": 1}, 429),
    "server error": answers(b"CANARYMSG", 500),
    "unreadable": answers(b'{"status": 0, "refundTickets": [{"lastName": "CANARYLAST'),
    "unreadable member": answers({**BODY, "refundTickets": "CANARYLAST", "refundOrders": "CANARYLAST"}),
    "unreadable status": answers({**BODY, "status": "CANARYMSG"}),
    "broken compression": answers_gzipped(ANSWER, broken=True),
    "closed": closes_before_answer,
    "closed in the answer": closes_mid_body(ANSWER),
    "silence": never_answers,
}

CALLS: dict[str, Callable[[AtlasRefunds], Awaitable[object]]] = {
    "quote": lambda atlas: atlas.quote(ORDER, [PERSON]),
    "submit": lambda atlas: atlas.submit(ORDER, passengers=[PERSON]),
    "query": lambda atlas: atlas.query(ORDER, "202505-0012"),
    "wait": lambda atlas: atlas.wait(TOKEN),
}


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("fault", FAULTS)
async def test_nothing_leaks(
    fault: str, own: bool, wire: WireServer, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    short = timedelta(seconds=0.05) if fault == "silence" else timedelta(seconds=30)
    shown: list[str] = []
    async with httpx.AsyncClient() as http:
        atlas = AtlasRefunds(
            Credentials("canary-id", "canary-secret"),
            base_url=wire.url,
            http_client=None if own else http,
            timeouts=Timeouts(quote=short, submit=short, query=short),
            clock=clock,
            retry=ONCE if fault == "silence" else None,
        )
        wire.plays(FAULTS[fault])
        async with atlas:
            for call in CALLS.values():
                try:
                    shown.append(repr(await call(atlas)))
                except AtlasRefundsError as error:
                    shown += [str(error), repr(error), *traceback.format_exception(error)]
        shown.append(repr(atlas))
    assert wire.calls
    assert len(shown) > len(CALLS)
    assert any(record.name == "atlas_refunds" for record in caplog.records)
    everything = "\n".join([*shown, caplog.text, *(repr(record.__dict__) for record in caplog.records)])
    assert [canary for canary in CANARIES if canary in everything] == []


def test_what_is_given_and_what_is_received_keep_quiet() -> None:
    credentials = Credentials("canary-id", "canary-secret")
    claim = {"cid": "canary-id", "orderNo": "X1", "refundStatus": 2, "passenger": "CANARYLAST"}
    given = [credentials, ORDER, PERSON, SEGMENT, TOKEN, parse_notification(json.dumps(claim).encode())]
    shown = "".join(map(repr, given))  # the text of a token is for a database and holds the PNR
    assert len(shown) > 200
    assert [canary for canary in CANARIES if canary in shown] == []
