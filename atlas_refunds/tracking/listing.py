"""What is read without a lock: one refund with its changes, pages of refunds, how they stand, the time."""

from collections.abc import Sequence
from datetime import datetime

import attrs
import sqlalchemy as sa

from ..errors import InvalidRequestError
from ..tokens import RefundToken
from .notices import Health
from .records import Action, Change, Step, Tracked, from_row
from .schema import ACTIONS, CHANGES, NOW, REFUNDS, clock, reading

OPEN = [step.value for step in Step if step.is_open]
FINISHED = [Step.FINAL.value, Step.REFUSED.value]
UNHANDLED = CHANGES.c.handled_at.is_(None)


@attrs.frozen(kw_only=True)
class Wanted:
    """Which refunds a list shows."""

    steps: Sequence[Step] = ()
    failing: bool = False
    """Only those whose polls or handlers fail."""
    order_no: str | None = None


class Listing:
    """Questions to the tables."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def find(self, key: str) -> Tracked | None:
        with reading(self._engine) as c:
            row = c.execute(sa.select(REFUNDS).where(REFUNDS.c.key == key)).mappings().first()
            return None if row is None else from_row(Tracked, row)

    def get(self, key: str) -> tuple[Tracked, list[Change]]:
        """Raises InvalidRequestError for a key that nobody knows."""
        row = self.find(key)
        if row is None:
            raise InvalidRequestError("tracking: no refund is known under this key")
        with reading(self._engine) as c:
            found = c.execute(sa.select(CHANGES).where(CHANGES.c.key == key).order_by(CHANGES.c.number))
            return row, [from_row(Change, change) for change in found.mappings()]

    def actions(self, key: str) -> list[Action]:
        """What persons did about a refund, or about all."""
        chosen = sa.or_(ACTIONS.c.key == key, ACTIONS.c.key.is_(None))
        with reading(self._engine) as c:
            found = c.execute(sa.select(ACTIONS).where(chosen).order_by(ACTIONS.c.at))
            return [from_row(Action, action) for action in found.mappings()]

    def page(self, wanted: Wanted, after: str = "", limit: int = 500) -> list[Tracked]:
        """Refunds by key, those after `after`."""
        chosen = [REFUNDS.c.key > after]
        if wanted.steps:
            chosen.append(REFUNDS.c.step.in_([step.value for step in wanted.steps]))
        if wanted.order_no is not None:
            chosen.append(REFUNDS.c.order_no == wanted.order_no)
        if wanted.failing:
            unhandled = sa.select(CHANGES.c.key).where(UNHANDLED, CHANGES.c.tries > 0)
            polls = sa.and_(REFUNDS.c.tries > 0, REFUNDS.c.look_at.is_not(None))
            chosen.append(sa.or_(polls, REFUNDS.c.key.in_(unhandled)))
        query = sa.select(REFUNDS).where(*chosen).order_by(REFUNDS.c.key).limit(limit)
        with reading(self._engine) as c:
            return [from_row(Tracked, row) for row in c.execute(query).mappings()]

    def counts(self, account: str | None = None) -> dict[str, int]:
        """How many refunds are at each step."""
        query = sa.select(REFUNDS.c.step, sa.func.count()).group_by(REFUNDS.c.step)
        if account is not None:
            query = query.where(REFUNDS.c.account == account)
        with reading(self._engine) as c:
            return {str(row[0]): int(row[1]) for row in c.execute(query)}

    def health(self, account: str) -> Health:
        mine, failing = CHANGES.c.account == account, sa.and_(UNHANDLED, CHANGES.c.tries > 0)
        steps, wait = self.counts(account), self.wait_for_look(account)
        with reading(self._engine) as c:

            def count(*chosen: sa.ColumnElement[bool]) -> int:
                return c.execute(sa.select(sa.func.count()).select_from(CHANGES).where(mine, *chosen)).scalar_one()

            return Health(
                at=clock(c),
                account=account,
                steps=steps,
                overdue=max(0.0, -(wait or 0)),
                unhandled=count(UNHANDLED),
                failing=count(failing),
                gave_up=count(failing, CHANGES.c.retry_at.is_(None)),
            )

    def wait_for_look(self, account: str) -> float | None:
        """Seconds until a refund is due that nobody is at, negative when it is; None when none is going to be."""
        return self._wait(REFUNDS, REFUNDS.c.look_at, account)

    def wait_for_change(self, account: str) -> float | None:
        """Seconds until a handler is to be called."""
        return self._wait(CHANGES, CHANGES.c.retry_at, account)

    def _wait(self, table: sa.TableClause, due: sa.ColumnElement[float], account: str) -> float | None:
        now: sa.ColumnElement[float] = sa.literal_column(NOW[self._engine.dialect.name], sa.Float)
        query = sa.select(due - now).where(table.c.account == account, due.is_not(None), is_free(table, now))
        with reading(self._engine) as c:
            return c.execute(query.order_by(due).limit(1)).scalar()

    def open_of(self, order_no: str, account: str) -> list[Tracked]:
        chosen = (REFUNDS.c.order_no == order_no, REFUNDS.c.account == account, REFUNDS.c.step.in_(OPEN))
        with reading(self._engine) as c:
            return [from_row(Tracked, row) for row in c.execute(sa.select(REFUNDS).where(*chosen)).mappings()]

    def codes_beside(self, row: Tracked) -> list[str]:
        """The codes of the same order's refunds under other keys: none of them is this one."""
        beside = (REFUNDS.c.order_no == row.order_no, REFUNDS.c.key != row.key, REFUNDS.c.token.is_not(None))
        with reading(self._engine) as c:
            tokens = map(RefundToken.parse, c.execute(sa.select(REFUNDS.c.token).where(*beside)).scalars())
            return [token.refund_code for token in tokens if token.refund_code]

    def now(self) -> datetime:
        """The time by the database's clock."""
        with reading(self._engine) as c:
            return clock(c)


def is_free(table: sa.TableClause, now: sa.ColumnElement[float] | float) -> sa.ColumnElement[bool]:
    """Nobody is at the row, or who was counts as dead."""
    return sa.or_(table.c.held_until.is_(None), table.c.held_until <= now)
