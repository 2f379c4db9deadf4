"""The rows on disk. Each method is one transaction, and may be repeated when its end was not heard of.

A row says by itself what is due: `look_at` of a refund, `retry_at` of a change, and who is at it until when.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeAlias, TypeVar

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ..errors import InvalidRequestError
from ..results import RefundState
from . import decisions
from .listing import FINISHED, UNHANDLED, is_free
from .policy import Policy
from .records import Action, Change, Step, Tracked, columns, from_row, to_row
from .schema import ACCOUNTS, ACTIONS, CHANGES, REFUNDS, transaction

T = TypeVar("T")

Decision: TypeAlias = Callable[[Tracked, datetime], Tracked]
"""What becomes of a row, as it is at a time."""

TOLD: Final = (Step.FOLLOWED, Step.FINAL, Step.REFUSED, Step.REVIEW)
"""The steps that a handler is told of."""
AHEAD: Final = 0.5
"""Seconds. Looks are claimed so much before the budget lets them begin."""
CAREFUL: Final = timedelta(days=7)
"""After a restore, for so long new keys are looked for before they are sent: they may have been sent before it."""
APART: Final = 1000
"""After a restore, changes are numbered so much higher: those that were told since must not have the same id."""
_BOUND: Final[dict[str, Any]] = {name: sa.bindparam(name) for name in columns(Tracked) if name != "key"}
_UPDATE: Final = REFUNDS.update().where(REFUNDS.c.key == sa.bindparam("b_key")).values(_BOUND)


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
    def _rows(self, *, durable: bool = True) -> Generator["Rows"]:
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

    def _settled(self, r: "Rows", rows: dict[str, Tracked], end: Ended) -> Settled:
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


class Rows:
    """What a transaction may do. `now` is the database's time at its start; refunds are written at its end."""

    def __init__(self, connection: sa.Connection, now: datetime, policy: Policy) -> None:
        self.connection, self.now, self._policy = connection, now, policy
        self._saved: dict[str, Tracked] = {}
        self._recorded: list[Change] = []

    def read(self, key: str) -> Tracked | None:
        return next(iter(self.select(REFUNDS.c.key == key)), None)

    def found(self, key: str) -> Tracked:
        """Raises InvalidRequestError for a key that nobody knows."""
        row = self.read(key)
        if row is None:
            raise InvalidRequestError("tracking: no refund is known under this key")
        return row

    def select(self, chosen: sa.ColumnElement[bool], limit: int | None = None) -> list[Tracked]:
        query = sa.select(REFUNDS).where(chosen).order_by(REFUNDS.c.key).limit(limit).with_for_update()
        return [from_row(Tracked, row) for row in self.connection.execute(query).mappings()]

    def due(self, kind: Any, table: sa.TableClause, due: Any, account: str, limit: int) -> list[Any]:
        """The rows that are due and that nobody is at, the oldest first; those that others are claiming are left."""
        if limit < 1:
            return []
        now = self.now.timestamp()
        query = sa.select(table).where(table.c.account == account, due <= now, is_free(table, now))
        query = query.order_by(due).limit(limit).with_for_update(skip_locked=True)
        return [from_row(kind, row) for row in self.connection.execute(query).mappings()]

    def hold(self, table: sa.TableClause, keys: list[str], by: str, **more: Any) -> None:
        chosen = [table.c.key.in_(keys)]
        if "number" in more:
            chosen.append(table.c.number == more.pop("number"))
        until = (self.now + self._policy.hold).timestamp()
        self.connection.execute(table.update().where(*chosen).values(held_by=by, held_until=until, **more))

    def save(self, old: Tracked, new: Tracked, state: RefundState | None = None) -> Tracked:
        """Keep the row, and a change for the handler where step or status differ."""
        if not new.step.is_open:
            new = attrs.evolve(new, look_at=None)
        if (new.step, new.status) != (old.step, old.status):
            new = attrs.evolve(new, changed_at=self.now)
            if new.step in TOLD:
                new = attrs.evolve(new, changes=new.changes + 1)
                self._recorded.append(self._change(new, state))
        if new != old:
            self._saved[new.key] = new
        return new

    def _change(self, row: Tracked, state: RefundState | None) -> Change:
        token = row.token or (state.token if state else None)
        return Change(key=row.key, number=row.changes, account=row.account, at=self.now, step=row.step,
                      status=row.status, token=token, state=state, note=row.note)  # fmt: skip

    def flush(self) -> None:
        if self._saved:
            values = [to_row(row) for row in self._saved.values()]
            for value in values:
                value["b_key"] = value.pop("key")
            self.connection.execute(_UPDATE, values)
        if self._recorded:
            keys = [change.key for change in self._recorded]
            waiting = sa.select(CHANGES.c.key).where(CHANGES.c.key.in_(keys), UNHANDLED)
            behind, values = set(self.connection.execute(waiting).scalars()), list[dict[str, Any]]()
            for change in self._recorded:  # the first of a refund that is not handled is due, the others wait
                retry_at = None if change.key in behind else self.now
                behind.add(change.key)
                values.append(to_row(attrs.evolve(change, retry_at=retry_at)))
            self.connection.execute(CHANGES.insert(), values)

    def changes(self, chosen: sa.ColumnElement[bool]) -> list[Change]:
        query = sa.select(CHANGES).where(chosen).order_by(CHANGES.c.number)
        return [from_row(Change, change) for change in self.connection.execute(query).mappings()]

    def line_up(self, key: str) -> None:
        """Let the first change that is not handled be due, unless it has been given up; the others wait behind it."""
        for number, change in enumerate(self.changes(sa.and_(CHANGES.c.key == key, UNHANDLED))):
            if number > 0 and change.retry_at is not None:
                self.save_change(attrs.evolve(change, retry_at=None))
            elif number == 0 and change.retry_at is None and change.tries < self._policy.handler_tries:
                self.save_change(attrs.evolve(change, retry_at=self.now))

    def save_change(self, change: Change) -> Change:
        self.connection.execute(CHANGES.update().where(same(change)).values(to_row(change)))
        return change

    def note(self, action: Action) -> None:
        self.connection.execute(ACTIONS.insert().values(to_row(attrs.evolve(action, at=self.now))))


def same(change: Change) -> sa.ColumnElement[bool]:
    return sa.and_(CHANGES.c.key == change.key, CHANGES.c.number == change.number)
