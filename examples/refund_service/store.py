"""The one table that the service lives by. Every step of a refund is one statement, and is taken from the step before
it: of two workers that try, one succeeds. Nothing is lost when the process is killed between two statements."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, Self

from .database import Database, Row

SCHEMA = (
    """create table if not exists refunds (
    key text primary key,                       -- the caller's Idempotency-Key
    request text not null,                      -- fingerprint of what was asked under this key
    order_no text not null,
    step text not null,
    passengers text not null,                   -- JSON for quotes; emptied as soon as nothing can need it
    offer text not null,
    amount text not null,                       -- what was quoted, and has to be accepted
    currency text not null,
    fee text not null,
    token text not null default '',             -- RefundToken, once submitted
    status text not null default '',            -- Atlas' refundStatus
    note text not null default '',
    submitted double precision not null default 0,
    due double precision not null,              -- when somebody has to look at it
    asked double precision not null default 0,  -- when Atlas was last asked
    lease double precision not null default 0,  -- nobody else looks at it before
    history text not null default '')""",
    # Across all processes: while one submit of an order is open, there is no other.
    """create unique index if not exists one_open_submit_an_order on refunds (order_no)
    where step in ('submitting', 'unclear')""",
    "create index if not exists refunds_due on refunds (due)",
    "create index if not exists refunds_offer on refunds (offer)",
    "create index if not exists refunds_order on refunds (order_no)",
    "create table if not exists payments (key text primary key, amount text not null, currency text not null)",
)
NEVER: Final = 1e12
QUOTE_KEPT: Final = 86_400.0
"""Seconds after which a quote that nobody accepted lapses, and its passengers are forgotten."""


class Step(StrEnum):
    QUOTED = "quoted"
    SUBMITTING = "submitting"
    """The intent is written down, the answer is not yet."""
    UNCLEAR = "unclear"
    """A submit may or may not have happened; it is being found out."""
    SUBMITTED = "submitted"
    REFUNDED = "refunded"
    NOT_REFUNDED = "not refunded"
    REFUSED = "refused"
    LAPSED = "lapsed"
    """Quoted, never accepted."""

    @property
    def is_last(self) -> bool:
        return self in (Step.REFUNDED, Step.NOT_REFUNDED, Step.REFUSED, Step.LAPSED)


@dataclass(frozen=True)
class Stored:
    """A row of the table."""

    key: str
    request: str
    order_no: str
    step: Step
    passengers: str
    offer: str
    amount: str
    currency: str
    fee: str
    token: str
    status: str
    note: str
    submitted: float
    due: float
    asked: float
    lease: float
    history: str

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(**(row | {"step": Step(row["step"])}))

    @property
    def changes(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.history.splitlines()]


class Store:
    def __init__(self, database: Database) -> None:
        self._db = database

    async def prepare(self) -> None:
        for statement in SCHEMA:
            await self._db.run(statement)

    async def answers(self) -> None:
        await self._db.run("select 1")

    async def close(self) -> None:
        await self._db.close()

    async def find(self, key: str) -> Stored | None:
        return one(await self._db.run("select * from refunds where key = :key", key=key))

    async def by_offer(self, offer: str) -> Stored | None:
        return one(await self._db.run("select * from refunds where offer = :offer", offer=offer))

    async def add(self, **columns: object) -> None:
        """A quote under a new key; a key that exists already stays as it is."""
        columns |= {"step": Step.QUOTED, "history": line(Step.QUOTED)}
        names, values = ", ".join(columns), ", ".join(f":{name}" for name in columns)
        await self._db.run(f"insert into refunds ({names}) values ({values}) on conflict (key) do nothing", **columns)  # noqa: S608

    async def move(self, key: str, come_from: Iterable[Step], to: Step, **columns: object) -> Stored | None:
        """Take a step, with a line of history; None when the refund stood elsewhere. Raises Taken."""
        steps = ", ".join(f"'{step}'" for step in come_from)
        sets = ", ".join(f"{name} = :{name}" for name in columns)
        return one(
            await self._db.run(
                f"update refunds set step = :step, history = history || :line, {sets}"  # noqa: S608 - own names
                f" where key = :key and step in ({steps}) returning *",
                **columns,
                key=key,
                step=to,
                line=line(to, str(columns.get("status", ""))),
            )
        )

    async def begin_submit(self, offer: str, lease: timedelta) -> Stored | None:
        """The intent, before anything is sent. None when somebody else began. Raises Taken."""
        if (quoted := await self.by_offer(offer)) is None:
            return None
        now = time.time()
        until = now + lease.total_seconds()
        return await self.move(quoted.key, [Step.QUOTED], Step.SUBMITTING, submitted=now, lease=until, due=until)

    async def claim(self, most: int, lease: timedelta) -> list[Stored]:
        """What is due and nobody is at; for the time of the lease it is the caller's."""
        now = time.time()
        rows = await self._db.run(
            """update refunds set lease = :until, due = :until, asked = :now
            where key in (select key from refunds where due <= :now and lease <= :now order by due limit :most)
            and due <= :now and lease <= :now returning *""",
            now=now,
            until=now + lease.total_seconds(),
            most=most,
        )
        return [Stored.of(row) for row in rows]

    async def release(self, row: Stored, due: float, note: str = "") -> None:
        """Nothing new; look again when due, or earlier if it was woken meanwhile."""
        await self._db.run(
            """update refunds set lease = 0, note = :note, due = case when due = :until then :due else due end
            where key = :key and lease = :until""",
            key=row.key,
            until=row.lease,
            due=due,
            note=note,
        )

    async def note_status(self, key: str, status: str) -> None:
        await self._db.run(
            "update refunds set status = :status, history = history || :line where key = :key and status <> :status",
            key=key,
            status=status,
            line=line(Step.SUBMITTED, status),
        )

    async def wake(self, order_no: str, interval: timedelta) -> None:
        """Look at the refunds of this order now, or as soon as the interval since the last look has passed."""
        await self._db.run(
            """update refunds set due = case when asked + :interval > :now then asked + :interval else :now end
            where order_no = :order_no and step = 'submitted' and due > :now""",
            order_no=order_no,
            interval=interval.total_seconds(),
            now=time.time(),
        )

    async def pay(self, row: Stored) -> bool:
        """The act that must happen once; False when it has happened before. Yours may be a call that takes `key`."""
        paid = await self._db.run(
            """insert into payments (key, amount, currency) values (:key, :amount, :currency)
            on conflict (key) do nothing returning key""",
            key=row.key,
            amount=row.amount,
            currency=row.currency,
        )
        return bool(paid)


def one(rows: list[Row]) -> Stored | None:
    return Stored.of(rows[0]) if rows else None


def line(step: Step, status: str = "") -> str:
    return json.dumps({"at": round(time.time(), 3), "step": step, "status": status}) + "\n"
