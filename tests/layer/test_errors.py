"""Errors travel (pickle, deepcopy, logs), keep what they carry, and tell nobody's name."""

import copy
import inspect
import pickle
import traceback
from datetime import timedelta
from typing import Any

import attrs
import pytest

import atlas_refunds
from atlas_refunds import (
    Advice,
    AirlinePnr,
    ApiError,
    AtlasRefunds,
    AtlasRefundsError,
    BadResponseError,
    ConcurrentSubmitError,
    NotificationError,
    OutcomeUnknownError,
    RefundNotCompletedError,
    RefundNotFoundError,
    RefundToken,
    WaitTimeoutError,
    parse_notification,
)
from atlas_refunds.results import RefundState

from .conftest import CODE, ORDER, START, ZHAO, queried
from .wire_server import WireServer, answers, refuses

STATE = RefundState.from_dict({"refundStatus": 7, "refundCode": CODE, "cancelReason": "CANARY"}, order=ORDER)
CLASSES = [kind for kind in vars(atlas_refunds).values() if inspect.isclass(kind) and issubclass(kind, Exception)]


def example(kind: type[AtlasRefundsError]) -> AtlasRefundsError:
    """An error of this class with everything in it."""
    arguments: dict[str, Any] = {}
    if issubclass(kind, OutcomeUnknownError):
        arguments = {"order": ORDER, "offer_id": "q_1", "passengers": (ZHAO,), "at": START, "refund_code": CODE}
        arguments |= {"content": b'{"CANARY'}
    elif issubclass(kind, BadResponseError):
        arguments = {"http_status": 502, "content": b"\xffCANARY"}
    elif issubclass(kind, ApiError):
        arguments = {"advice": Advice.RATE, "code": 905, "message": "CANARY", "http_status": 200}
        arguments |= {"request_id": "r-1", "retry_after": timedelta(seconds=7), "raw": {"msg": "CANARY"}}
    elif issubclass(kind, ConcurrentSubmitError):
        return kind(example(OutcomeUnknownError))
    elif issubclass(kind, WaitTimeoutError):
        return kind(last_state=STATE, token=RefundToken(order=ORDER, refund_code=CODE, submitted=START))
    elif issubclass(kind, RefundNotFoundError):
        return kind(order=AirlinePnr("CANARY", carrier="G9"), refund_code=CODE)
    elif issubclass(kind, RefundNotCompletedError):
        return kind(STATE)
    error: AtlasRefundsError = kind("what was seen", **arguments)
    return error


def contents(error: AtlasRefundsError) -> dict[str, object]:
    """Errors compare by identity; what is in them does not."""
    members = {"class": type(error), "args": error.args, **vars(error)}
    return {name: contents(v) if isinstance(v, AtlasRefundsError) else v for name, v in members.items()}


def test_every_exception_of_the_package_has_one_root() -> None:
    assert len(CLASSES) > 20
    assert all(issubclass(kind, AtlasRefundsError) for kind in CLASSES)


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, *[lambda e, p=p: pickle.loads(pickle.dumps(e, p)) for p in (2, pickle.HIGHEST_PROTOCOL)]],  # noqa: S301
)
def test_an_error_survives_its_journey_with_everything_in_it(kind: type[AtlasRefundsError], copied: Any) -> None:
    error = example(kind)
    arrived = copied(error)
    assert type(arrived) is kind
    assert str(arrived) == str(error)
    assert contents(arrived) == contents(error)


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_shows_nothing_that_somebody_else_wrote(kind: type[AtlasRefundsError]) -> None:
    error = example(kind)
    shown = f"{error} {error!r} {''.join(traceback.format_exception(error))}"
    assert len(shown) > 20
    for secret in ("CANARY", ZHAO.last_name, ZHAO.first_name):
        assert secret not in shown


async def test_the_errors_of_real_calls_show_neither_message_nor_names(wire: WireServer, atlas: AtlasRefunds) -> None:
    canary = attrs.evolve(ZHAO, last_name="CANARY", first_name="CANARY")
    order = AirlinePnr("CANARY", carrier="G9")
    ticket = {"lastName": "CANARY", "ticketNo": ["CANARY"]}
    caught: list[AtlasRefundsError] = []
    for act in [
        refuses(801, msg="CANARY is unknown", name="CANARY"),
        answers({"status": "CANARY"}),
        answers(b"CANARY"),
        answers({"status": 0, "refundTickets": [ticket], "refundOrders": [{"refundTickets": [ticket]}]}),
        answers(b"CANARY", 502, X_Request_ID="CANARY is no id"),
    ]:
        wire.plays(act)
        for call in (
            atlas.quote(order, [canary]),
            atlas.submit(order, passengers=[canary]),
            atlas.query(order, "202505-0013"),
        ):
            with pytest.raises(AtlasRefundsError) as raised:
                await call
            caught.append(raised.value)
    assert len(caught) == 15
    for error in caught:
        assert "CANARY" not in f"{error} {error!r}"
        assert "CANARY" not in "".join(traceback.format_exception(error)).replace("atlas.submit(order", "")


async def test_what_atlas_wrote_is_in_the_attributes(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(refuses(801, msg="Order unknown", requestId="r-1"))
    with pytest.raises(ApiError) as caught:
        await atlas.query(ORDER, None)
    assert caught.value.message == "Order unknown"
    assert caught.value.raw == {"status": 801, "msg": "Order unknown", "requestId": "r-1"}
    assert str(caught.value) == (
        "query refused, code 801: order not known to the refund side (change the request), request id r-1"
    )


async def test_a_refund_without_money_is_an_error_only_on_request(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers(queried(4)), answers(queried(2)))
    rejected = await atlas.get(ORDER, CODE)
    with pytest.raises(RefundNotCompletedError) as caught:
        rejected.raise_unless_refunded()
    assert caught.value.state is rejected
    (await atlas.get(ORDER, CODE)).raise_unless_refunded()


def test_a_notification_that_cannot_be_read_does_not_show_its_body() -> None:
    for body in (b"CANARY", b'{"orderNo": "X1", "finalRefundAmount": "CANARY"}', b'{"type": ["CANARY"]}'):
        with pytest.raises(NotificationError) as caught:
            parse_notification(body)
        assert "CANARY" not in f"{caught.value!r} {caught.value}"
