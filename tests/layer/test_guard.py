"""Two submits for one order at the same time, and a service's own guard."""

import asyncio

import pytest

from atlas_refunds import (
    AtlasRefunds,
    ConcurrentSubmitError,
    NotSentError,
    OrderNo,
    OutcomeUnknownError,
    QuoteExpiredError,
    Refund,
    Submission,
    SubmitResult,
)

from .conftest import CODE, CREDENTIALS, ORDER, SUBMITTED, HandClock, free_port
from .wire_server import Act, WireServer, answers, closes_before_answer, never_answers, refuses


async def two_submits(atlas: AtlasRefunds) -> tuple[Refund | BaseException, Refund | BaseException]:
    return await asyncio.gather(
        atlas.submit(ORDER, offer_id="q_1"), atlas.submit(ORDER, offer_id="q_1"), return_exceptions=True
    )


async def test_second_submit_learns_of_the_refund_of_the_first(atlas: AtlasRefunds, wire: WireServer) -> None:
    wire.plays(answers(SUBMITTED))
    first, second = await two_submits(atlas)
    assert isinstance(first, Refund)
    assert isinstance(second, ConcurrentSubmitError)
    assert second.first is first
    assert CODE in str(second)
    assert len(wire.calls) == 1


@pytest.mark.parametrize("act", [closes_before_answer, refuses(2), refuses(816)], ids=["lost", "code 2", "duplicate"])
async def test_second_submit_is_not_sent_after_an_unclear_or_existing_first(
    atlas: AtlasRefunds, wire: WireServer, act: Act
) -> None:
    wire.plays(act)
    first, second = await two_submits(atlas)
    assert isinstance(second, ConcurrentSubmitError)
    assert second.first is first
    assert len(wire.calls) == 1


async def test_second_submit_goes_ahead_after_a_clear_refusal(atlas: AtlasRefunds, wire: WireServer) -> None:
    wire.plays(refuses(805), answers(SUBMITTED))
    first, second = await two_submits(atlas)
    assert isinstance(first, QuoteExpiredError)
    assert isinstance(second, Refund)


async def test_other_orders_do_not_wait(atlas: AtlasRefunds, wire: WireServer) -> None:
    wire.plays(never_answers, answers(SUBMITTED))
    stuck = asyncio.create_task(atlas.submit(ORDER, offer_id="q_1"))
    await wire.was_called()
    assert (await atlas.submit(OrderNo("ANOTHER"), offer_id="q_2")).refund_code == CODE
    stuck.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stuck


async def test_submit_after_a_finished_one_is_sent(atlas: AtlasRefunds, wire: WireServer) -> None:
    wire.plays(answers(SUBMITTED))
    await atlas.submit(ORDER, offer_id="q_1")
    await atlas.submit(ORDER, offer_id="q_1")
    assert len(wire.calls) == 2


class Ledger:
    """A guard that keeps a list, and can refuse or fail."""

    def __init__(self, *, refuses: bool = False, fails: bool = False) -> None:
        self.lines: list[str | SubmitResult] = []
        self.refuses, self.fails = refuses, fails

    async def before(self, submission: Submission) -> None:
        if self.refuses:
            raise PermissionError("not today")
        self.lines.append(f"intent {submission.offer_id}")

    async def after(self, submission: Submission, result: SubmitResult) -> None:
        self.lines.append(result)
        if self.fails:
            raise OSError("disk full")


def guarded(wire: WireServer, clock: HandClock, ledger: Ledger, url: str | None = None) -> AtlasRefunds:
    return AtlasRefunds(CREDENTIALS, base_url=url or wire.url, clock=clock, guard=ledger)


async def test_guard_sees_intent_and_refund(wire: WireServer, clock: HandClock) -> None:
    wire.plays(answers(SUBMITTED))
    ledger = Ledger()
    async with guarded(wire, clock, ledger) as atlas:
        refund = await atlas.submit(ORDER, offer_id="q_1")
    assert ledger.lines == ["intent q_1", refund]


async def test_refusal_of_the_guard_reaches_the_caller_and_nothing_is_sent(wire: WireServer, clock: HandClock) -> None:
    async with guarded(wire, clock, Ledger(refuses=True)) as atlas:
        with pytest.raises(PermissionError):
            await atlas.submit(ORDER, offer_id="q_1")
    assert not wire.calls


async def test_failing_guard_does_not_take_the_refund_away(wire: WireServer, clock: HandClock) -> None:
    wire.plays(answers(SUBMITTED))
    async with guarded(wire, clock, Ledger(fails=True)) as atlas:
        assert (await atlas.submit(ORDER, offer_id="q_1")).refund_code == CODE


async def test_guard_sees_a_cancelled_submit_as_unknown(wire: WireServer, clock: HandClock) -> None:
    wire.plays(never_answers)
    ledger = Ledger()
    async with guarded(wire, clock, ledger) as atlas:
        submit = asyncio.create_task(atlas.submit(ORDER, offer_id="q_1"))
        await wire.was_called()
        submit.cancel()
        with pytest.raises(asyncio.CancelledError):
            await submit
        (unsettled,) = atlas.unsettled
    assert ledger.lines == ["intent q_1", unsettled]
    assert isinstance(unsettled, OutcomeUnknownError)
    assert (unsettled.order, unsettled.offer_id, unsettled.at) == (ORDER, "q_1", clock.now())


async def test_guard_sees_a_submit_that_never_left(wire: WireServer, clock: HandClock) -> None:
    ledger = Ledger()
    async with guarded(wire, clock, ledger, f"http://127.0.0.1:{free_port()}") as atlas:
        with pytest.raises(NotSentError) as caught:
            await atlas.submit(ORDER, offer_id="q_1")
        assert ledger.lines[1:] == [caught.value]
        assert not atlas.unsettled


async def test_timeout_around_a_submit_leaves_its_trace(atlas: AtlasRefunds, wire: WireServer) -> None:
    """What a caller sees of it is a TimeoutError; `unsettled` has the order, the offer and the passengers."""
    wire.plays(never_answers)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await atlas.submit(ORDER, offer_id="q_1")
    assert [unknown.offer_id for unknown in atlas.unsettled] == ["q_1"]
