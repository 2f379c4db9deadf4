"""The tracker with the real engine and a real Atlas on a socket, on both databases."""

import asyncio
import os
import sqlite3
from pathlib import Path
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

from atlas_refunds import (
    AtlasRefunds,
    AtlasRefundsError,
    ConfigurationError,
    Credentials,
    InvalidRequestError,
    OrderNo,
    PollSchedule,
    RateLimit,
    RefundQuote,
    RefundStatus,
    Submission,
    SubmitResult,
    parse_notification,
)
from atlas_refunds.notifications import UnverifiedNotification
from atlas_refunds.simulator import CLIENT_ID, CLIENT_SECRET, Simulator
from atlas_refunds.tracking import Action, Change, Health, Step, Tracker
from atlas_refunds.tracking.runs import uptime
from atlas_refunds.tracking.schema import open_engine
from atlas_refunds.tracking.store import Store
from tests.chaos.procedure import PEOPLE

from .conftest import HURRY, IMPATIENT, SECOND, Heard, Track
from .listening import Listener, until
from .test_decisions import NOW

SLOW = attrs.evolve(HURRY, schedule=PollSchedule.every(3600 * SECOND))
QUICK = attrs.evolve(HURRY, schedule=PollSchedule.every(0.02 * SECOND), longest_retry=0.05 * SECOND)


async def counted(tracker: Tracker, wanted: dict[str, int]) -> bool:
    return await tracker.counts() == wanted


async def is_held(tracker: Tracker) -> bool:
    return (await tracker.show("a"))[0].held_until is not None


async def truth(so: bool) -> bool:
    return so


async def quoted(atlas: AtlasRefunds, order: str) -> RefundQuote:
    return await atlas.quote(OrderNo(order), PEOPLE)


async def test_a_refund_is_submitted_followed_and_told_of(
    database_url: str, track: Track, atlas: AtlasRefunds, simulator: Simulator
) -> None:
    listener = Listener()
    async with track(database_url, on_change=listener) as tracker:
        quote = await quoted(atlas, "SIM-REFUNDED")
        row = await tracker.submit(quote, key="a")
        assert (row.step, row.order_no, row.intent) == (Step.FOLLOWED, "SIM-REFUNDED", None)
        assert await tracker.submit(quote, key="a") == row  # sends nothing
        calls = await listener.until_final()
        final, changes = await tracker.show("a")
    assert [change.id for change in calls] == [f"a/{number + 1}" for number in range(len(calls))]
    assert calls == changes
    assert calls[-1].state is not None
    assert calls[-1].state.refund_code == row.token.refund_code if row.token else None
    assert (final.step, final.status, final.is_refunded) == (Step.FINAL, RefundStatus.REFUNDED, True)
    assert calls[-1].token == row.token
    assert len(simulator.ledger.refunds("SIM-REFUNDED")) == 1


async def test_a_refusal_is_a_result(sqlite_url: str, track: Track, atlas: AtlasRefunds) -> None:
    listener = Listener()
    async with track(sqlite_url, on_change=listener) as tracker:
        row = await tracker.submit(await quoted(atlas, "SIM-PAST-DEADLINE"), key="a")
        assert (row.step, row.intent) == (Step.REFUSED, None)
        assert "821" in (row.note or "")
        assert [call.step for call in await listener.until_final()] == [Step.REFUSED]


async def test_what_did_not_reach_atlas_is_sent_later(
    sqlite_url: str, track: Track, atlas: AtlasRefunds, simulator: Simulator
) -> None:
    quote, listener = await quoted(atlas, "SIM-TOO-OFTEN"), Listener()
    async with track(sqlite_url, on_change=listener) as tracker:
        assert (await tracker.submit(quote, key="a")).step is Step.WAITING
        simulator.clock.advance(40 * SECOND)
        assert (await listener.until_final())[-1].is_refunded


async def test_a_submit_whose_turn_does_not_come_was_not_sent(sqlite_url: str, track: Track, atlas_url: str) -> None:
    credentials, limit = Credentials(CLIENT_ID, CLIENT_SECRET), RateLimit(per_second=0.02, burst=1)
    async with (
        AtlasRefunds(credentials, base_url=atlas_url, limit=limit) as slow,
        track(sqlite_url, client=slow, work=False, policy=IMPATIENT) as tracker,
    ):
        row = await tracker.submit(await quoted(slow, "SIM-REFUNDED"), key="a")
        assert row.step is Step.WAITING
        assert "its turn" in (row.note or "")


@pytest.mark.parametrize("fault", ["lost_answer", "reset_mid_body", "html_200", "system_error"])
async def test_an_unclear_outcome_is_found_and_never_sent_again(
    fault: str, sqlite_url: str, track: Track, atlas: AtlasRefunds, simulator: Simulator
) -> None:
    listener, order = Listener(), f"SIM-REFUNDED+{fault}.1"
    async with track(sqlite_url, on_change=listener) as tracker:
        assert (await tracker.submit(await quoted(atlas, order), key="a")).step in (Step.UNCLEAR, Step.FOLLOWED)
        assert (await listener.until_final())[-1].is_refunded
    assert len(simulator.ledger.refunds(order)) == 1


@pytest.mark.parametrize("resubmit", [False, True])
async def test_what_atlas_never_got_is_reviewed_or_on_request_submitted_again(
    resubmit: bool, sqlite_url: str, track: Track, atlas: AtlasRefunds, heard: Heard, simulator: Simulator
) -> None:
    listener = Listener()
    order, policy = "SIM-REFUNDED+refused.1", attrs.evolve(IMPATIENT, resubmit=resubmit)
    async with track(sqlite_url, on_change=listener, policy=policy) as tracker:
        assert (await tracker.submit(await quoted(atlas, order), key="a")).step is Step.UNCLEAR
        if not resubmit:
            calls = await listener.until(lambda calls: bool(calls))
            assert [call.step for call in calls] == [Step.REVIEW]
            assert heard.kinds == ["review"]
            await tracker.check("a")  # looked for again, not sent
            await listener.until(lambda calls: len(calls) == 2)
            assert simulator.ledger.refunds(order) == []
            assert (await tracker.show("a"))[0].step is Step.REVIEW
            await tracker.submit_again("a")
        assert (await listener.until_final())[-1].is_refunded
    assert len(simulator.ledger.refunds(order)) == 1


async def test_without_its_code_a_refund_waits_for_somebody_who_knows_it(
    sqlite_url: str, track: Track, atlas: AtlasRefunds, simulator: Simulator
) -> None:
    simulator.query_without_code = "refuse"
    listener, order = Listener(), "SIM-REFUNDED+lost_answer.1"
    async with track(sqlite_url, on_change=listener, policy=IMPATIENT) as tracker:
        await tracker.submit(await quoted(atlas, order), key="a")
        calls = await listener.until(lambda calls: bool(calls))
        assert "its code is not known" in (calls[0].note or "")
        await tracker.check("a", refund_code=simulator.ledger.refunds(order)[0].code)
        assert (await listener.until_final())[-1].is_refunded


async def test_a_webhook_wakes_a_refund_and_is_not_believed(
    sqlite_url: str, track: Track, atlas: AtlasRefunds, simulator: Simulator
) -> None:
    listener = Listener()
    async with track(sqlite_url, on_change=listener, policy=SLOW) as tracker:
        await tracker.submit(await quoted(atlas, "SIM-REJECTED"), key="a")
        simulator.clock.advance(3600 * 24 * 60 * SECOND)
        claimed = parse_notification(
            b'{"type":"order.refundComplete","data":{"orderNo":"SIM-REJECTED","refundStatus":2}}'
        )
        assert await tracker.notify(claimed) == ["a"]
        final = (await listener.until_final())[-1]
        assert final.status == RefundStatus.REJECTED
        assert not final.is_refunded
        assert await tracker.notify(claimed) == []
        assert await tracker.notify(attrs.evolve(claimed, is_refund=False)) == []


async def test_a_handler_is_called_until_it_succeeds_and_then_on_request(
    sqlite_url: str, track: Track, atlas: AtlasRefunds, heard: Heard
) -> None:
    listener = Listener(lambda change: change.number == 1 and change.tries < 2)
    async with track(sqlite_url, on_change=listener) as tracker:
        await tracker.submit(await quoted(atlas, "SIM-WITHDRAWN"), key="a")
        numbers = [call.number for call in await listener.until_final()]
        assert numbers == sorted(numbers)
        assert numbers.count(1) == 3
        assert set(numbers) == {call.number for call in (await tracker.show("a"))[1]}
        replayed = await tracker.replay("a", 1)
        assert [change.id for change in replayed] == ["a/1"]
        await listener.until(lambda calls: calls[-1].number == 1)
    assert set(heard.kinds) == {"handler failed"}


async def test_a_handler_that_gives_up_is_visible_and_can_be_replayed(
    sqlite_url: str, track: Track, atlas: AtlasRefunds, heard: Heard
) -> None:
    broken = [True]
    listener = Listener(lambda change: broken[0])
    async with track(sqlite_url, on_change=listener, policy=attrs.evolve(HURRY, handler_tries=2)) as tracker:
        await tracker.submit(await quoted(atlas, "SIM-WITHDRAWN"), key="a")
        await listener.until(lambda calls: len(calls) == 2)
        async with asyncio.timeout(20):
            while (await tracker.check("a")).step is not Step.FINAL or "handler gave up" not in heard.kinds:
                pass
        assert [row.key async for row in tracker.list(failing=True)] == ["a"]
        assert len(listener.calls) == 2  # the later changes wait behind the failed one
        broken.clear()
        broken.append(False)
        await tracker.replay("a")
        assert (await listener.until_final())[-1].is_final
        assert [row.key async for row in tracker.list(Step.FINAL)] == ["a"]


async def test_a_caller_that_leaves_does_not_take_the_submit_along(
    sqlite_url: str, track: Track, atlas: AtlasRefunds, simulator: Simulator
) -> None:
    simulator.faults.set(delay_seconds=0.3, rates={"submit": {"delayed": 1.0}})
    listener = Listener()
    async with track(sqlite_url, on_change=listener) as tracker:
        quote = await quoted(atlas, "SIM-REFUNDED")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await tracker.submit(quote, key="a")
        assert (await tracker.show("a"))[0].step is Step.UNCLEAR
        assert (await listener.until(lambda calls: bool(calls)))[0].step is Step.FOLLOWED
    assert len(simulator.ledger.refunds("SIM-REFUNDED")) == 1


async def test_closing_waits_for_a_submit_under_way(
    sqlite_url: str, track: Track, atlas: AtlasRefunds, simulator: Simulator
) -> None:
    simulator.faults.set(delay_seconds=0.3, rates={"submit": {"delayed": 1.0}})
    async with track(sqlite_url, seconds=5) as tracker:
        submitting = asyncio.create_task(tracker.submit(await quoted(atlas, "SIM-REFUNDED"), key="a"))
        async with asyncio.timeout(20):
            while not simulator.ledger.refunds("SIM-REFUNDED"):
                await tracker.counts()
    assert (await submitting).step is Step.FOLLOWED


async def test_a_process_that_only_submits_leaves_the_rest_to_a_worker(
    database_url: str, track: Track, atlas: AtlasRefunds
) -> None:
    listener = Listener()
    async with track(database_url, work=False) as front:
        assert (await front.submit(await quoted(atlas, "SIM-REJECTED"), key="a")).step is Step.FOLLOWED
        assert (await front.check("a")).looked_at is not None
        async with track(database_url, on_change=listener):
            assert (await listener.until_final())[-1].status == RefundStatus.REJECTED


async def test_two_accounts_work_side_by_side_in_one_process(
    database_url: str, track: Track, atlas: AtlasRefunds, atlas_url: str
) -> None:
    mine, theirs = Listener(), Listener()
    async with (
        track(database_url, on_change=mine) as shop,
        track(database_url, on_change=theirs, account="another account") as other,
    ):
        await shop.submit(await quoted(atlas, "SIM-REJECTED.1"), key="a")
        await other.submit(await quoted(atlas, "SIM-REJECTED.2"), key="b")
        assert {call.key for call in await mine.until_final()} == {"a"}
        assert {call.key for call in await theirs.until_final()} == {"b"}
        with pytest.raises(InvalidRequestError, match="another account"):
            await other.submit(await quoted(atlas, "SIM-REJECTED.3"), key="a")
        assert shop.account == f"{CLIENT_ID} at {atlas_url}"


async def test_a_tracker_that_was_forked_says_so(sqlite_url: str, track: Track) -> None:
    async with track(sqlite_url) as tracker:
        if (child := os.fork()) == 0:  # the child only asks, and leaves
            try:
                tracker.counts().send(None)
            except ConfigurationError as error:
                os._exit(0 if "before a fork" in str(error) else 1)
            except BaseException:
                os._exit(2)
            os._exit(3)
        assert (await asyncio.to_thread(os.waitpid, child, 0))[1] == 0
        assert await tracker.counts() == {}
    with pytest.raises(ConfigurationError, match="inside of `async with`"):
        await tracker.counts()


async def test_leaving_twice_leaves_nothing_behind(
    sqlite_url: str, track: Track, atlas: AtlasRefunds, simulator: Simulator
) -> None:
    """Ctrl-C twice: the second cancels the closing itself."""
    simulator.faults.set(delay_seconds=0.7, rates={"query": {"delayed": 1.0}})
    tracker = Tracker(atlas, url=sqlite_url, policy=HURRY)
    await tracker.__aenter__()
    await tracker.submit(await quoted(atlas, "SIM-REFUNDED"), key="a")
    await until(lambda: is_held(tracker))
    closing = asyncio.create_task(tracker.aclose(seconds=30))
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await tracker.aclose()
    assert not [task for task in asyncio.all_tasks() if not task.done() and "atlas_refunds/tracking" in repr(task)]
    async with track(sqlite_url) as again:
        assert await again.counts() == {"followed": 1}


@pytest.mark.parametrize("key", ["", "x" * 201, "a\x00b", "\ud800", None, 7])
async def test_a_bad_key_is_refused(key: Any, sqlite_url: str, track: Track, atlas: AtlasRefunds) -> None:
    quote = await quoted(atlas, "SIM-REFUNDED")
    async with track(sqlite_url, work=False) as tracker:
        with pytest.raises(InvalidRequestError, match="key: give"):
            await tracker.submit(quote, key=key)
        assert await tracker.counts() == {}


async def test_a_key_is_one_refund(sqlite_url: str, track: Track, atlas: AtlasRefunds) -> None:
    async with track(sqlite_url, work=False) as tracker:
        await tracker.submit(await atlas.quote(OrderNo("SIM-REFUNDED"), PEOPLE[:1]), key="a")
        with pytest.raises(InvalidRequestError, match="another order"):
            await tracker.submit(await quoted(atlas, "SIM-REJECTED"), key="a")
        with pytest.raises(InvalidRequestError, match="other passengers"):
            await tracker.submit(await atlas.quote(OrderNo("SIM-REFUNDED"), PEOPLE[1:]), key="a")
        for call in (tracker.show("b"), tracker.check("b"), tracker.replay("b"), tracker.submit_again("b")):
            with pytest.raises(InvalidRequestError, match="no refund is known"):
                await call


async def test_one_refund_is_not_followed_under_two_keys(
    sqlite_url: str, track: Track, atlas: AtlasRefunds, simulator: Simulator
) -> None:
    """A caller's mistake: the same quote under two keys. What the first key has is not the second one's refund."""
    async with track(sqlite_url, policy=IMPATIENT, on_change=Listener()) as tracker:
        quote = await quoted(atlas, "SIM-REFUNDED")
        first = await tracker.submit(quote, key="a")
        second = await tracker.submit(quote, key="b")
        assert (first.step, second.step) == (Step.FOLLOWED, Step.UNCLEAR)
        assert (await tracker.check("b")).step is Step.UNCLEAR
    assert len(simulator.ledger.refunds("SIM-REFUNDED")) == 1


async def test_an_order_with_its_offer_is_submitted_like_a_quote(
    sqlite_url: str, track: Track, atlas: AtlasRefunds
) -> None:
    async with track(sqlite_url, work=False) as tracker:
        quote = await quoted(atlas, "SIM-REFUNDED")
        with pytest.raises(InvalidRequestError, match="the offer_id and the passengers"):
            await tracker.submit(quote.order, key="a", offer_id=quote.refund_offer_id)
        row = await tracker.submit(quote.order, key="a", offer_id=quote.refund_offer_id, passengers=PEOPLE)
        assert (await tracker.submit(quote, key="a")).key == row.key == "a"
        assert row.step is Step.FOLLOWED


@pytest.mark.parametrize("url", ["", "sqlite://", "sqlite:///:memory:", "mysql://a@b/c", "nonsense", None])
def test_a_bad_url_is_refused(url: Any) -> None:
    atlas = AtlasRefunds(Credentials(CLIENT_ID, CLIENT_SECRET), base_url="https://atlas.example")
    with pytest.raises(ConfigurationError, match="url: give"):
        Tracker(atlas, url=url)


async def test_polls_that_fail_are_visible_and_go_on(
    sqlite_url: str, track: Track, atlas: AtlasRefunds, simulator: Simulator, heard: Heard
) -> None:
    listener = Listener()
    async with track(sqlite_url, on_change=listener, policy=QUICK) as tracker:
        await tracker.submit(await quoted(atlas, "SIM-REFUNDED"), key="a")
        simulator.faults.set(rates={"query": {"lost_answer": 1.0}})
        await until(lambda: truth("polls fail" in heard.kinds))
        (failing,) = [row async for row in tracker.list(failing=True, order_no="SIM-REFUNDED")]
        assert failing.tries >= 8
        assert failing.note
        simulator.faults.set()
        assert (await listener.until_final())[-1].is_refunded
    assert heard.kinds == ["polls fail"]


async def test_an_account_that_is_refused_is_told_of_once_and_ends_nothing(
    sqlite_url: str, track: Track, atlas: AtlasRefunds, atlas_url: str, heard: Heard
) -> None:
    account = await atlas.account()
    async with (
        AtlasRefunds(Credentials(CLIENT_ID, "revoked"), base_url=atlas_url) as revoked,
        track(sqlite_url, client=revoked, policy=QUICK, work=False) as tracker,
    ):
        for number in "ab":
            quote = await quoted(atlas, f"SIM-REJECTED.{number}")
            assert (await tracker.submit(quote, key=number)).step is Step.WAITING
        assert (await tracker.check("a")).step is Step.WAITING
        assert tracker.account == account
    assert heard.kinds == ["account refused"]
    listener = Listener()
    async with track(sqlite_url, on_change=listener, policy=QUICK):
        assert (await listener.until_final(2))[-1].status == RefundStatus.REJECTED


async def test_a_process_that_was_frozen_before_it_could_send_does_not_send(
    sqlite_url: str, track: Track, atlas: AtlasRefunds, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atlas_refunds.tracking.tracker.uptime", lambda: uptime() - 1000)
    async with track(sqlite_url, work=False) as tracker:
        row = await tracker.submit(await quoted(atlas, "SIM-REFUNDED"), key="a")
    assert (row.step, simulator.ledger.refunds("SIM-REFUNDED")) == (Step.WAITING, [])


class BrokenOnce:
    """A guard of the service's own that has a fault."""

    def __init__(self) -> None:
        self.faults = ["ledger away"]

    async def before(self, submission: Submission) -> None:
        if self.faults:
            raise LookupError(self.faults.pop())

    async def after(self, submission: Submission, result: SubmitResult) -> None: ...


async def test_what_nobody_foresaw_is_told_and_tried_again(
    sqlite_url: str, track: Track, atlas_url: str, heard: Heard, simulator: Simulator
) -> None:
    listener, credentials = Listener(), Credentials(CLIENT_ID, CLIENT_SECRET)
    async with (
        AtlasRefunds(credentials, base_url=atlas_url, guard=BrokenOnce()) as client,
        track(sqlite_url, client=client, on_change=listener, policy=attrs.evolve(IMPATIENT, resubmit=True)) as tracker,
    ):
        row = await tracker.submit(await quoted(client, "SIM-REFUNDED"), key="a")
        assert (row.step, row.note) == (Step.UNCLEAR, "unforeseen: LookupError")
        assert (await listener.until_final())[-1].is_refunded
    assert heard.kinds == ["fault"]
    assert len(simulator.ledger.refunds("SIM-REFUNDED")) == 1


async def test_a_token_that_is_missing_does_not_end_a_refund(
    sqlite_url: str, track: Track, atlas: AtlasRefunds, heard: Heard
) -> None:
    async with track(sqlite_url, work=False) as tracker:
        await tracker.submit(await quoted(atlas, "SIM-REFUNDED"), key="a")
        engine = open_engine(sqlite_url)
        with engine.begin() as c:
            c.execute(sa.text("update atlas_refund set token = null"))
        engine.dispose()
        row = await tracker.check("a")
    assert (row.step, row.tries) == (Step.FOLLOWED, 1)
    assert heard.kinds == ["fault"]


# ---- handlers --------------------------------------------------------------------------------------------------------
async def test_a_worker_without_a_handler_leaves_changes_to_one_that_has_one(
    database_url: str, track: Track, atlas: AtlasRefunds
) -> None:
    async with track(database_url) as deaf:
        await deaf.submit(await quoted(atlas, "SIM-REJECTED"), key="a")
        await until(lambda: counted(deaf, {"final": 1}))
        assert {change.handled_at for change in (await deaf.show("a"))[1]} == {None}
    listener = Listener()
    async with track(database_url, on_change=listener):
        assert [call.number for call in await listener.until_final()] == [1, 2]


async def test_a_plain_function_is_a_handler_too(sqlite_url: str, track: Track, atlas: AtlasRefunds) -> None:
    calls: list[Change] = []
    async with track(sqlite_url, on_change=calls.append) as tracker:
        await tracker.submit(await quoted(atlas, "SIM-REJECTED"), key="a")
        await until(lambda: truth(len(calls) == 2))
    assert [call.number for call in calls] == [1, 2]
    with pytest.raises(ConfigurationError, match="on_change"):
        Tracker(atlas, url=sqlite_url, on_change="shop.on_change")  # type: ignore[arg-type]


async def test_a_handler_that_ends_cancelled_counts_as_failed(
    sqlite_url: str, track: Track, atlas: AtlasRefunds, heard: Heard
) -> None:
    async def cancelled(change: Change) -> None:
        raise asyncio.CancelledError

    async with track(sqlite_url, on_change=cancelled, policy=attrs.evolve(HURRY, handler_tries=2)) as tracker:
        await tracker.submit(await quoted(atlas, "SIM-REJECTED"), key="a")
        await until(lambda: truth("handler gave up" in heard.kinds))
        change = (await tracker.show("a"))[1][0]
    assert (change.tries, change.error) == (2, "CancelledError")


async def test_handlers_that_hang_do_not_stop_polls(
    sqlite_url: str, track: Track, atlas: AtlasRefunds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atlas_refunds.tracking.engine.AT_ONCE", 1)

    async def hangs(change: Change) -> None:
        await asyncio.Event().wait()

    async with track(sqlite_url, on_change=hangs, policy=HURRY) as tracker:
        for number in range(3):
            await tracker.submit(await quoted(atlas, f"SIM-REJECTED.{number}"), key=f"k{number}")
        await until(lambda: counted(tracker, {"final": 3}))


# ---- what a person does ----------------------------------------------------------------------------------------------
async def test_a_code_is_verified_before_it_is_believed(
    sqlite_url: str, track: Track, atlas: AtlasRefunds, simulator: Simulator
) -> None:
    simulator.query_without_code = "refuse"
    listener, order = Listener(), "SIM-REFUNDED+lost_answer.1"
    async with track(sqlite_url, on_change=listener, policy=IMPATIENT) as tracker:
        await tracker.submit(await quoted(atlas, order), key="a")
        await listener.until(lambda calls: bool(calls))
        code = simulator.ledger.refunds(order)[0].code
        with pytest.raises(AtlasRefundsError):
            await tracker.check("a", refund_code=code + "0")
        assert (await tracker.show("a"))[0].step is Step.REVIEW
        row = await tracker.check("a", refund_code=code, by="zoe", reason="seen in ATRIP")
        assert row.step in (Step.FOLLOWED, Step.FINAL)
        assert [(action.by, action.reason) for action in await tracker.actions("a")] == [("zoe", "seen in ATRIP")]


async def test_names_are_forgotten_on_request_and_the_key_is_not(
    sqlite_url: str, track: Track, atlas: AtlasRefunds, simulator: Simulator
) -> None:
    listener = Listener()
    async with track(sqlite_url, on_change=listener, policy=IMPATIENT) as tracker:
        quote = await quoted(atlas, "SIM-REFUNDED+refused.1")
        await tracker.submit(quote, key="a")
        await listener.until(lambda calls: bool(calls))  # review
        assert (await tracker.forget("a", by="dpo")).intent is None
        assert (await tracker.submit(quote, key="a")).step is Step.REVIEW
        with pytest.raises(InvalidRequestError, match="names are forgotten"):
            await tracker.check("a")
    assert simulator.ledger.refunds("SIM-REFUNDED+refused.1") == []


async def test_sealed_names_are_unreadable_in_the_database(
    sqlite_url: str, track: Track, atlas: AtlasRefunds, simulator: Simulator
) -> None:
    seal = lambda text: bytes(byte ^ 85 for byte in text)
    listener, policy = Listener(), attrs.evolve(HURRY, seal=seal, unseal=seal)
    async with track(sqlite_url, on_change=listener, policy=policy) as tracker:
        row = await tracker.submit(await quoted(atlas, "SIM-REFUNDED+lost_answer.1"), key="a")
        assert "ZHAO" not in (row.intent or "")
        assert (await listener.until_final())[-1].is_refunded


async def test_health_is_heard_of(sqlite_url: str, atlas: AtlasRefunds) -> None:
    heard = list[Health]()
    async with Tracker(atlas, url=sqlite_url, policy=HURRY, on_health=heard.append) as tracker:
        await until(lambda: truth(bool(heard)))
        assert heard[0].account == tracker.account
        assert (await tracker.health()).steps == {}
        assert tracker.is_working
    assert Tracker(atlas, url=sqlite_url, work=False).is_working is False


async def test_forged_webhooks_cost_reads_and_no_writes(
    sqlite_url: str, tmp_path: Path, track: Track, atlas: AtlasRefunds
) -> None:
    def claim(order: str) -> UnverifiedNotification:
        return parse_notification(f'{{"type":"order.refundComplete","data":{{"orderNo":"{order}"}}}}'.encode())

    policy = attrs.evolve(SLOW, hint_pause=3600 * SECOND)
    async with track(sqlite_url, work=False, policy=policy) as tracker:
        await tracker.submit(await quoted(atlas, "SIM-REFUNDED"), key="a")
        assert await tracker.notify(claim("SIM-REFUNDED")) == ["a"]  # the first one may write
        with sqlite3.connect(tmp_path / "refunds.db", isolation_level=None) as other:
            other.execute("begin immediate")  # nobody else can write
            async with asyncio.timeout(5):
                assert [await tracker.notify(claim("SIM-REFUNDED")) for _ in range(20)] == [["a"]] * 20
                assert await tracker.notify(claim("SIM-UNKNOWN")) == []
            other.execute("rollback")
        other.close()


async def test_after_a_restore_a_refund_whose_key_is_lost_is_found_and_not_sent_again(
    database_url: str, track: Track, atlas: AtlasRefunds, simulator: Simulator
) -> None:
    quote, fresh = await quoted(atlas, "SIM-REFUNDED.1"), await quoted(atlas, "SIM-REFUNDED.2")
    sent = await atlas.submit(quote)
    async with track(database_url, work=False) as tracker:
        engine = open_engine(database_url)
        await asyncio.to_thread(Store(engine, HURRY).restored, Action(at=NOW, key=None, what="after-restore"))
        engine.dispose()
        found = await tracker.submit(quote.order, key="lost", offer_id=quote.refund_offer_id, passengers=PEOPLE)
        assert (found.step, found.token and found.token.refund_code) == (Step.FOLLOWED, sent.refund_code)
        assert (found.attempt, (await tracker.submit(fresh, key="new")).step) == (0, Step.FOLLOWED)
    assert [len(refunds) for refunds in simulator.ledger.by_order().values()] == [1, 1]
