"""The rows on disk. Each method is one transaction, and may be repeated when its end was not heard of.

A row says by itself what is due: `look_at` of a refund, `retry_at` of a change, and who is at it until when.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final, Generic, TypeAlias, TypeVar

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ..errors import InvalidRequestError
from ..results import RefundState
from . import decisions
from .listing import FINISHED, UNHANDLED
from .policy import Policy
from .records import Action, Change, Step, Tracked, to_row
from .rows import Rows, same
from .schema import ACCOUNTS, CHANGES, REFUNDS, transaction

T = TypeVar("T")

Decision: TypeAlias = Callable[[Tracked, datetime], Tracked]
"""What becomes of a row, as it is at a time."""

AHEAD: Final = 0.5
"""Seconds. Looks are claimed so much before the budget lets them begin."""
CAREFUL: Final = timedelta(days=7)
"""After a restore, for so long new keys are looked for before they are sent: they may have been sent before it."""
APART: Final = 1000
"""After a restore, changes are numbered so much higher: those that were told since must not have the same id."""


@attrs.frozen
class Claimed(Generic[T]):
    """Rows that are ours for a while, and the database's time. `taken_over`: how many of them the dead held."""

    rows: tuple[tuple[T, float], ...]
    """Each with the seconds until its turn."""
    by: str
    now: datetime
    taken_over: int


@attrs.frozen(kw_only=True)
class Ended:
    """How one run ended: what it decides about its row, and what it saw."""

    key: str
    by: str
    decide: Decision
    state: RefundState | None = None
    even_if_lost: bool = False
    """Whether it is told although somebody else is at the row by now: then the decision asks what the row is about."""


@attrs.frozen
class Settled:
    row: Tracked | None
    """As it is now."""
    applied: bool = False
    fault: Exception | None = None
    """The decision itself failed."""


class Store:
    """Refunds and their changes, as one account works on them."""

    def __init__(self, engine: sa.Engine, policy: Policy, account: str = "") -> None:
        self._engine, self._policy = engine, policy
        self.account = account
        self._insert = (sqlite if engine.dialect.name == "sqlite" else postgresql).insert

    @contextmanager
    def _rows(self, *, durable: bool = True) -> Generator[Rows]:
        with transaction(self._engine, durable=durable) as (connection, now):
            rows = Rows(connection, now, self._policy)
            yield rows
            rows.flush()

    def enroll(self) -> None:
        """Make the account known, which is to have a budget."""
        with self._rows() as r:
            new = self._insert(ACCOUNTS).values(account=self.account, next_slot=0)
            r.connection.execute(new.on_conflict_do_nothing())

    # ---- submits ------------------------------------------------------------------------------------------------
    def insert(self, row: Tracked, by: str) -> tuple[Tracked, bool]:
        """Write an intent down, held by its caller; or the row that the key already has, and False.

        It is `unclear`, to be sent at once; after a restore it is `waiting`, to be looked for first.
        """
        with self._rows() as r:
            mine = ACCOUNTS.c.account == self.account
            careful = r.connection.execute(sa.select(ACCOUNTS.c.careful_until).where(mine)).scalar() or 0
            new = attrs.evolve(row, created_at=r.now, changed_at=r.now, look_at=r.now)
            if careful > r.now.timestamp():
                new = decisions.held(attrs.evolve(new, sent_at=r.now), by, r.now, self._policy)
            else:
                new = decisions.sending(new, by, r.now, self._policy)
            inserted = self._insert(REFUNDS).values(to_row(new)).on_conflict_do_nothing().returning(REFUNDS.c.key)
            is_new = r.connection.execute(inserted).first() is not None
            return (new, True) if is_new else (r.found(row.key), False)

    def sending(self, key: str, by: str, attempt: int) -> Tracked | None:
        """Begin attempt `attempt` of a waiting refund. None when it is not this run's any more."""
        with self._rows() as r:
            row = r.read(key)
            if row is None or row.held_by != by:
                return None
            if row.step is Step.UNCLEAR and row.attempt == attempt:  # said before, and not heard
                return row
            if row.step is not Step.WAITING or row.attempt + 1 != attempt:
                return None
            return r.save(row, decisions.sending(row, by, r.now, self._policy))

    # ---- looks --------------------------------------------------------------------------------------------------
    def claim(self, by: str, most: int) -> Claimed[Tracked]:
        """Take refunds that are due, so many at most, and as many as the account's budget allows.

        What a crash of the database forgets of it is claimed again; a submit is fenced by what is durable.
        """
        rate, mine = self._policy.polls_per_second, ACCOUNTS.c.account == self.account
        with self._rows(durable=False) as r:
            now = r.now.timestamp()
            slot = r.connection.execute(sa.select(ACCOUNTS.c.next_slot).where(mine).with_for_update()).scalar() or 0
            first = (
                max(now, slot) if slot < now + 2 * AHEAD else now
            )  # no claim reaches further: the clock was set back
            rows = r.due(
                Tracked, REFUNDS, REFUNDS.c.look_at, self.account, min(most, int((now + AHEAD - first) * rate))
            )
            if rows:
                r.hold(REFUNDS, [row.key for row in rows], by, woken_at=None)
                r.connection.execute(ACCOUNTS.update().where(mine).values(next_slot=first + len(rows) / rate))
            turns = tuple((row, first - now + number / rate) for number, row in enumerate(rows))
            return Claimed(turns, by, r.now, sum(row.held_by is not None for row in rows))

    def take(self, key: str, by: str) -> tuple[Tracked, datetime] | None:
        """Take one open refund, whenever it is due, and the time. None when somebody is at it or it is not open."""
        with self._rows() as r:
            row = r.found(key)
            if not row.step.is_open or (row.held_until is not None and row.held_until > r.now):
                return None
            return r.save(row, decisions.held(row, by, r.now, self._policy)), r.now

    def settle(self, ended: Sequence[Ended]) -> list[Settled]:
        """End runs: apply each decision to its row as it is now, record the change if it is one, let the row go.

        Of a run that has lost its row only what is told `even_if_lost` counts.
        """
        with self._rows() as r:
            rows = {row.key: row for row in r.select(REFUNDS.c.key.in_(sorted({end.key for end in ended})))}
            return [self._settled(r, rows, end) for end in ended]

    def _settled(self, r: Rows, rows: dict[str, Tracked], end: Ended) -> Settled:
        row = rows.get(end.key)
        if row is None or (row.held_by != end.by and not end.even_if_lost):
            return Settled(row)
        try:
            new = end.decide(row, r.now)
        except Exception as fault:
            return Settled(row, fault=fault)
        if row.held_by == end.by:
            new = attrs.evolve(new, held_by=None, held_until=None)
        rows[end.key] = new = r.save(row, new, end.state)
        return Settled(new, applied=True)

    # ---- changes ------------------------------------------------------------------------------------------------
    def claim_changes(self, by: str, most: int) -> Claimed[Change]:
        """Take changes that a handler is to be told of now: of each refund the first that is not handled."""
        with self._rows(durable=False) as r:
            rows = r.due(Change, CHANGES, CHANGES.c.retry_at, self.account, most)
            for number in {row.number for row in rows}:
                r.hold(CHANGES, [row.key for row in rows if row.number == number], by, number=number)
            return Claimed(tuple((row, 0.0) for row in rows), by, r.now, sum(row.held_by is not None for row in rows))

    def handled(self, change: Change, by: str, error: str | None) -> Change | None:
        """Note how a call of the handler ended; `error` is the class of what it raised. None if it is not ours now."""
        with self._rows() as r:
            r.read(change.key)  # its lock: a change that is recorded now comes before or after
            found = r.changes(sa.and_(same(change), CHANGES.c.held_by == by))
            if not found:
                return None
            change = attrs.evolve(found[0], held_by=None, held_until=None, error=error)
            if error is None:
                change = r.save_change(attrs.evolve(change, handled_at=r.now, retry_at=None))
                r.line_up(change.key)
                return change
            tries = change.tries + 1
            retry_at = r.now + self._policy.retry(change.tries) if tries < self._policy.handler_tries else None
            return r.save_change(attrs.evolve(change, tries=tries, retry_at=retry_at))

    def replay(self, key: str, number: int | None) -> list[Change]:
        """Have the handler called again, now: for change `number`, or for all that are not handled."""
        with self._rows() as r:
            r.found(key)
            chosen = UNHANDLED if number is None else CHANGES.c.number == number
            changes = r.changes(sa.and_(CHANGES.c.key == key, chosen))
            if number is not None and not changes:
                raise InvalidRequestError("replay: this refund has no change of that number")
            for change in changes:
                r.save_change(attrs.evolve(change, handled_at=None, retry_at=None, tries=0, error=None))
            r.line_up(key)
            return r.changes(sa.and_(CHANGES.c.key == key, CHANGES.c.number.in_([change.number for change in changes])))

    # ---- from outside -------------------------------------------------------------------------------------------
    def wake(self, keys: Iterable[str]) -> None:
        """Bring the next look at these refunds closer. Who holds one learns of it when it ends."""
        with self._rows() as r:
            for row in r.select(REFUNDS.c.key.in_(list(keys))):
                r.save(row, decisions.woken(row, r.now, self._policy))

    def change(
        self, key: str, decide: Decision, action: Action | None = None, state: RefundState | None = None
    ) -> Tracked:
        """Apply a person's decision, and write down whose it is. Raises InvalidRequestError for an unknown key."""
        with self._rows() as r:
            row = r.found(key)
            if self.account not in ("", row.account):
                raise InvalidRequestError(f"tracking: this refund belongs to the account {row.account}")
            if action is not None:
                r.note(action)
            return r.save(row, decide(row, r.now), state)

    def restored(self, action: Action) -> int:
        """After a restore: whatever may have been sent since is looked for before it is sent; how many refunds."""
        doubtful = sa.and_(REFUNDS.c.step.in_((Step.WAITING.value, Step.REVIEW.value)), REFUNDS.c.intent.is_not(None))
        with self._rows() as r:
            r.note(action)
            until = (r.now + CAREFUL).timestamp()
            r.connection.execute(ACCOUNTS.update().values(careful_until=until, next_slot=0))
            for table in (REFUNDS, CHANGES):
                nobody = table.update().where(table.c.held_by.is_not(None)).values(held_by=None, held_until=None)
                r.connection.execute(nobody)
            apart = REFUNDS.c.changes + APART
            r.connection.execute(REFUNDS.update().where(REFUNDS.c.step.not_in(FINISHED)).values(changes=apart))
            looked_for = REFUNDS.update().where(doubtful)
            looked_for = looked_for.values(step=Step.UNCLEAR.value, look_at=r.now.timestamp(), tries=0)
            return len(r.connection.execute(looked_for.returning(REFUNDS.c.key)).all())

    def purge(self, limit: int) -> int:
        """Forget refunds that ended long ago, unless their handler fails, and names in review; how many refunds."""
        failing = sa.select(CHANGES.c.key).where(UNHANDLED, CHANGES.c.tries > 0)
        with self._rows() as r:
            old = sa.and_(REFUNDS.c.look_at.is_(None), REFUNDS.c.changed_at < (r.now - self._policy.keep).timestamp())
            chosen = sa.and_(REFUNDS.c.step.in_(FINISHED), old, REFUNDS.c.key.not_in(failing))
            keys = [row.key for row in r.select(chosen, limit)]
            r.connection.execute(CHANGES.delete().where(CHANGES.c.key.in_(keys)))
            r.connection.execute(REFUNDS.delete().where(REFUNDS.c.key.in_(keys)))
            review = sa.and_(old, REFUNDS.c.step == Step.REVIEW.value, REFUNDS.c.intent.is_not(None))
            r.connection.execute(REFUNDS.update().where(review).values(intent=None, subject=None))
            return len(keys)
