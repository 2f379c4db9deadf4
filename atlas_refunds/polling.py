"""Following one refund: ask, wait as the schedule says or until a webhook wakes, ask again."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import timedelta

from .clocks import Clock
from .errors import (
    ApiError,
    AtlasRefundsError,
    BadResponseError,
    NoAnswerError,
    NotSentError,
    RefundNotFoundError,
    WaitTimeoutError,
)
from .events import Emitter, Pause
from .orders import OrderNo
from .results import RefundState
from .schedule import PollSchedule
from .statuses import PaymentMode, is_final
from .tokens import RefundToken

Roll = Callable[[], float]
WAKE_EVERY = timedelta(seconds=30)
"""Webhooks can be forged: they cost one query per refund in this time at the most."""
roll: Roll = random.random  # not for secrets: it only spreads polls


class Alarms:
    """Wakes those who wait for an order: an event that names it is a reason to ask, and nothing else."""

    def __init__(self) -> None:
        self._set: dict[str, set[asyncio.Event]] = {}

    @contextmanager
    def set_for(self, order_numbers: Iterable[str]) -> Generator[asyncio.Event]:
        alarm = asyncio.Event()
        for number in order_numbers:
            self._set.setdefault(number, set()).add(alarm)
        try:
            yield alarm
        finally:
            for number in order_numbers:
                self._set[number].discard(alarm)
                if not self._set[number]:
                    del self._set[number]

    def ring(self, order_no: str) -> None:
        for alarm in self._set.get(order_no, ()):
            alarm.set()


async def sleep(clock: Clock, seconds: float, alarm: asyncio.Event) -> None:
    """Until the time has passed or the alarm rings; leaves no task behind, also when it is cancelled."""
    tasks = asyncio.ensure_future(clock.sleep(seconds)), asyncio.ensure_future(alarm.wait())
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def order_numbers(token: RefundToken, state: RefundState | None) -> set[str]:
    """By which a webhook can name this refund's order."""
    asked = token.order.order_no if isinstance(token.order, OrderNo) else None
    return {number for number in (asked, state and state.order_no) if number}


def asked_wait(error: AtlasRefundsError) -> timedelta | None:
    return error.retry_after if isinstance(error, ApiError) else None


async def watch(
    look: Callable[[float], Awaitable[RefundState]],
    token: RefundToken,
    *,
    timeout: timedelta,  # noqa: ASYNC109  (a deadline that endures failed polls, not a cancellation)
    schedule: PollSchedule,
    payment_mode: PaymentMode | None,
    clock: Clock,
    emit: Emitter,
    alarms: Alarms,
) -> AsyncGenerator[RefundState]:
    """The present state, each change, the final one. `look` asks once, within the seconds it is given."""
    began, margin = clock.now(), last_look(timeout).total_seconds()
    deadline = clock.monotonic() + timeout.total_seconds()
    last, failures, not_found, asked, woken = None, 0, 0, None, float("-inf")
    while True:
        try:
            state = await look(deadline - clock.monotonic())
        except AtlasRefundsError as error:
            failures, asked = failures + 1, asked_wait(error)
            not_found += isinstance(error, RefundNotFoundError)
            if failures >= schedule.failures or not_found >= schedule.not_found or not is_passing(error):
                raise
        else:
            failures, not_found, asked = 0, 0, None
            if state != last:
                yield state
            if is_final(state.refund_status, payment_mode):
                return
            last = state
        age = clock.now() - (token.submitted or began)
        wait = schedule.wait(age, roll(), state=last, now=clock.now(), fast=token.fast, failures=failures, asked=asked)
        pause = min(wait.total_seconds(), deadline - margin - clock.monotonic())
        if pause <= 0:
            raise WaitTimeoutError(last_state=last, token=token)
        emit(Pause(at=clock.now(), operation="query", reason="poll", seconds=pause))
        with alarms.set_for(order_numbers(token, last)) as alarm:
            deaf = min(pause, max(0.0, woken + WAKE_EVERY.total_seconds() - clock.monotonic()))
            if deaf:
                await clock.sleep(deaf)
            if pause > deaf and not alarm.is_set():
                await sleep(clock, pause - deaf, alarm)
            if alarm.is_set():
                woken = clock.monotonic()


def last_look(timeout: timedelta) -> timedelta:
    """How long before its deadline a wait asks for the last time: time for one answer."""
    return min(timeout / 10, timedelta(seconds=5))


def is_passing(error: AtlasRefundsError) -> bool:
    """Whether a failed poll is worth another one: everything but a clear refusal."""
    if isinstance(error, ApiError):
        return error.retryable
    return isinstance(error, NotSentError | NoAnswerError | BadResponseError | RefundNotFoundError)
