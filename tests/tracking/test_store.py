"""Rows on disk, on both databases, with nobody at work: who holds what, what is told, what is forgotten."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise

import attrs
import pytest
import sqlalchemy as sa

from atlas_refunds import InvalidRequestError, NoAnswerError, NotSentError, RefundState, SubmitResult
from atlas_refunds.tracking import Action, Change, Policy, Step, Tracked
from atlas_refunds.tracking import decisions as d
from atlas_refunds.tracking.database import Database
from atlas_refunds.tracking.engine import Batch, Queue
from atlas_refunds.tracking.listing import Listing, Wanted
from atlas_refunds.tracking.notices import Notices
from atlas_refunds.tracking.schema import migrate, open_engine
from atlas_refunds.tracking.store import Claimed, Ended, Settled, Store

from .test_decisions import NOW, ORDER, POLICY, WAITING, refund

INSTANT = timedelta(microseconds=1)
ACTION = Action(at=NOW, key=None, what="after-restore", by="zoe", reason="disk broken")


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    engine = open_engine(database_url)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def make(engine: sa.Engine) -> Callable[..., Store]:
    def make(policy: Policy = POLICY, account: str = "shop") -> Store:
        store = Store(engine, policy, account)
        store.enroll()
        return store

    return make


@pytest.fixture
def store(make: Callable[..., Store]) -> Store:
    return make()


@pytest.fixture
def listing(engine: sa.Engine) -> Listing:
    return Listing(engine)


def result_of(store: Store, key: str, by: str, result: SubmitResult, attempt: int = 1) -> Settled:
    decide = lambda row, now: d.answered(row, result, attempt, now, POLICY)
    return store.settle([Ended(key=key, by=by, decide=decide, even_if_lost=True)])[0]


def submitted(store: Store, key: str = "k") -> Tracked:
    store.insert(attrs.evolve(WAITING, key=key), "me")
    row = result_of(store, key, "me", refund()).row
    assert row is not None
    return row


def looked(store: Store, key: str, status: int) -> Tracked:
    assert store.take(key, "w") is not None
    seen = RefundState.from_dict({"refundCode": "R1", "refundStatus": status}, order=ORDER)
    decide = lambda row, now: d.queried(row, seen, now, now, POLICY)
    row = store.settle([Ended(key=key, by="w", decide=decide, state=seen)])[0].row
    assert row is not None
    return row


def due(store: Store) -> list[Change]:
    return [change for change, _ in store.claim_changes("h", 9).rows]


def told(store: Store, error: str | None = None) -> list[str]:
    """Call the handler for all that is due, once."""
    changes = due(store)
    for change in changes:
        assert store.handled(change, "h", error) is not None
    return [change.id for change in changes]


# ---- submits ---------------------------------------------------------------------------------------------------------
def test_an_intent_is_taken_in_once_however_many_try(store: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda by: store.insert(WAITING, by), map(str, range(8))))
    assert [fresh for _, fresh in found].count(True) == 1
    assert {row.step for row, _ in found} == {Step.UNCLEAR}


def test_nothing_is_sent_again_after_a_death_it_is_looked_for(make: Callable[..., Store]) -> None:
    store = make(attrs.evolve(POLICY, hold=INSTANT))
    store.insert(WAITING, "dead")
    claimed = store.claim("other", 9)
    assert [row.step for row, _ in claimed.rows] == [Step.UNCLEAR]
    assert claimed.taken_over == 1


def test_one_run_at_a_time(store: Store) -> None:
    store.insert(WAITING, "first")
    assert store.claim("second", 9).rows == ()
    assert store.take("k", "person") is None
    with pytest.raises(InvalidRequestError, match="no refund is known"):
        store.take("unknown", "person")


def test_who_has_lost_a_refund_writes_nothing_but_that_it_exists(make: Callable[..., Store], listing: Listing) -> None:
    store = make(attrs.evolve(POLICY, hold=INSTANT))
    store.insert(WAITING, "frozen")
    assert store.take("k", "other") is not None
    failed = Ended(key="k", by="frozen", decide=lambda row, now: d.failed(row, NoAnswerError("late"), now, POLICY))
    assert not store.settle([failed])[0].applied
    late = result_of(store, "k", "frozen", refund())
    assert late.row is not None
    assert (late.row.step, late.row.held_by) == (Step.FOLLOWED, "other")
    assert len(listing.get("k")[1]) == 1


def test_a_late_not_sent_does_not_undo_the_attempt_of_another(make: Callable[..., Store]) -> None:
    """It would be sent a third time: the second attempt was executed and its answer was lost."""
    store = make(attrs.evolve(POLICY, hold=INSTANT))
    store.insert(WAITING, "cut off")
    store.take("k", "worker")
    store.settle([Ended(key="k", by="worker", decide=lambda row, now: attrs.evolve(row, step=Step.REVIEW))])
    store.change("k", d.resubmitted)
    store.take("k", "again")
    second = store.sending("k", "again", 2)
    assert second is not None
    late = result_of(store, "k", "cut off", NotSentError("the network is back"), attempt=1)
    assert late.row is not None
    assert (late.row.step, late.row.attempt) == (Step.UNCLEAR, 2)


def test_an_attempt_begins_once_and_only_for_who_holds_the_row(store: Store) -> None:
    store.insert(WAITING, "me")
    assert result_of(store, "k", "me", NotSentError("no")).row is not None
    assert store.sending("k", "nobody", 2) is None
    store.take("k", "w")
    assert store.sending("k", "w", 3) is None
    first = store.sending("k", "w", 2)
    assert first is not None
    assert store.sending("k", "w", 2) == first  # the commit was heard of at the second time only


def test_after_a_restore_whatever_may_have_been_sent_is_looked_for(store: Store, listing: Listing) -> None:
    for key in ("waiting", "review", "followed"):
        store.insert(attrs.evolve(WAITING, key=key), "me")
    result_of(store, "waiting", "me", NotSentError("no"))
    store.settle([Ended(key="review", by="me", decide=lambda row, now: attrs.evolve(row, step=Step.REVIEW))])
    result_of(store, "followed", "me", refund())
    assert store.restored(ACTION) == 2
    assert listing.counts() == {"unclear": 2, "followed": 1}
    looked(store, "followed", 2)
    assert [change.id for change in listing.get("followed")[1]] == ["followed/1", "followed/1002"]  # never told before
    row, fresh = store.insert(attrs.evolve(WAITING, key="new to the backup"), "me")
    assert (fresh, row.step, d.looks_first(row, row.created_at, POLICY)) == (True, Step.WAITING, True)
    assert [(action.what, action.by, action.reason) for action in listing.actions("any")] == [
        ("after-restore", "zoe", "disk broken")
    ]


# ---- looks -----------------------------------------------------------------------------------------------------------
def test_rows_are_claimed_by_one_worker_each(make: Callable[..., Store]) -> None:
    store = make(attrs.evolve(POLICY, polls_per_second=1000))
    for number in range(40):
        submitted(store, f"k{number}")
        store.change(f"k{number}", d.rechecked)
    with ThreadPoolExecutor(8) as threads:
        claims = list(threads.map(lambda by: store.claim(by, 5), map(str, range(8))))
    keys = [row.key for claimed in claims for row, _ in claimed.rows]
    assert len(keys) == len(set(keys))


def test_the_budget_spaces_looks_of_all_workers(make: Callable[..., Store]) -> None:
    """They begin at least 1/n of a second apart, so no more than n in any second."""
    stores = [make(attrs.evolve(POLICY, polls_per_second=10)) for _ in range(2)]
    for number in range(9):
        submitted(stores[0], f"k{number}")
        stores[0].change(f"k{number}", d.rechecked)
    begins = []
    for store in stores * 2:
        claimed = store.claim("w", 9)
        begins += [claimed.now.timestamp() + turn for _, turn in claimed.rows]
    assert len(begins) >= 5
    assert min(later - sooner for sooner, later in pairwise(begins)) > 0.0999


def test_a_clock_that_is_set_back_stops_nothing(store: Store, engine: sa.Engine) -> None:
    submitted(store)
    store.change("k", d.rechecked)
    with engine.begin() as c:
        c.execute(sa.text("update atlas_refund_account set next_slot = 1e10"))
    assert [turn for _, turn in store.claim("w", 9).rows] == [0]


def test_a_worker_looks_at_the_refunds_of_its_own_account(make: Callable[..., Store], listing: Listing) -> None:
    shop, other = make(account="shop"), make(account="other")
    submitted(shop)
    shop.change("k", d.rechecked)
    assert other.claim("w", 9).rows == ()
    assert other.claim_changes("h", 9).rows == ()
    assert listing.wait_for_look("other") is None
    with pytest.raises(InvalidRequestError, match="belongs to the account shop"):
        other.change("k", d.rechecked)
    assert [row.key for row, _ in shop.claim("w", 9).rows] == ["k"]


def test_hints_are_one_write(store: Store, listing: Listing) -> None:
    before = submitted(store)
    store.wake(["k"])
    woken = listing.find("k")
    assert woken is not None
    assert woken.look_at is not None
    assert before.look_at is not None
    assert woken.look_at < before.look_at
    store.wake(["k"])
    assert listing.find("k") == woken
    assert [row.key for row in listing.open_of("A1", "shop")] == ["k"]
    assert listing.open_of("A1", "other") == []


def test_a_decision_that_fails_harms_no_other(store: Store) -> None:
    for key in ("a", "b"):
        store.insert(attrs.evolve(WAITING, key=key), "me")
    good = Ended(key="a", by="me", decide=lambda row, now: d.answered(row, refund(), 1, now, POLICY))
    bad = Ended(key="b", by="me", decide=lambda row, now: attrs.evolve(row, tries=1 // 0))
    first, second = store.settle([good, bad])
    assert first.applied
    assert isinstance(second.fault, ZeroDivisionError)


# ---- changes ---------------------------------------------------------------------------------------------------------
def test_changes_are_told_in_order_and_a_failing_one_holds_back_the_next(make: Callable[..., Store]) -> None:
    store = make(attrs.evolve(POLICY, handler_tries=2, first_retry=INSTANT))
    submitted(store)
    looked(store, "k", 3)
    assert told(store, "RuntimeError") == ["k/1"]
    assert told(store, "RuntimeError") == ["k/1"]
    assert told(store) == []  # gave up
    assert [change.number for change in store.replay("k", None)] == [1, 2]
    assert told(store) == ["k/1"]
    assert told(store) == ["k/2"]
    assert told(store) == []
    assert [change.id for change in store.replay("k", 1)] == ["k/1"]
    assert told(store) == ["k/1"]
    with pytest.raises(InvalidRequestError, match="no change of that number"):
        store.replay("k", 9)


def test_a_handler_that_was_frozen_does_not_undo_what_another_did(make: Callable[..., Store], listing: Listing) -> None:
    store = make(attrs.evolve(POLICY, hold=INSTANT))
    submitted(store)
    (frozen,) = [change for change, _ in store.claim_changes("frozen", 9).rows]
    (again,) = [change for change, _ in store.claim_changes("other", 9).rows]
    assert store.handled(again, "other", None) is not None
    assert store.handled(frozen, "frozen", "RuntimeError") is None
    assert listing.get("k")[1][0].handled_at is not None


def test_a_change_says_what_atlas_said(store: Store, listing: Listing) -> None:
    submitted(store)
    looked(store, "k", 2)
    first, last = listing.get("k")[1]
    assert first.state is None
    assert last.state is not None
    assert (last.state.refund_code, last.state.is_refunded) == ("R1", True)


def test_a_change_recorded_while_another_is_told_waits_behind_it(store: Store) -> None:
    submitted(store)
    (first,) = due(store)
    looked(store, "k", 2)
    assert due(store) == []
    store.handled(first, "h", None)
    assert [change.number for change in due(store)] == [2]


# ---- upkeep ----------------------------------------------------------------------------------------------------------
def test_finished_refunds_are_forgotten_in_their_time(make: Callable[..., Store], listing: Listing) -> None:
    store, at_once = make(), make(attrs.evolve(POLICY, keep=INSTANT))
    for key in ("done", "open", "failing"):
        submitted(store, key)
    for key in ("done", "failing"):
        looked(store, key, 4)
    for change in due(store):
        store.handled(change, "h", "RuntimeError" if change.key == "failing" else None)
    store.insert(attrs.evolve(WAITING, key="review"), "me")
    store.settle([Ended(key="review", by="me", decide=lambda row, now: attrs.evolve(row, step=Step.REVIEW))])
    assert store.purge(10) == 0
    assert at_once.purge(10) == 1
    rows = {row.key: row for row in listing.page(Wanted())}
    assert sorted(rows) == ["failing", "open", "review"]
    assert rows["review"].intent is None  # nobody has looked for so long: the names go
    with pytest.raises(InvalidRequestError, match="no refund is known"):
        listing.get("done")


def test_what_persons_do_outlives_the_refund(make: Callable[..., Store], listing: Listing) -> None:
    store = make(attrs.evolve(POLICY, keep=INSTANT))
    store.insert(WAITING, "me")
    store.settle([Ended(key="k", by="me", decide=lambda row, now: attrs.evolve(row, step=Step.REVIEW))])
    store.change("k", d.resubmitted, Action(at=NOW, key="k", what="submit again", by="zoe", reason="asked ATRIP"))
    store.take("k", "w")
    store.settle([Ended(key="k", by="w", decide=lambda row, now: attrs.evolve(row, step=Step.REFUSED))])
    while store.purge(10):
        pass
    assert listing.find("k") is None
    assert [(action.what, action.by) for action in listing.actions("k")] == [("submit again", "zoe")]


def test_lists_and_health(store: Store, listing: Listing) -> None:
    for key in ("a", "b", "c"):
        submitted(store, key)
    assert [row.key for row in listing.page(Wanted(), after="a", limit=1)] == ["b"]
    assert listing.page(Wanted(steps=[Step.FINAL])) == []
    assert listing.page(Wanted(order_no="another")) == []
    assert len(listing.page(Wanted(order_no="A1"))) == 3
    assert listing.counts() == {"followed": 3}
    assert listing.page(Wanted(failing=True)) == []
    store.take("b", "w")
    store.settle([Ended(key="b", by="w", decide=lambda row, now: d.failed(row, NoAnswerError("no"), now, POLICY))])
    for change in due(store):
        if change.key == "c":
            store.handled(change, "h", "RuntimeError")
    assert [row.key for row in listing.page(Wanted(failing=True))] == ["b", "c"]
    health = listing.health("shop")
    assert (health.steps, health.unhandled, health.failing, health.gave_up) == ({"followed": 3}, 3, 1, 0)
    assert health.overdue == 0
    store.change("a", d.rechecked)
    assert listing.health("shop").overdue > 0


# ---- together --------------------------------------------------------------------------------------------------------
async def test_a_row_that_cannot_be_written_harms_no_other_of_its_batch() -> None:
    calls: list[int] = []

    def settle(ended: Sequence[Ended]) -> list[Settled]:
        calls.append(len(ended))
        if any(end.key == "bad" for end in ended):
            raise ValueError("the database refuses it")
        return [Settled(None, applied=True) for _ in ended]

    database = Database(open_engine("sqlite:///unused.db"), Notices(None))
    database.enter()
    batch = Batch(database, settle)
    ends = [Ended(key=key, by="w", decide=lambda row, now: row) for key in ("a", "bad", "b")]
    done = await asyncio.gather(*map(batch, ends), return_exceptions=True)
    await asyncio.to_thread(database.close)
    assert [isinstance(one, Settled) for one in done] == [True, False, True]
    assert calls == [3, 1, 1, 1]


async def test_what_is_being_claimed_while_a_worker_stops_is_served() -> None:
    """Or it would be held by nobody for as long as a hold."""
    claiming, go_on, served = threading.Event(), threading.Event(), list[str]()

    def claim(by: str, most: int) -> Claimed[str]:
        claiming.set()
        assert go_on.wait(10)
        return Claimed((("row", 0.0),), by, NOW, 0)

    async def serve(row: str, by: str, now: datetime) -> None:
        served.append(row)

    database = Database(open_engine("sqlite:///unused.db"), Notices(None))
    database.enter()
    queue = Queue(database, Notices(None), lambda: 0.0, claim, serve)
    working = asyncio.create_task(queue.work())
    await asyncio.to_thread(claiming.wait, 10)
    queue.stop()
    go_on.set()
    await working
    await asyncio.gather(*queue.running)
    await asyncio.to_thread(database.close)
    assert served == ["row"]
