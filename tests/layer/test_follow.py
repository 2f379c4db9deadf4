"""One poller for many refunds, and the alarm that a webhook rings."""

import asyncio
import itertools
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from atlas_refunds import (
    AtlasRefunds,
    Credentials,
    InvalidRequestError,
    InvalidRequestRejected,
    OrderNo,
    PollSchedule,
    RefundChange,
    RefundState,
    RefundStatus,
    RefundToken,
    ServerError,
    parse_notification,
)
from atlas_refunds.following import Follower
from atlas_refunds.simulator import lifecycle

from .conftest import CODE, ORDER, START, HandClock, leftovers, queried
from .wire_server import WireServer, answers, refuses

TOKEN = RefundToken(order=ORDER, refund_code=CODE)
OTHER = RefundToken(order=OrderNo("ANOTHER"), refund_code=CODE)
HOURLY = PollSchedule.every(timedelta(hours=1))


def listed(status: int, **more: Any) -> Any:
    return answers(queried(status, **more))


def of_the_poller(tasks: set[asyncio.Task[Any]]) -> list[str]:
    """The tasks of the package among those that run; the server of a test has its own."""
    coroutines = [task.get_coro().__qualname__ for task in tasks]  # type: ignore[union-attr]
    return [name for name in coroutines if "WireServer" not in name and "serve" not in name]


async def everything(follower: Follower) -> list[RefundChange]:
    async with follower as refunds:
        return [change async for change in refunds]


async def test_changes_only_and_the_end(atlas: AtlasRefunds, wire: WireServer) -> None:
    wire.plays(listed(0), listed(0), listed(1), listed(1), listed(2))
    changes = await everything(atlas.follow([TOKEN], schedule=HOURLY))
    seen = [(str(change.state.refund_status), change.is_last) for change in changes if change.state]
    assert seen == [("0", False), ("1", False), ("2", True)]


async def test_one_refused_refund_does_not_touch_the_other(atlas: AtlasRefunds, wire: WireServer) -> None:
    by_order = {ORDER.order_no: refuses(801), "ANOTHER": listed(2)}

    async def by_the_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await by_order[wire.calls[-1].json["orderNo"]](reader, writer)

    wire.plays(by_the_request)
    changes = {change.token: change for change in await everything(atlas.follow([TOKEN, OTHER], schedule=HOURLY))}
    assert isinstance(changes[TOKEN].error, InvalidRequestRejected)
    assert changes[TOKEN].is_last
    assert changes[OTHER].state is not None
    assert changes[OTHER].is_last


async def test_too_many_failures_are_told_once_and_polls_go_on(atlas_once: AtlasRefunds, wire: WireServer) -> None:
    wire.plays(*[refuses(2)] * 5, listed(2))
    schedule = PollSchedule(failures=3)
    told, last = await everything(atlas_once.follow([TOKEN], schedule=schedule))
    assert isinstance(told.error, ServerError)
    assert not told.is_last
    assert last.is_last
    assert len(wire.calls) == 6


async def test_stop_returns_what_is_open(atlas: AtlasRefunds, wire: WireServer) -> None:
    wire.plays(listed(0))
    async with atlas.follow(forever=True) as refunds:
        refunds.add(TOKEN)
        async for change in refunds:
            assert change.token == TOKEN
            assert await refunds.stop() == (TOKEN,)
    assert not of_the_poller(await leftovers())


async def test_the_same_token_is_followed_once(atlas: AtlasRefunds, wire: WireServer) -> None:
    wire.plays(listed(2))
    follower = atlas.follow([TOKEN, TOKEN])
    follower.add(TOKEN)
    assert len(await everything(follower)) == 1
    assert len(wire.calls) == 1


async def test_a_refund_is_followed_by_whatever_names_it_and_only_once(atlas: AtlasRefunds, wire: WireServer) -> None:
    wire.plays(listed(0), listed(2))
    state = await atlas.get(ORDER, CODE)
    follower = atlas.follow([str(TOKEN), TOKEN, state])
    assert [change.token for change in await everything(follower)] == [TOKEN]


@pytest.mark.parametrize("bad", [str(TOKEN), TOKEN, ["no token"], [ORDER], [None], None])
async def test_what_is_no_list_of_tokens_is_refused(bad: Any, atlas: AtlasRefunds) -> None:
    with pytest.raises(InvalidRequestError, match=r"(?i)token"):
        atlas.follow(bad)


async def test_iterating_outside_of_the_block_says_so(atlas: AtlasRefunds) -> None:
    with pytest.raises(InvalidRequestError, match="async with"):
        async for _ in atlas.follow([TOKEN]):
            pass


async def test_an_error_in_the_block_leaves_no_task_behind(atlas: AtlasRefunds, wire: WireServer) -> None:
    wire.plays(listed(0))

    async def fails_in_the_block() -> None:
        async with atlas.follow([TOKEN], forever=True) as refunds:
            async for _ in refunds:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails_in_the_block()
    assert not of_the_poller(await leftovers())


async def test_nobody_is_asked_while_nobody_takes_the_changes(clock: HandClock) -> None:
    asked: Counter[RefundToken] = Counter()

    async def look(token: RefundToken) -> RefundState:
        asked[token] += 1
        return RefundState(order=token.order, refund_status=RefundStatus.REFUNDED)

    tokens = [RefundToken(order=OrderNo(f"O{number}"), refund_code=CODE) for number in range(50)]
    follower = Follower(
        look, tokens=tokens, schedule=HOURLY, payment_mode=None, clock=clock, workers=4, buffer=10, forever=False
    )
    async with follower as refunds:
        await leftovers()
        assert 10 <= asked.total() < 20
        assert len([change async for change in refunds]) == 50


async def test_calls_in_flight_stay_within_the_bound(clock: HandClock) -> None:
    pair, in_flight, peak = asyncio.Barrier(3), 0, 0

    async def look(token: RefundToken) -> RefundState:
        nonlocal in_flight, peak
        in_flight += 1
        peak = max(peak, in_flight)
        await pair.wait()
        in_flight -= 1
        return RefundState(order=token.order, refund_status=RefundStatus.REFUNDED)

    tokens = [RefundToken(order=OrderNo(f"O{number}"), refund_code=CODE) for number in range(30)]
    follower = Follower(
        look, tokens=tokens, schedule=HOURLY, payment_mode=None, clock=clock, workers=3, buffer=100, forever=False
    )
    assert len(await everything(follower)) == 30
    assert peak == 3


async def test_polls_that_never_wait_leave_the_loop_to_others() -> None:
    """Each poll takes a millisecond of the loop, and there are always some that are due."""
    polls, in_a_row, most = 0, 0, 0

    class Working(HandClock):
        def monotonic(self) -> float:
            return float(polls) / 1000

    async def look(token: RefundToken) -> RefundState:
        nonlocal polls, in_a_row, most
        polls, in_a_row = polls + 1, in_a_row + 1
        most = max(most, in_a_row)
        return RefundState(order=token.order, refund_status=RefundStatus.REFUNDED)

    tokens = [RefundToken(order=OrderNo(f"O{number}"), refund_code=CODE) for number in range(500)]
    follower = Follower(
        look, tokens=tokens, schedule=HOURLY, payment_mode=None, clock=Working(), workers=64, buffer=999, forever=False
    )
    async with follower as refunds:
        while refunds.open:
            in_a_row = 0
            await asyncio.sleep(0)
    assert polls == 500
    assert most <= 20


# ---- woken by a webhook ----------------------------------------------------------------------------------------------
def event(order_no: str) -> Any:
    return parse_notification(b'{"orderNo": "%s", "refundStatus": 2}' % order_no.encode())


class RealTime(HandClock):
    """Long sleeps last for ever, so that only an alarm ends them; the time is moved by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.asleep = asyncio.Queue[float]()

    async def sleep(self, seconds: float) -> None:
        if seconds <= 30:  # deaf for a while after an alarm
            self.seconds += seconds
            return
        self.asleep.put_nowait(seconds)
        await asyncio.Event().wait()


async def test_event_ends_the_sleep_of_a_wait_and_the_answer_is_believed(wire: WireServer) -> None:
    """The event says refunded, Atlas says in progress, then refunded."""
    clock = RealTime()
    wire.plays(listed(0), listed(1), listed(2))
    async with AtlasRefunds(Credentials("a", "b"), base_url=wire.url, clock=clock) as atlas:
        waiting = asyncio.create_task(atlas.wait(TOKEN))
        for _ in range(2):
            await clock.asleep.get()
            clock.seconds += 3600
            atlas.notify(event(ORDER.order_no))
        assert (await waiting).refund_status is RefundStatus.REFUNDED
    assert len(wire.calls) == 3


async def test_event_of_another_order_wakes_nobody(wire: WireServer) -> None:
    clock = RealTime()
    wire.plays(listed(0))
    async with AtlasRefunds(Credentials("a", "b"), base_url=wire.url, clock=clock) as atlas:
        waiting = asyncio.create_task(atlas.wait(TOKEN))
        await clock.asleep.get()
        atlas.notify(event("ANOTHER"))
        await leftovers()
        assert len(wire.calls) == 1
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert not of_the_poller(await leftovers())


async def test_flood_of_forged_events_costs_one_query_per_interval(clock: HandClock) -> None:
    asked_at: list[float] = []
    enough = asyncio.Event()

    async def look(token: RefundToken) -> RefundState:
        asked_at.append(clock.monotonic())
        if len(asked_at) > 20:
            enough.set()
        return RefundState(order=token.order, refund_status=RefundStatus.ATLAS_PROCESSING)

    follower = Follower(
        look, tokens=[TOKEN], schedule=HOURLY, payment_mode=None, clock=clock, workers=4, buffer=10, forever=True
    )

    async def forged(_: float) -> None:
        for _ in range(1000):
            follower.wake(ORDER.order_no)

    clock.meanwhile = forged
    async with follower as refunds:
        await enough.wait()
        await refunds.stop()
    assert min(later - earlier for earlier, later in itertools.pairwise(asked_at)) >= 30


# ---- weeks in no time ------------------------------------------------------------------------------------------------
async def test_seven_weeks_of_a_hundred_refunds_take_few_polls_each(clock: HandClock) -> None:
    polls: Counter[RefundToken] = Counter()

    async def look(token: RefundToken) -> RefundState:
        polls[token] += 1
        status = lifecycle.REFUNDED.status(clock.now() - START)
        return RefundState(
            order=token.order,
            refund_status=RefundStatus(status),
            expected_confirmation_date=START.date() + timedelta(days=10),
            expected_refund_date=START.date() + timedelta(days=50),
        )

    tokens = [RefundToken(order=OrderNo(f"O{number}"), refund_code=CODE, submitted=START) for number in range(100)]
    follower = Follower(
        look,
        tokens=tokens,
        schedule=PollSchedule(),
        payment_mode=None,
        clock=clock,
        workers=16,
        buffer=9,
        forever=False,
    )
    changes = await everything(follower)
    assert Counter(str(change.state and change.state.refund_status) for change in changes) == dict.fromkeys("0132", 100)
    assert max(polls.values()) < 60
    assert clock.now() - START < timedelta(days=49 + 2)
