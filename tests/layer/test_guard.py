"""Two submits for one order at the same time, a service's own guard, and what a submit knows when it is cut off."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from atlas_refunds import (
    AirlinePnr,
    ApiError,
    AtlasRefunds,
    Attempt,
    ConcurrentSubmitError,
    Deviation,
    Event,
    InvalidRequestError,
    NotSentError,
    OrderNo,
    OutcomeUnknownError,
    QuoteExpiredError,
    Refund,
    Submission,
    SubmissionInProgressError,
    SubmitEnded,
    SubmitResult,
)
from atlas_refunds.submitting import REMEMBERED, OrderLocks

from .conftest import CODE, CREDENTIALS, ORDER, START, SUBMITTED, ZHAO, HandClock, free_port, leftovers
from .wire_server import (
    Act,
    WireServer,
    answers,
    claims_length,
    closes_before_answer,
    encoded,
    never_answers,
    refuses,
)


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


@pytest.mark.parametrize(
    "act",
    [closes_before_answer, refuses(2), refuses(816), refuses(814), refuses(905)],
    ids=["lost", "code 2", "duplicate", "in progress", "too often"],
)
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


# ---- one order, two names --------------------------------------------------------------------------------------------
PNR = AirlinePnr("S24933", carrier="G9")


async def quoted_by_pnr(atlas: AtlasRefunds, wire: WireServer) -> Coroutine[Any, Any, Refund]:
    quote = await atlas.quote(PNR, [ZHAO])
    return atlas.submit(quote)


async def offered_by_pnr(atlas: AtlasRefunds, wire: WireServer) -> Coroutine[Any, Any, Refund]:
    await atlas.quote(PNR, [ZHAO])
    return atlas.submit(PNR, offer_id="q_1")


@pytest.mark.parametrize("by_pnr", [quoted_by_pnr, offered_by_pnr])
@pytest.mark.parametrize("first", ["pnr", "number"])
async def test_order_by_number_and_by_pnr_is_one_once_a_quote_has_shown_both(
    atlas: AtlasRefunds, wire: WireServer, by_pnr: Callable[..., Any], first: str
) -> None:
    quote = {"status": 0, "isRefundable": True, "refundOfferId": "q_1", "orderNo": ORDER.order_no}
    wire.plays(answers(quote), closes_before_answer)
    submits = [await by_pnr(atlas, wire), atlas.submit(ORDER, offer_id="q_2")]
    ended = await asyncio.gather(*(submits if first == "pnr" else reversed(submits)), return_exceptions=True)
    assert [type(result) for result in ended] == [OutcomeUnknownError, ConcurrentSubmitError]
    assert [call.path for call in wire.calls] == ["/refundQuotation.do", "/refund.do"]


# ---- cut off ---------------------------------------------------------------------------------------------------------
class SlowLedger(Ledger):
    """Its `after` takes a while."""

    def __init__(self) -> None:
        super().__init__()
        self.began, self.may_end = asyncio.Event(), asyncio.Event()

    async def after(self, submission: Submission, result: SubmitResult) -> None:
        self.began.set()
        await self.may_end.wait()
        await super().after(submission, result)


async def cancelled(task: asyncio.Task[Refund]) -> None:
    """Again and again, as some frameworks do."""
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("act", "refund_code"),
    [
        (answers(SUBMITTED), CODE),
        (closes_before_answer, None),
        *((refuses(code), None) for code in (803, 814, 818, 905)),
    ],
    ids=["refund", "lost", "code 803", "code 814", "code 818", "code 905"],
)
async def test_guard_is_told_to_the_end_when_the_submit_is_cancelled_meanwhile(
    wire: WireServer, clock: HandClock, act: Act, refund_code: str | None
) -> None:
    """The refund that its caller does not get to see is unsettled, with its code; so is word of another submit."""
    wire.plays(act)
    ledger = SlowLedger()
    async with guarded(wire, clock, ledger) as atlas:
        submit = asyncio.create_task(atlas.submit(ORDER, offer_id="q_1"))
        await ledger.began.wait()
        assert len(atlas.unsettled) == 1
        await cancelled(submit)
        assert not submit.done()
        ledger.may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await submit
        (unsettled,) = atlas.unsettled
    _, told = ledger.lines
    assert unsettled.refund_code == refund_code
    if isinstance(told, Refund):
        assert told.refund_code == CODE
    else:
        assert told is unsettled or isinstance(told, ApiError)
    assert not await leftovers()


async def test_answer_that_reaches_its_caller_is_settled(wire: WireServer, clock: HandClock) -> None:
    wire.plays(answers(SUBMITTED), refuses(814))
    async with guarded(wire, clock, Ledger()) as atlas:
        await atlas.submit(ORDER, offer_id="q_1")
        assert not atlas.unsettled
        with pytest.raises(SubmissionInProgressError):
            await atlas.submit(ORDER, offer_id="q_1")
        assert not atlas.unsettled


async def test_answer_that_had_come_is_read_when_the_submit_is_cancelled(wire: WireServer, atlas: AtlasRefunds) -> None:
    came = asyncio.Event()

    async def all_but_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await claims_length(len(encoded(SUBMITTED)) + 1, SUBMITTED, then_close=False)(reader, writer)
        came.set()
        await never_answers(reader, writer)

    wire.plays(all_but_the_end)
    submit = asyncio.create_task(atlas.submit(ORDER, offer_id="q_1"))
    await came.wait()
    for _ in range(20):  # the bytes are on their way to the client, on the same loop
        await asyncio.sleep(0)
    submit.cancel()
    with pytest.raises(asyncio.CancelledError):
        await submit
    assert [unknown.refund_code for unknown in atlas.unsettled] == [CODE]


class Stop(BaseException):
    """Such as KeyboardInterrupt, but harmless to the test."""


@pytest.mark.parametrize("kind", [Attempt, SubmitEnded, Deviation])
async def test_handler_that_stops_everything_neither_locks_the_order_nor_loses_the_refund(
    wire: WireServer, clock: HandClock, kind: type[Event]
) -> None:
    wire.plays(answers({**SUBMITTED, "orderNo": "ANOTHER"}))

    def stops(event: Event) -> None:
        if isinstance(event, kind):
            raise Stop

    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock, on_event=stops) as atlas:
        for count in (1, 2):  # the second one is not held up by the first
            with pytest.raises(Stop):
                await atlas.submit(ORDER, offer_id="q_1")
            assert [unknown.refund_code for unknown in atlas.unsettled] == [CODE] * count


@pytest.mark.parametrize("error", [ValueError("digits"), RecursionError(), MemoryError(), KeyError("x")], ids=repr)
async def test_whatever_goes_wrong_after_sending_is_an_open_outcome(
    wire: WireServer, atlas: AtlasRefunds, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    wire.plays(answers(SUBMITTED))
    monkeypatch.setattr("atlas_refunds.caller.settle", fails)
    with pytest.raises(OutcomeUnknownError) as caught:
        await atlas.submit(ORDER, offer_id="q_1")
    assert caught.value.__cause__ is error
    assert caught.value.refund_code == CODE
    assert atlas.unsettled == (caught.value,)


async def test_client_that_would_have_to_forget_does_not_submit(wire: WireServer, atlas: AtlasRefunds) -> None:
    open_questions = atlas._submitter.unsettled
    for _ in range(REMEMBERED):
        open_questions[OutcomeUnknownError("test", order=ORDER, offer_id="q", passengers=(), at=START)] = None
    with pytest.raises(InvalidRequestError, match="unsettled"):
        await atlas.submit(ORDER, offer_id="q_1")
    assert not wire.calls
    assert len(atlas.unsettled) == REMEMBERED


# ---- event loops -----------------------------------------------------------------------------------------------------
async def test_submit_in_another_event_loop_is_seen(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(never_answers)
    first = asyncio.create_task(atlas.submit(ORDER, offer_id="q_1"))
    await wire.was_called()

    def in_a_loop_of_its_own() -> None:
        with pytest.raises(InvalidRequestError, match="another event loop"):
            asyncio.run(atlas.submit(ORDER, offer_id="q_1"))

    await asyncio.to_thread(in_a_loop_of_its_own)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert len(wire.calls) == 1


def test_order_is_free_again_when_its_event_loop_is_gone() -> None:
    guard = OrderLocks()
    submission = Submission(order=ORDER, offer_id="q_1", passengers=(), display_currency=None)
    for _ in range(2):  # the first loop ends without an `after`
        asyncio.run(asyncio.wait_for(guard.before(submission), 5))
