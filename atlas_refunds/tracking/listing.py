"""What is read without a lock: one refund with its changes, pages of refunds, counts, the time."""

from collections.abc import Sequence

import sqlalchemy as sa

from ..errors import InvalidRequestError
from .records import Change, Step, Tracked, from_row
from .schema import CHANGES, REFUNDS, clock
from .store import OPEN, UNHANDLED


class Listing:
    """Questions to the tables."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def find(self, key: str) -> Tracked | None:
        with self._engine.connect() as c:
            row = c.execute(sa.select(REFUNDS).where(REFUNDS.c.key == key)).mappings().first()
            return None if row is None else from_row(Tracked, row)

    def get(self, key: str) -> tuple[Tracked, list[Change]]:
        """Raises InvalidRequestError for a key that nobody knows."""
        row = self.find(key)
        if row is None:
            raise InvalidRequestError("tracking: no refund is known under this key")
        with self._engine.connect() as c:
            found = c.execute(sa.select(CHANGES).where(CHANGES.c.key == key).order_by(CHANGES.c.number))
            return row, [from_row(Change, change) for change in found.mappings()]

    def page(self, *, steps: Sequence[Step] = (), failing: bool = False, after: str = "", limit: int) -> list[Tracked]:
        """Refunds by key, those after `after`; `failing` only those with failures, of polls or of handlers."""
        chosen = [REFUNDS.c.key > after]
        if steps:
            chosen.append(REFUNDS.c.step.in_([step.value for step in steps]))
        if failing:
            unhandled = sa.select(CHANGES.c.key).where(UNHANDLED, CHANGES.c.tries > 0)
            polls = sa.and_(REFUNDS.c.tries > 0, REFUNDS.c.step.in_(OPEN))
            chosen.append(sa.or_(polls, REFUNDS.c.key.in_(unhandled)))
        query = sa.select(REFUNDS).where(*chosen).order_by(REFUNDS.c.key).limit(limit)
        with self._engine.connect() as c:
            return [from_row(Tracked, row) for row in c.execute(query).mappings()]

    def scheduled(self, *, before: float | None, after: str, limit: int) -> list[Tracked]:
        """Refunds that have a job, those after the key `after`; with `before` only where it was due before then."""
        chosen = REFUNDS.c.due.is_not(None) if before is None else REFUNDS.c.due < before
        query = sa.select(REFUNDS).where(chosen, REFUNDS.c.key > after).order_by(REFUNDS.c.key).limit(limit)
        with self._engine.connect() as c:
            return [from_row(Tracked, row) for row in c.execute(query).mappings()]

    def counts(self) -> dict[str, int]:
        """How many refunds are at each step."""
        query = sa.select(REFUNDS.c.step, sa.func.count()).group_by(REFUNDS.c.step)
        with self._engine.connect() as c:
            return {str(row[0]): int(row[1]) for row in c.execute(query)}

    def now(self) -> float:
        """Seconds since 1970 by the database's clock."""
        with self._engine.connect() as c:
            return clock(c)
