"""Following many refunds with one poller: an agenda instead of a task for each."""

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from datetime import timedelta
from types import TracebackType
from typing import Final, Self

import attrs
from atlas_refunds_api.types import Model

from . import polling
from .agenda import Agenda, rounded
from .clocks import Clock
from .errors import AtlasRefundsError, InvalidRequestError, RefundNotFoundError
from .orders import OrderNo
from .results import Followable, RefundState, token_of
from .schedule import PollSchedule
from .statuses import PaymentMode, is_final
from .tokens import RefundToken

BREATH: Final = 0.005
"""Seconds after which a worker lets others run, if the polls themselves did not."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RefundChange(Model):
    """What the poller has to tell about one refund. Exactly one of `state` and `error` is given."""

    token: RefundToken
    state: RefundState | None = None
    """The new state: the first one seen, or one that differs from the last."""
    error: AtlasRefundsError | None = None
    """A clear refusal, a refund that Atlas does not list, or the last of too many failures in a row."""
    is_last: bool
    """Whether the refund is not followed any more: it is final, or Atlas refuses to tell, or does not list it."""


class _Followed:
    """One refund; small, for there are many. `sibling` is the next refund of the same order."""

    __slots__ = ("asked_at", "began", "due", "failures", "not_found", "order_no", "seen", "sibling", "token")

    def __init__(self, token: RefundToken, now: float) -> None:
        self.token = token
        self.began = self.due = now
        self.asked_at = -math.inf
        self.failures = self.not_found = 0
        self.seen: int | None = None
        self.order_no: str | None = None
        self.sibling: _Followed | None = None


class Follower:
    """`async with atlas.follow(tokens) as refunds: async for change in refunds: ...`

    One refund's failures do not touch another's. Polls keep to the client's rate limit and to its calls in flight.
    While nobody takes changes and `buffer` of them wait, no further refund is asked. The iteration ends when no refund
    is followed any more, unless `forever`, and after `stop()`.
    """

    def __init__(
        self,
        look: Callable[[RefundToken], Awaitable[RefundState]],
        *,
        tokens: Iterable[Followable],
        schedule: PollSchedule,
        payment_mode: PaymentMode | None,
        clock: Clock,
        workers: int,
        buffer: int,
        forever: bool,
    ) -> None:
        self._look, self._schedule, self._mode, self._clock = look, schedule, payment_mode, clock
        self._workers, self._buffer, self._forever = workers, buffer, forever
        self._agenda: Agenda[_Followed] = Agenda()
        self._open: dict[RefundToken, _Followed] = {}
        self._by_order: dict[str, _Followed] = {}
        self._changes: deque[RefundChange] = deque()
        self._stirred, self._told = asyncio.Event(), asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._keeper: asyncio.Task[None] | None = None
        self._resting = 0  # workers that let others run, and go on by themselves
        self._stopped = False
        if isinstance(tokens, str) or not isinstance(tokens, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidRequestError(f"follow: give a list of tokens, not {type(tokens).__name__}")
        self.add(*tokens)

    # ---- what a service calls -----------------------------------------------------------------------------------
    def add(self, *refunds: Followable) -> None:
        """Follow these too; the first poll comes at once. A refund that is followed already changes nothing."""
        now = self._clock.monotonic()
        for token in map(token_of, refunds):
            if token not in self._open:
                followed = self._open[token] = _Followed(token, now)
                if isinstance(token.order, OrderNo):
                    self._list(followed, token.order.order_no)
                self._agenda.plan(followed, now)
        self._stirred.set()

    @property
    def open(self) -> tuple[RefundToken, ...]:
        """The refunds that are still followed."""
        return tuple(self._open)

    def wake(self, order_no: str) -> None:
        """Ask about the refunds of this order at once, though not more often than every half minute."""
        for followed in self._of(order_no):
            soonest = max(self._clock.monotonic(), followed.asked_at + polling.WAKE_EVERY.total_seconds())
            if soonest < followed.due:
                self._agenda.plan(followed, soonest)
        self._stirred.set()

    async def stop(self) -> tuple[RefundToken, ...]:
        """End gracefully: polls under way are finished, nothing new is begun. Returns the tokens still open."""
        self._stopped = True
        self._stirred.set()
        self._told.set()
        if self._keeper is not None:
            await asyncio.gather(self._keeper, return_exceptions=True)
        await asyncio.gather(*self._running, return_exceptions=True)
        return self.open

    async def __aenter__(self) -> Self:
        self._keeper = asyncio.create_task(self._keep_time())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            for task in (self._keeper, *self._running):
                if task is not None:
                    task.cancel()
        await self.stop()

    async def __aiter__(self) -> AsyncIterator[RefundChange]:
        while True:
            while self._changes:
                yield self._changes.popleft()
                self._stirred.set()
            if self._stopped or not (self._open or self._forever):
                return
            if self._keeper is None or self._keeper.done():
                raise InvalidRequestError("follow: iterate inside of `async with atlas.follow(...)`")
            self._told.clear()
            await self._told.wait()

    # ---- by order -----------------------------------------------------------------------------------------------
    def _list(self, followed: _Followed, order_no: str) -> None:
        followed.order_no, followed.sibling = order_no, self._by_order.get(order_no)
        self._by_order[order_no] = followed

    def _of(self, order_no: str) -> Iterator[_Followed]:
        followed = self._by_order.get(order_no)
        while followed is not None:
            yield followed
            followed = followed.sibling

    def _unlist(self, followed: _Followed, order_no: str) -> None:
        siblings = [other for other in self._of(order_no) if other is not followed]
        del self._by_order[order_no]
        for sibling in siblings:
            self._list(sibling, order_no)

    # ---- the poller ---------------------------------------------------------------------------------------------
    async def _keep_time(self) -> None:
        """Start workers for what is due; sleep until something is, or something stirs."""
        while not self._stopped:
            self._stirred.clear()
            due, now = self._agenda.next_due(), self._clock.monotonic()
            is_busy = self._resting or len(self._running) >= self._workers or len(self._changes) >= self._buffer
            if is_busy or due is None:
                await self._stirred.wait()
            elif due > now:
                await polling.sleep(self._clock, due - now, self._stirred)
            else:
                worker = asyncio.create_task(self._work())
                self._running.add(worker)
                worker.add_done_callback(self._ended)
                await asyncio.sleep(0)

    def _ended(self, worker: asyncio.Task[None]) -> None:
        self._running.discard(worker)
        self._stirred.set()

    async def _work(self) -> None:
        """Poll what is due, one after the other."""
        breathed = self._clock.monotonic()
        while not self._stopped and len(self._changes) < self._buffer:
            due, now = self._agenda.next_due(), self._clock.monotonic()
            if due is None or due > now:
                return
            await self._poll(self._agenda.take(), now)
            if now - breathed > BREATH:
                self._resting += 1
                await asyncio.sleep(0)
                self._resting -= 1
                self._stirred.set()
                breathed = self._clock.monotonic()

    async def _poll(self, followed: _Followed, now: float) -> None:
        token, state, asked, followed.asked_at = followed.token, None, None, now
        try:
            state = await self._look(token)
        except AtlasRefundsError as error:
            asked, is_last = polling.asked_wait(error), self._missed(followed, error)
        else:
            is_last = self._saw(followed, state)
        if is_last:
            return
        now, wall = self._clock.monotonic(), self._clock.now()
        pause = self._schedule.wait(
            wall - token.submitted if token.submitted else timedelta(seconds=now - followed.began),
            polling.roll(),
            state=state,
            now=wall,
            fast=token.fast,
            failures=followed.failures,
            asked=asked,
        )
        wait = pause.total_seconds()
        self._agenda.plan(followed, rounded(now + wait, wait))

    def _saw(self, followed: _Followed, state: RefundState) -> bool:
        """Tell it when it is new; whether it is the last."""
        followed.failures = followed.not_found = 0
        if followed.order_no is None and state.order_no:  # known by PNR until now
            self._list(followed, state.order_no)
        final, fingerprint = is_final(state.refund_status, self._mode), hash(state)
        if fingerprint != followed.seen or final:
            followed.seen = fingerprint
            self._tell(followed, RefundChange(token=followed.token, state=state, is_last=final))
        return final

    def _missed(self, followed: _Followed, error: AtlasRefundsError) -> bool:
        """Tell it when it is a refusal, or one too many; whether it is the last."""
        followed.failures += 1
        followed.not_found += isinstance(error, RefundNotFoundError)
        refused = not polling.is_passing(error) or followed.not_found >= self._schedule.not_found
        if refused or followed.failures == self._schedule.failures:
            self._tell(followed, RefundChange(token=followed.token, error=error, is_last=refused))
        return refused

    def _tell(self, followed: _Followed, change: RefundChange) -> None:
        if change.is_last:
            del self._open[followed.token]
            if followed.order_no is not None:
                self._unlist(followed, followed.order_no)
        self._changes.append(change)
        self._told.set()
