"""From a submitted refund to its end: weeks at Atlas, no time at all here."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from atlas_refunds import (
    AirlinePnr,
    ApiError,
    AtlasRefunds,
    AtlasRefundsError,
    AuthenticationError,
    BadResponseError,
    InvalidRequestError,
    InvalidRequestRejected,
    NotReadyError,
    PaymentMode,
    PollSchedule,
    RefundNotCompletedError,
    RefundNotFoundError,
    RefundState,
    RefundStatus,
    RefundToken,
    ServerError,
    WaitTimeoutError,
    parse_notification,
)
from atlas_refunds.polling import last_look

from .conftest import CODE, CREDENTIALS, ONCE, ORDER, START, HandClock, World, leftovers, queried
from .wire_server import Act, WireServer, answers, closes_before_answer, encoded, never_answers, refuses

DAYS_49 = timedelta(days=49)
TOKEN = RefundToken(order=ORDER, refund_code=CODE, submitted=START)

LIFECYCLES: list[tuple[str, list[int]]] = [
    ("SIM-REFUNDED", [0, 1, 3, 2]),
    ("TESTA20250512100600259", [0, 1, 3, 2]),
    ("SIM-REJECTED", [0, 1, 4]),
    ("SIM-VCC", [0, 1, 5]),
    ("SIM-VCC-REJECTED", [0, 1, 4]),
    ("SIM-WITHDRAWN", [0, 6]),
    ("SIM-VOID", [0, 2]),
    ("SIM-UNKNOWN-STATUS", [0, 1, 7, 2]),
]


@pytest.mark.parametrize(("order_no", "statuses"), LIFECYCLES)
async def test_each_refund_is_followed_to_its_end(order_no: str, statuses: list[int], world: World) -> None:
    refund = await world.refund(order_no)
    seen: list[RefundState] = []
    final = await world.atlas.wait(refund, on_update=seen.append)
    assert [state.refund_status for state in seen] == statuses
    assert final is seen[-1]
    assert final.is_final
    assert final.is_refunded is (statuses[-1] in (2, 5))
    assert [state.is_final for state in seen[:-1]] == [False] * (len(seen) - 1)


@pytest.mark.parametrize(("order_no", "statuses"), LIFECYCLES)
async def test_watching_shows_each_change_and_ends_with_the_end(
    order_no: str, statuses: list[int], world: World
) -> None:
    refund = await world.refund(order_no)
    states = world.atlas.watch(refund, schedule=PollSchedule.every(timedelta(hours=6)))
    assert [state.refund_status async for state in states] == statuses


async def test_a_rejection_is_a_result_and_an_error_only_on_request(world: World) -> None:
    final = await world.atlas.wait(await world.refund("SIM-REJECTED"))
    assert final.cancel_reason == "Does not match airline policy."
    with pytest.raises(RefundNotCompletedError, match="its status is 4"):
        final.raise_unless_refunded()


async def test_a_refund_of_seven_weeks_takes_few_polls(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for roll in (0.0, 0.999):  # the longest and the shortest waits
        monkeypatch.setattr("atlas_refunds.polling.roll", lambda roll=roll: roll)
        world.polls.clear()
        refund = await world.refund(f"SIM-REFUNDED{'' if roll == 0 else '.2'}")
        final = await world.atlas.wait(refund)
        assert final.refund_status is RefundStatus.REFUNDED
        assert len(world.polls) < 60
        assert world.polls[0] == refund.submitted - START  # at once
        assert world.polls[-1] - world.polls[0] < DAYS_49 + timedelta(days=2)  # and not long after the end


async def test_the_deadline_passes(world: World) -> None:
    refund = await world.refund("SIM-STUCK")
    with pytest.raises(WaitTimeoutError, match="not final yet") as caught:
        await world.atlas.wait(refund, timeout=timedelta(days=10))
    assert caught.value.last_state is not None
    assert caught.value.last_state.refund_status is RefundStatus.ATLAS_PROCESSING
    assert caught.value.token == refund.token
    assert world.polls[-1] == timedelta(days=10) - last_look(timedelta(days=10))  # a last look shortly before
    assert world.clock.now() <= START + timedelta(days=10)


async def test_a_wait_goes_on_in_another_process_from_the_text_of_its_token(world: World) -> None:
    refund = await world.refund("SIM-REFUNDED")
    with pytest.raises(WaitTimeoutError) as caught:
        await world.atlas.wait(refund, timeout=timedelta(days=3))
    kept = str(caught.value.token)
    world.polls.clear()
    final = await world.client().wait(RefundToken.parse(kept))
    assert final.refund_status is RefundStatus.REFUNDED
    assert world.polls[1] - world.polls[0] > timedelta(hours=18)  # the age counts from the submit, not the restart


async def test_a_state_can_be_followed_on_too(world: World) -> None:
    refund = await world.refund("SIM-REJECTED")
    state = await world.atlas.get(refund.order, refund.refund_code)
    assert (await world.atlas.wait(state)).refund_status is RefundStatus.REJECTED


@pytest.mark.parametrize(
    ("order_no", "mode", "status"),
    [
        ("SIM-REFUNDED", PaymentMode.DEPOSIT, 2),
        ("SIM-REFUNDED", PaymentMode.VCC, None),
        ("SIM-REJECTED", PaymentMode.DEPOSIT, 4),
        ("SIM-VCC", PaymentMode.VCC, 5),
        ("SIM-VCC", PaymentMode.DEPOSIT, None),
        ("SIM-WITHDRAWN", PaymentMode.VCC, 6),
        ("SIM-WITHDRAWN", PaymentMode.DEPOSIT, None),
    ],
)
async def test_the_mode_of_payment_says_what_is_final(
    order_no: str, mode: PaymentMode, status: int | None, world: World
) -> None:
    refund = await world.refund(order_no)
    waiting = world.atlas.wait(refund, payment_mode=mode, timeout=timedelta(days=60))
    if status is None:
        with pytest.raises(WaitTimeoutError):
            await waiting
    else:
        assert (await waiting).refund_status == status


# ---- failures on the way ---------------------------------------------------------------------------------------------
@pytest.fixture
def patient(wire: WireServer, clock: HandClock) -> AtlasRefunds:
    """Repeats nothing, so that each fault is a failed poll."""
    return AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock, retry=ONCE)


PASSING: dict[str, Act] = {
    "code 2": refuses(2),
    "not ready": refuses(809),
    "busy": answers({"code": 429, "limitType": "QPM", "retryAfter": 5}),
    "HTTP 503": answers(b"", 503),
    "closed": closes_before_answer,
    "unreadable": answers(b"<html>"),
    "not listed": answers({"status": 0, "refundOrders": []}),
    "listed twice": answers({"status": 0, "refundOrders": [{"refundCode": CODE}, {"refundCode": CODE}]}),
}


@pytest.mark.parametrize("fault", PASSING)
async def test_four_failed_polls_in_a_row_are_endured(fault: str, wire: WireServer, patient: AtlasRefunds) -> None:
    bad, open_, done = PASSING[fault], answers(queried(0)), answers(queried(2))
    wire.plays(bad, bad, bad, bad, open_, bad, bad, bad, bad, done)
    async with patient:
        assert (await patient.wait(TOKEN)).is_refunded
    assert len(wire.calls) == 10


@pytest.mark.parametrize("fault", [fault for fault in PASSING if fault != "not listed"])
async def test_the_twentieth_failure_in_a_row_is_raised(fault: str, wire: WireServer, patient: AtlasRefunds) -> None:
    wire.plays(answers(queried(0)), PASSING[fault])
    async with patient:
        with pytest.raises(AtlasRefundsError) as caught:
            await patient.wait(TOKEN)
    assert not isinstance(caught.value, WaitTimeoutError)
    assert len(wire.calls) == 21


async def test_the_budget_of_failures_is_a_setting(wire: WireServer, patient: AtlasRefunds) -> None:
    wire.plays(refuses(2))
    async with patient:
        with pytest.raises(ServerError):
            await patient.wait(TOKEN, schedule=PollSchedule(failures=2))
    assert len(wire.calls) == 2


@pytest.mark.parametrize(
    ("code", "error"), [(801, InvalidRequestRejected), (810, InvalidRequestRejected), (900, AuthenticationError)]
)
async def test_a_lasting_refusal_is_raised_at_once(
    code: int, error: type[ApiError], wire: WireServer, patient: AtlasRefunds
) -> None:
    wire.plays(answers(queried(0)), refuses(code))
    async with patient:
        with pytest.raises(error):
            await patient.wait(TOKEN)
    assert len(wire.calls) == 2


async def test_a_deadline_among_failures_is_still_a_deadline(wire: WireServer, patient: AtlasRefunds) -> None:
    wire.plays(refuses(2))
    async with patient:
        with pytest.raises(WaitTimeoutError) as caught:
            await patient.wait(TOKEN, timeout=timedelta(minutes=20))
    assert (caught.value.last_state, caught.value.token) == (None, TOKEN)


async def test_nothing_is_asked_after_the_deadline_of_the_wait(wire: WireServer, clock: HandClock) -> None:
    """Time passes at the server: each answer takes ten seconds and is no answer."""

    async def slow_fault(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clock.seconds += 10
        await refuses(2)(reader, writer)

    wire.plays(slow_fault)
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock) as atlas:
        with pytest.raises(WaitTimeoutError):
            await atlas.wait(TOKEN, timeout=timedelta(seconds=15))
    assert len(wire.calls) == 2


async def test_a_poll_does_not_outlast_the_wait(wire: WireServer, patient: AtlasRefunds) -> None:
    """A query alone may take half a minute."""
    wire.plays(never_answers)
    async with patient, asyncio.timeout(20):
        with pytest.raises(WaitTimeoutError):
            await patient.wait(TOKEN, timeout=timedelta(seconds=0.2))


async def test_a_wait_of_any_length_is_possible(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers(queried(2)))
    assert (await atlas.wait(TOKEN, timeout=timedelta.max)).is_refunded


async def test_a_client_that_is_closed_ends_the_wait(wire: WireServer, atlas: AtlasRefunds, clock: HandClock) -> None:
    async def closes(_: float) -> None:
        await atlas.aclose()

    wire.plays(answers(queried(0)))
    clock.meanwhile = closes
    with pytest.raises(InvalidRequestError, match="closed"):
        await atlas.wait(TOKEN)


async def test_an_error_in_the_callers_update_is_the_callers(wire: WireServer, atlas: AtlasRefunds) -> None:
    def fails(_: RefundState) -> None:
        raise ZeroDivisionError

    wire.plays(answers(queried(0)))
    with pytest.raises(ZeroDivisionError):
        await atlas.wait(TOKEN, on_update=fails)
    assert len(wire.calls) == 1


# ---- cancellation ----------------------------------------------------------------------------------------------------
async def follow_by_watch(atlas: AtlasRefunds) -> None:
    async for _ in atlas.watch(TOKEN):
        pass


FOLLOW: dict[str, Callable[[AtlasRefunds], Awaitable[Any]]] = {
    "wait": lambda atlas: atlas.wait(TOKEN),
    "watch": follow_by_watch,
}


@pytest.mark.parametrize("how", FOLLOW)
async def test_cancelled_between_two_polls_nothing_is_left(
    how: str, wire: WireServer, atlas: AtlasRefunds, clock: HandClock
) -> None:
    asleep = asyncio.Event()

    async def for_ever(_: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    wire.plays(answers(queried(0)))
    clock.meanwhile = for_ever
    task = asyncio.ensure_future(FOLLOW[how](atlas))
    await asleep.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await atlas.aclose()
    await wire.is_quiet()
    assert await leftovers() == set()


@pytest.mark.parametrize("how", FOLLOW)
async def test_cancelled_in_a_poll_nothing_is_left(how: str, wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(never_answers)
    task = asyncio.ensure_future(FOLLOW[how](atlas))
    await wire.was_called()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await wire.is_quiet()
    assert await leftovers() == set()


async def test_a_watch_can_be_left_at_any_time(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers(queried(0)))
    states = atlas.watch(TOKEN)
    async for _ in states:
        break
    await states.aclose()
    assert len(wire.calls) == 1
    await atlas.aclose()
    await wire.is_quiet()
    assert await leftovers() == set()


# ---- one refund of a list, and the truth about a claim ---------------------------------------------------------------
async def test_get_finds_the_one_among_others(wire: WireServer, atlas: AtlasRefunds) -> None:
    others = [{"refundCode": "202505-0001", "refundStatus": 4}, {"refundStatus": 1}]
    wire.plays(answers({"status": 0, "refundOrders": [*others, {"refundCode": CODE, "refundStatus": 2}]}))
    assert (await atlas.get(ORDER, CODE)).refund_status is RefundStatus.REFUNDED
    with pytest.raises(RefundNotFoundError) as caught:
        await atlas.get(ORDER, "202505-0099")
    assert (caught.value.order, caught.value.refund_code) == (ORDER, "202505-0099")
    assert str(caught.value) == f"Atlas lists no refund of order {ORDER.order_no} with code 202505-0099"
    with pytest.raises(BadResponseError, match="3 refunds are listed, 3 of them fit"):
        await atlas.get(ORDER, None)
    assert len(await atlas.query(ORDER, None)) == 3


@pytest.mark.parametrize("listed", [None, [], {"refundCode": CODE, "refundStatus": 2}, [None]])
async def test_a_list_may_be_null_or_a_single_object(listed: object, wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers({"status": 0, "refundOrders": listed}))
    assert len(await atlas.query(ORDER, None)) == isinstance(listed, dict)


def claim(order_no: str) -> bytes:
    return encoded({"orderNo": order_no, "refundStatus": 2, "finalRefundAmount": 1})


async def test_a_claim_is_confirmed_by_asking(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers(queried(4, orderNo=ORDER.order_no)))
    event = parse_notification(claim(ORDER.order_no))
    assert event.refund is not None
    assert event.refund.refund_status is RefundStatus.REFUNDED
    assert (await atlas.confirm(event, TOKEN)).refund_status is RefundStatus.REJECTED  # the claim was wrong


async def test_a_claim_about_another_order_is_not_confirmed(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers(queried(2, orderNo=ORDER.order_no)))
    with pytest.raises(InvalidRequestError, match="another one"):
        await atlas.confirm(parse_notification(claim("X1")), TOKEN)


async def test_an_event_without_an_order_confirms_nothing(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers(queried(2)))  # this answer does not name its order either
    event = parse_notification(b'{"type": "airline.status", "data": {"airline": "U2"}}')
    assert event.order_no is None
    with pytest.raises(InvalidRequestError, match="names no order"):
        await atlas.confirm(event, RefundToken(order=AirlinePnr("S24933", carrier="G9"), refund_code=CODE))


async def test_not_ticketed_yet_is_said_as_such(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(refuses(809))
    with pytest.raises(NotReadyError):
        await atlas.query(ORDER, CODE)
