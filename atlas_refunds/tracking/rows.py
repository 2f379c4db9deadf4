"""The tables inside one transaction: rows read under their lock, and saved together with their changes and jobs."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeAlias

import attrs
import sqlalchemy as sa
from sqlalchemy import exc

from ..errors import InvalidRequestError
from .records import Change, Step, Tracked, from_row, to_row
from .schema import CHANGES, REFUNDS, transaction

Enqueue: TypeAlias = Callable[[sa.Connection, Tracked, float], None]
"""Put the job row.key/row.job into the engine's queue, due at row.due, in this transaction; and what time it is."""

TOLD = (Step.FOLLOWED, Step.FINAL, Step.REFUSED, Step.REVIEW)
"""The steps that a handler is told of."""


class Rows:
    """What a transaction may do. `now` is the database's time at its start."""

    def __init__(self, connection: sa.Connection, now: float, enqueue: Enqueue) -> None:
        self._connection, self.now, self._enqueue = connection, now, enqueue

    def insert(self, row: Tracked) -> bool:
        """False when the key has a row already."""
        try:
            with self._connection.begin_nested():
                self._connection.execute(REFUNDS.insert().values(to_row(row)))
        except exc.IntegrityError:
            return False
        return True

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
        return [from_row(Tracked, row) for row in self._connection.execute(query).mappings()]

    def save(self, old: Tracked, new: Tracked) -> Tracked:
        """Write the row, and a change for the handler where step or status differ."""
        if (new.step, new.status) != (old.step, old.status):
            new = attrs.evolve(new, changed_at=self.now)
            if new.step in TOLD:
                new = attrs.evolve(new, changes=new.changes + 1)
                self._connection.execute(CHANGES.insert().values(to_row(self._change(new))))
        self._connection.execute(REFUNDS.update().where(REFUNDS.c.key == new.key).values(to_row(new)))
        return new

    def schedule(self, row: Tracked, due: float) -> Tracked:
        """Make a new job the one that looks next; older jobs end without effect."""
        row = attrs.evolve(row, job=row.job + 1, due=max(due, self.now))
        self._connection.execute(REFUNDS.update().where(REFUNDS.c.key == row.key).values(job=row.job, due=row.due))
        self._enqueue(self._connection, row, self.now)
        return row

    def delete(self, keys: list[str]) -> None:
        self._connection.execute(CHANGES.delete().where(CHANGES.c.key.in_(keys)))
        self._connection.execute(REFUNDS.delete().where(REFUNDS.c.key.in_(keys)))

    # ---- changes ------------------------------------------------------------------------------------------------
    def changes(self, chosen: sa.ColumnElement[bool], limit: int | None = None) -> list[Change]:
        query = sa.select(CHANGES).where(chosen).order_by(CHANGES.c.number).limit(limit)
        return [from_row(Change, change) for change in self._connection.execute(query).mappings()]

    def first_unhandled(self, key: str) -> Change | None:
        chosen = sa.and_(CHANGES.c.key == key, CHANGES.c.handled_at.is_(None))
        return next(iter(self.changes(chosen, limit=1)), None)

    def save_change(self, change: Change) -> Change:
        mine = sa.and_(CHANGES.c.key == change.key, CHANGES.c.number == change.number)
        self._connection.execute(CHANGES.update().where(mine).values(to_row(change)))
        return change

    def _change(self, row: Tracked) -> Change:
        return Change(
            key=row.key,
            number=row.changes,
            at=self.now,
            step=row.step,
            status=row.status,
            token=row.token,
            note=row.note,
            retry_at=self.now,
        )


@contextmanager
def rows(engine: sa.Engine, enqueue: Enqueue) -> Generator[Rows]:
    """One transaction; an exception undoes all of it."""
    with transaction(engine) as (connection, now):
        yield Rows(connection, now, enqueue)
