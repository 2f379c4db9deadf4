"""The half of `AtlasRefunds` that follows refunds: waits, watches and pollers, and the webhooks that wake them."""

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeAlias
from weakref import WeakSet

from . import polling
from .clocks import Clock
from .errors import ConfigurationError, InvalidRequestError
from .events import Emitter
from .following import Follower
from .results import Followable, RefundState, token_of
from .schedule import PollSchedule
from .settings import Duration, duration
from .statuses import PaymentMode
from .tokens import RefundToken

if TYPE_CHECKING:
    from .notifications import UnverifiedNotification

OnUpdate: TypeAlias = Callable[[RefundState], Awaitable[object] | object]
DEFAULT_WAIT: Final = timedelta(days=90)


class FollowsRefunds:
    """All who follow share the client's clock, its schedule and its bound of calls in flight."""

    def __init__(self, schedule: PollSchedule, in_flight: int, clock: Clock, emit: Emitter) -> None:
        self._schedule, self._in_flight, self._clock, self._emit = schedule, in_flight, clock, emit
        self._alarms = polling.Alarms()
        self._followers: WeakSet[Follower] = WeakSet()

    async def _look(self, token: RefundToken, within: float | None = None) -> RefundState:
        """Ask once, within so many seconds."""
        raise NotImplementedError

    async def wait(
        self,
        refund: Followable,
        *,
        timeout: Duration = DEFAULT_WAIT,  # noqa: ASYNC109  (a deadline that survives failed polls, not a cancellation)
        schedule: PollSchedule | None = None,
        payment_mode: PaymentMode | None = None,
        on_update: OnUpdate | None = None,
    ) -> RefundState:
        """Follow a refund until it is final, and return the final state, refunded or not.

        `refund` is a Refund, a RefundState, a RefundToken or its text. Asks at once, then by the schedule, and a last
        time shortly before the `timeout` (a timedelta or seconds). Single failed polls are endured. `on_update`, plain
        or `async`, is called with each new state. Safe to cancel and to start again from the token. Raises
        WaitTimeoutError with the last state and the token, RefundNotFoundError when Atlas has said several times that
        it does not list the refund, or the error of the last poll when the failures do not end.
        """
        watching = self.watch(refund, timeout=timeout, schedule=schedule, payment_mode=payment_mode)
        seen: list[RefundState] = []
        async with aclosing(watching) as states:
            async for state in states:
                seen = [state]
                if on_update is not None and inspect.isawaitable(told := on_update(state)):
                    await told
        return seen[0]

    def watch(
        self,
        refund: Followable,
        *,
        timeout: Duration = DEFAULT_WAIT,
        schedule: PollSchedule | None = None,
        payment_mode: PaymentMode | None = None,
    ) -> AsyncGenerator[RefundState]:
        """The states of a refund: the present one, each change, the final one. Takes and raises what `wait` does."""
        token = token_of(refund)
        return polling.watch(
            lambda within: self._look(token, within),
            token,
            timeout=duration("timeout", timeout, least=timedelta()),
            schedule=self._chosen(schedule, payment_mode),
            payment_mode=payment_mode,
            clock=self._clock,
            emit=self._emit,
            alarms=self._alarms,
        )

    def follow(
        self,
        refunds: Iterable[Followable] = (),
        *,
        schedule: PollSchedule | None = None,
        payment_mode: PaymentMode | None = None,
        buffer: int = 1000,
        forever: bool = False,
    ) -> Follower:
        """One poller for many refunds: `async with atlas.follow(tokens) as refunds: async for change in refunds: ...`

        Costs a heap entry a refund, not a task. `refunds.add(token)` follows one more, `await refunds.stop()` returns
        the tokens of what is still open. Without `forever` the iteration ends when nothing is left to follow.
        """
        follower = Follower(
            self._look,
            tokens=refunds,
            schedule=self._chosen(schedule, payment_mode),
            payment_mode=payment_mode,
            clock=self._clock,
            workers=self._in_flight,
            buffer=buffer,
            forever=forever,
        )
        self._followers.add(follower)
        return follower

    def notify(self, event: "UnverifiedNotification") -> None:
        """Let whoever follows a refund of the event's order ask at once. The event itself is never believed.

        A flood of forged events costs one query per refund in half a minute at the most.
        """
        from .notifications import UnverifiedNotification  # loaded with the first webhook

        if not isinstance(event, UnverifiedNotification):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidRequestError(f"notify: give what parse_notification returned, not {type(event).__name__}")
        if event.order_no is not None:
            self._alarms.ring(event.order_no)
            for follower in self._followers:
                follower.wake(event.order_no)

    def _chosen(self, schedule: PollSchedule | None, payment_mode: object) -> PollSchedule:
        """The schedule, once both are what they should be."""
        if not isinstance(payment_mode, PaymentMode | None):
            raise InvalidRequestError("payment_mode: give PaymentMode.DEPOSIT or PaymentMode.VCC, or leave it out")
        if not isinstance(schedule, PollSchedule | None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(f"schedule: give a PollSchedule, not {type(schedule).__name__}")
        return schedule or self._schedule
