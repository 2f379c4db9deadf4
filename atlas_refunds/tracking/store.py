"""The rows on disk. Each method is one transaction, and may be repeated when its end was not heard of."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TypeAlias

import attrs
import sqlalchemy as sa

from . import decisions
from .decisions import Act
from .policy import Policy
from .records import Change, Step, Tracked
from .rows import Enqueue, Rows, rows
from .schema import CHANGES, REFUNDS

Decision: TypeAlias = Callable[[Tracked, float], Tracked]
"""What becomes of a row, as it is at a time."""

OPEN = [step.value for step in Step if step.is_open]
FINISHED = [Step.FINAL.value, Step.REFUSED.value]
UNHANDLED = CHANGES.c.handled_at.is_(None)


class Store:
    """Refunds, their changes, and the engine's jobs, which are enqueued in the same transaction."""

    def __init__(self, engine: sa.Engine, policy: Policy, enqueue: Enqueue) -> None:
        self._engine, self._policy, self._enqueue = engine, policy, enqueue

    def _rows(self) -> AbstractContextManager[Rows]:
        return rows(self._engine, self._enqueue)

    # ---- one run of one worker ----------------------------------------------------------------------------------
    def insert(self, row: Tracked, by: str) -> tuple[Tracked, bool]:
        """Write an intent down, held by its caller, with the job that finishes it should the caller die.

        Returns the row that the key already has, and False, when there is one.
        """
        with self._rows() as r:
            new = attrs.evolve(row, created_at=r.now, changed_at=r.now, look_at=r.now)
            new = decisions.held(new, Act.SUBMIT, by, r.now, self._policy)
            if not r.insert(new):
                return r.found(row.key), False
            return r.schedule(new, new.held_until or r.now), True

    def take(self, key: str, job: int | None, by: str) -> tuple[Tracked, Act | None, float] | None:
        """Begin a run: the row, what Atlas is to be asked, and the time. `job` None takes the row whatever its job.

        None when there is nothing to do for this job. A row that somebody holds is looked at again when that ends.
        """
        with self._rows() as r:
            row = r.read(key)
            if row is None or (job is not None and row.job != job):
                return None
            if is_held(row, r.now) and row.held_by != by:
                if job is not None:
                    r.schedule(row, row.held_until or r.now)
                return None
            act = decisions.next_act(row, r.now)
            return r.save(row, decisions.held(row, act, by, r.now, self._policy)), act, r.now

    def write(self, key: str, by: str, decide: Decision, *, even_if_lost: bool = False) -> Tracked | None:
        """Apply a decision to the row as it is now, and record the change if it is one.

        None when another run has taken over, unless `even_if_lost`: a refund that exists is true whoever says so.
        """
        with self._rows() as r:
            row = r.read(key)
            if row is None or (row.held_by != by and not even_if_lost):
                return None
            new = decide(row, r.now)
            if row.held_by == by:
                return r.save(row, decisions.still_held(new, r.now, self._policy))
            saved = r.save(row, new)
            return saved if row.held_by else r.schedule(saved, r.now)  # its holder schedules it at the end

    def release(self, key: str, by: str) -> Tracked | None:
        """End a run: nobody holds the row any more, and the next job is due when something is."""
        with self._rows() as r:
            row = r.read(key)
            if row is None or row.held_by != by:
                return row
            row = r.save(row, attrs.evolve(row, held_by=None, held_until=None, due=None))
            unhandled = r.first_unhandled(key)
            due = [row.look_at] if row.step.is_open else []
            due += [unhandled.retry_at] if unhandled and unhandled.retry_at is not None else []
            return r.schedule(row, min(due)) if due else row

    # ---- changes ------------------------------------------------------------------------------------------------
    def next_change(self, key: str, by: str) -> Change | None:
        """The change to be handled now: the first of this refund that is not, if its time has come."""
        with self._rows() as r:
            row, change = r.read(key), r.first_unhandled(key)
            if row is None or row.held_by != by:
                return None
            if change is None or change.retry_at is None or change.retry_at > r.now:
                return None
            r.save(row, decisions.still_held(row, r.now, self._policy))
            return change

    def handled(self, change: Change, error: str | None) -> Change:
        """Note how a call of the handler ended; `error` is the class of what it raised."""
        with self._rows() as r:
            if error is None:
                return r.save_change(attrs.evolve(change, handled_at=r.now, retry_at=None, error=None))
            tries = change.tries + 1
            retry_at = r.now + self._policy.retry(change.tries) if tries < self._policy.handler_tries else None
            return r.save_change(attrs.evolve(change, tries=tries, retry_at=retry_at, error=error))

    def replay(self, key: str, number: int | None) -> list[Change]:
        """Have the handler called again, now: for change `number`, or for all that are not handled."""
        with self._rows() as r:
            row = r.found(key)
            chosen = r.changes(
                sa.and_(CHANGES.c.key == key, UNHANDLED if number is None else CHANGES.c.number == number)
            )
            r.schedule(row, r.now)
            again = [attrs.evolve(change, handled_at=None, retry_at=r.now, tries=0, error=None) for change in chosen]
            return [r.save_change(change) for change in again]

    # ---- from outside -------------------------------------------------------------------------------------------
    def wake(self, order_no: str) -> list[Tracked]:
        """Bring the next look at the open refunds of an order closer. Who holds one learns of it when it ends."""
        with self._rows() as r:
            concerned = r.select(sa.and_(REFUNDS.c.order_no == order_no, REFUNDS.c.step.in_(OPEN)))
            woken = [(row, r.save(row, decisions.woken(row, r.now, self._policy))) for row in concerned]
            return [
                new if old.woken_at is not None or is_held(old, r.now) else r.schedule(new, new.look_at)
                for old, new in woken  # many hints are one
            ]

    def change(self, key: str, decide: Decision) -> Tracked:
        """Apply a person's decision, and look at once. Raises InvalidRequestError for a key that nobody knows."""
        with self._rows() as r:
            row = r.found(key)
            return r.schedule(r.save(row, decide(row, r.now)), r.now)

    # ---- upkeep -------------------------------------------------------------------------------------------------
    def reschedule(self, lacking: Sequence[Tracked]) -> int:
        """Give each row a new job unless its job has changed since it was read; how many."""
        jobs = {row.key: row.job for row in lacking}
        with self._rows() as r:
            current = r.select(REFUNDS.c.key.in_(list(jobs)))
            without = [row for row in current if row.job == jobs[row.key] and row.due and not is_held(row, r.now)]
            for row in without:
                r.schedule(row, row.due or r.now)
            return len(without)

    def purge(self, limit: int) -> int:
        """Forget refunds that are finished, handled, and older than the policy keeps them; how many."""
        unhandled = sa.select(CHANGES.c.key).where(UNHANDLED)
        with self._rows() as r:
            old = REFUNDS.c.changed_at < r.now - self._policy.keep.total_seconds()
            chosen = sa.and_(REFUNDS.c.step.in_(FINISHED), old, REFUNDS.c.key.not_in(unhandled))
            keys = [row.key for row in r.select(chosen, limit)]
            r.delete(keys)
            return len(keys)


def is_held(row: Tracked, now: float) -> bool:
    """Whether somebody may still be at it."""
    return row.held_until is not None and row.held_until > now
