"""The tracker with the real engine and a real Atlas on a socket, on both databases."""

import asyncio
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

from atlas_refunds import (
    AtlasRefunds,
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
from atlas_refunds.simulator import CLIENT_ID, CLIENT_SECRET, Simulator
from atlas_refunds.tracking import Step, Tracker
from atlas_refunds.tracking.schema import open_engine
from tests.chaos.procedure import PEOPLE

from .conftest import HURRY, SECOND, Heard, Track
from .listening import Listener

SLOW = attrs.evolve(HURRY, schedule=PollSchedule.every(3600 * SECOND))


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
        track(sqlite_url, client=slow, work=False) as tracker,
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
    order, policy = "SIM-REFUNDED+refused.1", attrs.evolve(HURRY, resubmit=resubmit)
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
    async with track(sqlite_url, on_change=listener) as tracker:
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


async def test_one_working_tracker_per_process(sqlite_url: str, track: Track, tmp_path: Path) -> None:
    async with track(sqlite_url):
        with pytest.raises(ConfigurationError, match="one working Tracker per process"):
            async with track(f"sqlite:///{tmp_path}/other.db"):
                pass
    async with track(sqlite_url):
        assert await asyncio.to_thread(lambda: 1) == 1  # the engine leaves the event loop's own threads alone
    assert await asyncio.to_thread(lambda: 1) == 1


BESIDE_ANOTHER_DBOS = """
import asyncio, sys
from dbos import DBOS
from atlas_refunds import AtlasRefunds, ConfigurationError, Credentials
from atlas_refunds.tracking import Tracker
DBOS(config={"name": "host-app", "system_database_url": sys.argv[1] + ".host", "log_level": "CRITICAL"})
DBOS.launch()
async def main():
    atlas = AtlasRefunds(Credentials("a", "b"), base_url="https://atlas.example")
    try:
        async with Tracker(atlas, url=sys.argv[1]):
            pass
    except ConfigurationError as error:
        print(error)
    async with Tracker(atlas, url=sys.argv[1], work=False) as front:
        print(await front.counts(), DBOS.application_version != "")
asyncio.run(main())
"""


async def test_a_service_that_runs_the_engine_for_itself_tracks_in_another_process(sqlite_url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BESIDE_ANOTHER_DBOS, sqlite_url, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert output.decode().splitlines() == [
        "tracking: this process runs DBOS for itself; track in a process of its own",
        "{} True",
    ]


@pytest.mark.parametrize("key", ["", "x" * 201, "a\x00b", None, 7])
async def test_a_bad_key_is_refused(key: Any, sqlite_url: str, track: Track, atlas: AtlasRefunds) -> None:
    quote = await quoted(atlas, "SIM-REFUNDED")
    async with track(sqlite_url, work=False) as tracker:
        with pytest.raises(InvalidRequestError, match="key: give"):
            await tracker.submit(quote, key=key)
        assert await tracker.counts() == {}


async def test_a_key_is_one_refund(sqlite_url: str, track: Track, atlas: AtlasRefunds) -> None:
    async with track(sqlite_url, work=False) as tracker:
        await tracker.submit(await quoted(atlas, "SIM-REFUNDED"), key="a")
        with pytest.raises(InvalidRequestError, match="another order"):
            await tracker.submit(await quoted(atlas, "SIM-REJECTED"), key="a")
        for call in (tracker.show("b"), tracker.check("b"), tracker.replay("b"), tracker.submit_again("b")):
            with pytest.raises(InvalidRequestError, match="no refund is known"):
                await call


@pytest.mark.parametrize("url", ["", "sqlite://", "sqlite:///:memory:", "mysql://a@b/c", "nonsense", None])
def test_a_bad_url_is_refused(url: Any) -> None:
    atlas = AtlasRefunds(Credentials(CLIENT_ID, CLIENT_SECRET), base_url="https://atlas.example")
    with pytest.raises(ConfigurationError, match="url: give"):
        Tracker(atlas, url=url)


async def test_polls_that_fail_are_visible_and_go_on(
    sqlite_url: str, track: Track, atlas: AtlasRefunds, simulator: Simulator
) -> None:
    listener = Listener()
    async with track(sqlite_url, on_change=listener) as tracker:
        await tracker.submit(await quoted(atlas, "SIM-REFUNDED"), key="a")
        simulator.faults.set(rates={"query": {"lost_answer": 1.0}})
        failing = await tracker.check("a")
        assert failing.tries > 0
        assert failing.note
        assert [row.key async for row in tracker.list(failing=True)] == ["a"]
        simulator.faults.set()
        assert (await listener.until_final())[-1].is_refunded


async def test_a_process_that_was_frozen_before_it_could_send_does_not_send(
    sqlite_url: str, track: Track, atlas: AtlasRefunds, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_ago = SimpleNamespace(monotonic=lambda: time.monotonic() - 1000)
    monkeypatch.setattr("atlas_refunds.tracking.tracker.time", long_ago)
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
        track(sqlite_url, client=client, on_change=listener, policy=attrs.evolve(HURRY, resubmit=True)) as tracker,
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
