"""What goes on behind the requests: one worker at a time asks about a refund, settles what is unclear, ends it."""

import asyncio
import logging
import time
from datetime import UTC, datetime, timedelta
from random import random
from typing import Final

from atlas_refunds import (
    AtlasRefunds,
    AtlasRefundsError,
    OrderNo,
    OutcomeUnknownError,
    RefundState,
    RefundToken,
    UnverifiedNotification,
    Verdict,
)

from .people import passengers_from
from .settings import Settings
from .store import NEVER, QUOTE_KEPT, Step, Store, Stored

log = logging.getLogger("refund_service")

AT_ONCE: Final = 32


class Follower:
    def __init__(self, atlas: AtlasRefunds, store: Store, settings: Settings) -> None:
        self._atlas, self._store, self._settings = atlas, store, settings
        self._at_work: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._lease = settings.lease + settings.patience

    async def hear(self, event: UnverifiedNotification) -> None:
        """A webhook: believed no further than that it may be worth asking."""
        if event.order_no is not None:
            await self._store.wake(event.order_no, self._settings.wake_interval)
            self._woken.set()

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        """Until it is cancelled."""
        try:
            while True:
                self._woken.clear()
                try:
                    for row in await self._store.claim(AT_ONCE - len(self._at_work), self._lease):
                        task = asyncio.create_task(self._look_after(row))
                        self._at_work.add(task)
                        task.add_done_callback(self._done)
                except Exception:  # a database that is away for a while
                    log.exception("looking for work failed")
                try:
                    async with asyncio.timeout(self._settings.tick):
                        await self._woken.wait()
                except TimeoutError:
                    pass
        finally:
            for task in self._at_work:
                task.cancel()
            await asyncio.gather(*self._at_work, return_exceptions=True)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._at_work.discard(task)
        self._woken.set()
        if not task.cancelled() and (error := task.exception()):
            log.error("work on a refund failed; it is taken up again", exc_info=error)

    async def _look_after(self, row: Stored) -> None:
        try:
            if row.step is Step.QUOTED:
                await self._store.move(row.key, [Step.QUOTED], Step.LAPSED, due=NEVER, lease=0.0, passengers="")
            elif row.step in (Step.SUBMITTING, Step.UNCLEAR):
                await self._settle(row)
            elif row.step is Step.SUBMITTED:
                await self._ask(row)
        except AtlasRefundsError as error:
            log.warning("Atlas could not be asked", extra={"facts": {"key": row.key, "error": type(error).__name__}})
            await self._store.release(row, self._next(row), row.note)

    async def _ask(self, row: Stored) -> None:
        token = RefundToken.parse(row.token)
        state = await self._atlas.get(token.order, token.refund_code)
        if state.is_final:
            await self._end(row, state)
        else:
            await self._store.note_status(row.key, str(state.refund_status))
            await self._store.release(row, self._next(row))

    async def _end(self, row: Stored, state: RefundState) -> None:
        if state.is_refunded and await self._store.pay(row):
            log.info("paid", extra={"facts": {"key": row.key, "order_no": row.order_no}})
        step = Step.REFUNDED if state.is_refunded else Step.NOT_REFUNDED
        columns = {"status": str(state.refund_status), "note": state.cancel_reason or ""}
        await self._store.move(row.key, [Step.SUBMITTED], step, due=NEVER, lease=0.0, **columns)
        log.info("ended", extra={"facts": {"key": row.key, "order_no": row.order_no, "step": step}})

    async def _settle(self, row: Stored) -> None:
        """Nobody knows when it was sent, or whether it lingers on its way: patience counts from now."""
        unknown = OutcomeUnknownError(
            "the answer is not known",
            order=OrderNo(row.order_no),
            offer_id=row.offer,
            passengers=passengers_from(row.passengers),
            at=datetime.now(UTC),
            refund_code=RefundToken.parse(row.token).refund_code if row.token else None,
        )
        found = await self._atlas.reconcile(unknown, patience=self._settings.patience)
        facts = {"key": row.key, "order_no": row.order_no, "verdict": found.verdict.value}
        log.info("reconciled", extra={"facts": facts})
        open_steps = (Step.SUBMITTING, Step.UNCLEAR)
        if found.state is not None:
            submitted = datetime.fromtimestamp(row.submitted, UTC)
            token = RefundToken(order=unknown.order, refund_code=found.state.refund_code, submitted=submitted)
            columns = {"token": str(token), "passengers": "", "note": "", "due": time.time(), "lease": 0.0}
            await self._store.move(row.key, open_steps, Step.SUBMITTED, **columns)
        elif found.verdict is Verdict.NOT_SUBMITTED:
            note = "was not submitted; accept it again"
            await self._store.move(row.key, open_steps, Step.QUOTED, note=note, due=time.time() + QUOTE_KEPT, lease=0.0)
        else:  # a refund exists but is not listed, or nothing is known: look again, and tell
            await self._store.release(row, self._next(row), found.evidence)

    def _next(self, row: Stored) -> float:
        age = timedelta(seconds=time.time() - row.submitted)
        return time.time() + self._settings.schedule.wait(age, random()).total_seconds()  # noqa: S311 - spreads polls
