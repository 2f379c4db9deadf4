"""Rows on disk, on both databases, without the engine: who holds what, what is told, what is forgotten."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import attrs
import pytest
import sqlalchemy as sa

from atlas_refunds import InvalidRequestError, NoAnswerError
from atlas_refunds.tracking import Change, Policy, Step, Tracked
from atlas_refunds.tracking import decisions as d
from atlas_refunds.tracking.decisions import Act
from atlas_refunds.tracking.listing import Listing
from atlas_refunds.tracking.schema import migrate, open_engine
from atlas_refunds.tracking.store import Store

from .test_decisions import POLICY, WAITING, refund, state

Jobs = list[tuple[str, int, float | None]]


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    engine = open_engine(database_url)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def jobs() -> Jobs:
    return []


@pytest.fixture
def make(engine: sa.Engine, jobs: Jobs) -> Callable[..., Store]:
    def make(policy: Policy = POLICY) -> Store:
        return Store(engine, policy, lambda _, row, now: jobs.append((row.key, row.job, row.due)))

    return make


@pytest.fixture
def store(make: Callable[..., Store]) -> Store:
    return make()


def submitted(store: Store, key: str = "k") -> Tracked:
    store.insert(attrs.evolve(WAITING, key=key), "me")
    store.write(key, "me", lambda row, now: d.answered(row, refund(), now, POLICY))
    row = store.release(key, "me")
    assert row is not None
    return row


def test_an_intent_is_taken_in_once_however_many_try(store: Store, jobs: Jobs) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda by: store.insert(WAITING, by), map(str, range(8))))
    assert [fresh for _, fresh in found].count(True) == 1
    assert {row.step for row, _ in found} == {Step.UNCLEAR}
    assert len(jobs) == 1


def test_nothing_is_sent_again_after_a_death_it_is_looked_for(make: Callable[..., Store]) -> None:
    store = make(attrs.evolve(POLICY, hold=timedelta(microseconds=1)))
    store.insert(WAITING, "dead")
    taken = store.take("k", 1, "other")
    assert taken is not None
    assert taken[1] is Act.RECONCILE


def test_one_run_at_a_time_and_the_second_comes_back_later(store: Store, jobs: Jobs) -> None:
    row, _ = store.insert(WAITING, "first")
    assert store.take("k", 1, "second") is None
    assert jobs[-1] == ("k", 2, row.held_until)
    assert store.take("k", 1, "second") is None  # job 1 is over
    assert store.take("k", None, "person") is None
    assert len(jobs) == 2
    assert store.take("unknown", 1, "second") is None


def test_who_has_lost_a_refund_writes_nothing_but_the_truth(make: Callable[..., Store], engine: sa.Engine) -> None:
    store = make(attrs.evolve(POLICY, hold=timedelta(microseconds=1)))
    store.insert(WAITING, "frozen")
    assert store.take("k", 1, "other") is not None
    failed = store.write("k", "frozen", lambda row, now: d.failed(row, NoAnswerError("late"), now, POLICY))
    assert failed is None
    late = store.write("k", "frozen", lambda row, now: d.answered(row, refund(), now, POLICY), even_if_lost=True)
    assert late is not None
    assert (late.step, late.held_by) == (Step.FOLLOWED, "other")
    assert len(Listing(engine).get("k")[1]) == 1
    unchanged = store.release("k", "frozen")
    assert unchanged is not None
    assert unchanged.held_by == "other"


def test_a_late_truth_about_a_refund_that_nobody_holds_gets_a_job(store: Store, jobs: Jobs) -> None:
    store.insert(WAITING, "me")
    store.release("k", "me")
    late = store.write("k", "me", lambda row, now: d.answered(row, refund(), now, POLICY), even_if_lost=True)
    assert late is not None
    assert (late.step, late.job) == (Step.FOLLOWED, jobs[-1][1])


def test_changes_are_told_in_order_and_a_failing_one_holds_back_the_next(make: Callable[..., Store]) -> None:
    store = make(attrs.evolve(POLICY, handler_tries=2, first_retry=timedelta(microseconds=1)))
    submitted(store)
    assert store.take("k", None, "w") is not None
    store.write("k", "w", lambda row, now: d.queried(row, state(3), now, now, POLICY))

    def next_number() -> int | None:
        change = store.next_change("k", "w")
        return None if change is None else change.number

    def end(error: str | None) -> Change:
        change = store.next_change("k", "w")
        assert change is not None
        return store.handled(change, error)

    assert next_number() == 1
    assert end("RuntimeError").retry_at is not None
    assert next_number() == 1
    assert end("RuntimeError").retry_at is None  # gave up
    assert next_number() is None
    assert [change.number for change in store.replay("k", None)] == [1, 2]
    assert end(None).handled_at is not None
    assert next_number() == 2
    assert store.next_change("k", "somebody else") is None
    end(None)
    assert next_number() is None
    assert [change.number for change in store.replay("k", 1)] == [1]
    assert next_number() == 1


def test_a_finished_refund_has_no_job_until_its_changes_are_handled(store: Store, jobs: Jobs) -> None:
    submitted(store)
    store.take("k", None, "w")
    store.write("k", "w", lambda row, now: d.queried(row, state(2), now, now, POLICY))
    row = store.release("k", "w")
    assert row is not None
    assert (row.step, row.due is not None) == (Step.FINAL, True)
    store.take("k", row.job, "w")
    while (change := store.next_change("k", "w")) is not None:
        store.handled(change, None)
    before = len(jobs)
    row = store.release("k", "w")
    assert row is not None
    assert (row.due, len(jobs)) == (None, before)


def test_hints_are_one_job_and_none_while_somebody_is_at_it(store: Store, jobs: Jobs) -> None:
    submitted(store)
    before = len(jobs)
    for _ in range(5):
        assert [row.key for row in store.wake("A1")] == ["k"]
    assert len(jobs) == before + 1
    store.take("k", None, "w")
    store.wake("A1")
    assert len(jobs) == before + 1
    seen = store.write("k", "w", lambda row, now: d.queried(row, state(1), now, now, POLICY))
    assert seen is not None
    assert seen.look_at < seen.looked_at + 61 if seen.looked_at else False
    assert store.wake("another order") == []


def test_a_refund_without_a_job_gets_one_unless_it_is_at_work(store: Store, jobs: Jobs) -> None:
    row = submitted(store)
    assert store.reschedule([row]) == 1
    assert store.reschedule([row]) == 0  # it has a newer job now
    held, _ = store.insert(attrs.evolve(WAITING, key="held"), "w")
    assert store.reschedule([held]) == 0


def test_finished_refunds_are_forgotten_in_their_time(make: Callable[..., Store], engine: sa.Engine) -> None:
    store = make()
    for key in ("done", "open", "unhandled"):
        submitted(store, key)
    for key in ("done", "unhandled"):
        store.take(key, None, "w")
        store.write(key, "w", lambda row, now: d.queried(row, state(4), now, now, POLICY))
        while key == "done" and (change := store.next_change(key, "w")) is not None:
            store.handled(change, None)
    assert store.purge(10) == 0
    at_once = make(attrs.evolve(POLICY, keep=timedelta(microseconds=1)))
    assert at_once.purge(10) == 1
    assert sorted(row.key for row in Listing(engine).page(limit=10)) == ["open", "unhandled"]
    with pytest.raises(InvalidRequestError, match="no refund is known"):
        Listing(engine).get("done")


def test_lists(store: Store, engine: sa.Engine) -> None:
    for key in ("a", "b", "c"):
        submitted(store, key)
    listing = Listing(engine)
    assert [row.key for row in listing.page(after="a", limit=1)] == ["b"]
    assert listing.page(steps=[Step.FINAL], limit=9) == []
    assert listing.counts() == {"followed": 3}
    assert listing.page(failing=True, limit=9) == []
    store.take("b", None, "w")
    store.write("b", "w", lambda row, now: d.failed(row, NoAnswerError("no"), now, POLICY))
    change = store.next_change("b", "w")
    assert change is not None
    store.take("c", None, "w")
    third = store.next_change("c", "w")
    assert third is not None
    store.handled(third, "RuntimeError")
    assert [row.key for row in listing.page(failing=True, limit=9)] == ["b", "c"]
    assert [row.key for row in listing.scheduled(before=None, after="", limit=9)] == ["a", "b", "c"]
    assert listing.scheduled(before=1, after="", limit=9) == []
