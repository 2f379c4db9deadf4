"""What a transaction may do with the tables: read rows under their lock, hold them, save them with their changes."""

from datetime import datetime
from typing import Any, Final

import attrs
import sqlalchemy as sa

from ..errors import InvalidRequestError
from ..results import RefundState
from .listing import UNHANDLED, is_free
from .policy import Policy
from .records import Action, Change, Step, Tracked, columns, from_row, to_row
from .schema import ACTIONS, CHANGES, REFUNDS

TOLD: Final = (Step.FOLLOWED, Step.FINAL, Step.REFUSED, Step.REVIEW)
"""The steps that a handler is told of."""
_BOUND: Final[dict[str, Any]] = {name: sa.bindparam(name) for name in columns(Tracked) if name != "key"}
_UPDATE: Final = REFUNDS.update().where(REFUNDS.c.key == sa.bindparam("b_key")).values(_BOUND)


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
