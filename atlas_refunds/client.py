"""`AtlasRefunds`: what a service awaits."""

import logging
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Final, Self, TypeAlias, TypeVar, overload

import attrs
import httpx
from atlas_refunds_api import types as wire
from atlas_refunds_api.models import RefundPassenger

from . import polling
from .calls import (
    QUERY,
    QUOTE,
    SUBMIT,
    Submission,
    prepare,
    query_body,
    quote_body,
    submission,
)
from .clocks import Clock, SystemClock
from .envelope import readable_refund_code, settle
from .errors import (
    ApiError,
    AtlasRefundsError,
    BadResponseError,
    InvalidRequestError,
    NoAnswerError,
    OutcomeUnknownError,
)
from .notifications import UnverifiedNotification
from .orders import OrderRef
from .polling import PollSchedule
from .results import Refund, RefundQuote, RefundState
from .retries import RetryPolicy
from .settings import Credentials, Timeouts, checked_url, from_environment
from .statuses import PaymentMode
from .tokens import RefundToken
from .transport import BorrowedClient, OwnConnections, Request, Transport

log = logging.getLogger("atlas_refunds")
T = TypeVar("T")
Json: TypeAlias = dict[str, Any]
Followable: TypeAlias = Refund | RefundState | RefundToken
DEFAULT_WAIT: Final = timedelta(days=90)


class AtlasRefunds:
    """The refund API of Atlas. Make one for your service, share it between tasks, close it at the end.

    `base_url` is the sandbox (SANDBOX_URL), your production address from ATRIP, or a simulator. A `http_client` that
    you pass in is used as it is (proxies, hooks, HTTP/2) and never closed; then a submit cannot insist on a fresh
    connection. Raises ConfigurationError for settings that cannot work.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        base_url: str,
        http_client: httpx.AsyncClient | None = None,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        schedule: PollSchedule | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._credentials = credentials
        self._timeouts = timeouts or Timeouts()
        self._retry = retry or RetryPolicy()
        self._schedule = schedule or PollSchedule()
        self._clock = clock or SystemClock()
        connections = OwnConnections() if http_client is None else BorrowedClient(http_client)
        self._transport = Transport(checked_url(base_url), connections)

    @classmethod
    def from_env(cls, **settings: Any) -> Self:
        """A client by ATLAS_CLIENT_ID, ATLAS_CLIENT_SECRET, ATLAS_BASE_URL; `settings` as for the constructor."""
        credentials, base_url = from_environment()
        return cls(credentials, base_url=base_url, **settings)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections. Calls after this raise ConfigurationError."""
        await self._transport.aclose()

    # ---- the three calls ----------------------------------------------------------------------------------------
    async def quote(
        self, order: OrderRef, passengers: Iterable[RefundPassenger], *, display_currency: str | None = None
    ) -> RefundQuote:
        """Ask what a refund would bring (refunds page, /refundQuotation.do). Changes nothing; may be repeated.

        Give every segment of the itinerary for each passenger, exactly as booked. `display_currency` (3-letter code)
        adds amounts in that currency. Raises InvalidRequestError, NotSentError, NoAnswerError, BadResponseError,
        ApiError.
        """
        people = tuple(passengers)
        body = quote_body(order, people, display_currency)

        def read(answer: Json) -> RefundQuote:
            return RefundQuote.from_dict(answer, order=order, passengers=people, requested_currency=display_currency)

        return await self._call(prepare(QUOTE, body, self._credentials, self._timeouts), read)

    @overload
    async def submit(
        self, what: RefundQuote, *, display_currency: str | None = None, even_if_not_refundable: bool = False
    ) -> Refund: ...
    @overload
    async def submit(self, what: OrderRef, *, offer_id: str, display_currency: str | None = None) -> Refund: ...
    @overload
    async def submit(
        self, what: OrderRef, *, passengers: Iterable[RefundPassenger], display_currency: str | None = None
    ) -> Refund: ...
    async def submit(
        self,
        what: RefundQuote | OrderRef,
        *,
        offer_id: str | None = None,
        passengers: Iterable[RefundPassenger] | None = None,
        display_currency: str | None = None,
        even_if_not_refundable: bool = False,
    ) -> Refund:
        """Submit a refund (refunds page, /refund.do): by a quote, by order and offer id, or by order and passengers.

        Sent at most once; repeated only while it provably never left. Do not repeat it yourself unless it raised
        NotSentError or an ApiError. Raises InvalidRequestError, NotSentError, ApiError (not executed; with
        AlreadySubmittedError a refund exists), and OutcomeUnknownError for everything that is not a clear answer.
        A quote that is not refundable is refused before sending unless `even_if_not_refundable`.
        """
        subject = submission(
            what,
            offer_id=offer_id,
            passengers=passengers,
            display_currency=display_currency,
            even_if_not_refundable=even_if_not_refundable,
        )
        started = self._clock.now()

        def read(answer: Json) -> Refund:
            return Refund.from_dict(answer, order=subject.order, submitted=started)

        request = prepare(SUBMIT, subject.body(), self._credentials, self._timeouts)
        try:
            return await self._call(request, read)
        except (NoAnswerError, BadResponseError, ApiError) as error:
            if isinstance(error, ApiError) and error.advice.settles_submit:
                raise
            raise unknown_outcome(error, subject, started) from error

    async def query(
        self, order: OrderRef, refund_code: str | None, *, display_currency: str | None = None
    ) -> list[RefundState]:
        """The refunds of an order as Atlas lists them (refunds page, /queryRefundOrders.do). May be repeated.

        `refund_code` comes from the submit; None asks without one, which older versions allowed and today's page does
        not. An empty list is not an error. Raises as `quote`.
        """
        body = query_body(order, refund_code, display_currency)
        return await self._query(order, prepare(QUERY, body, self._credentials, self._timeouts))

    async def get(
        self, order: OrderRef, refund_code: str | None, *, display_currency: str | None = None
    ) -> RefundState:
        """Where one refund stands. May be repeated. Raises as `query`, and BadResponseError when it is not listed."""
        return only(await self.query(order, refund_code, display_currency=display_currency), refund_code)

    # ---- following ----------------------------------------------------------------------------------------------
    async def wait(
        self,
        refund: Followable,
        *,
        timeout: timedelta = DEFAULT_WAIT,  # noqa: ASYNC109  (a deadline that survives failed polls, not a cancellation)
        schedule: PollSchedule | None = None,
        payment_mode: PaymentMode | None = None,
        on_update: Callable[[RefundState], None] | None = None,
    ) -> RefundState:
        """Follow a refund until it is final, and return the final state, refunded or not.

        Asks at once, then by the schedule, and a last time shortly before the `timeout`. Single failed polls are
        endured. Safe to cancel and to start again from the token. Raises WaitTimeoutError with the last state and the
        token, or the error of the last poll when the failures do not end.
        """
        watching = self.watch(refund, timeout=timeout, schedule=schedule, payment_mode=payment_mode)
        seen: list[RefundState] = []
        async with aclosing(watching) as states:
            async for state in states:
                seen = [state]
                if on_update is not None:
                    on_update(state)
        return seen[0]

    def watch(
        self,
        refund: Followable,
        *,
        timeout: timedelta = DEFAULT_WAIT,
        schedule: PollSchedule | None = None,
        payment_mode: PaymentMode | None = None,
    ) -> AsyncGenerator[RefundState]:
        """The states of a refund: the present one, each change, the final one. Raises as `wait`."""
        token = token_of(refund)
        return polling.watch(
            lambda within: self._look(token, within),
            token,
            timeout=timeout,
            schedule=schedule or self._schedule,
            payment_mode=payment_mode,
            clock=self._clock,
        )

    async def confirm(self, event: UnverifiedNotification, refund: Followable) -> RefundState:
        """The truth about what a webhook claims, by query; the event itself is never believed. May be repeated.

        Raises InvalidRequestError when the event is about another order, otherwise as `get`.
        """
        token = token_of(refund)
        state = await self._look(token)
        if event.order_no not in (state.order_no, getattr(token.order, "order_no", None)):
            raise InvalidRequestError("confirm: the event names another order than the refund")
        return state

    # ---- one call -----------------------------------------------------------------------------------------------
    async def _look(self, token: RefundToken, within: float | None = None) -> RefundState:
        request = prepare(QUERY, query_body(token.order, token.refund_code, None), self._credentials, self._timeouts)
        if within is not None:
            request = attrs.evolve(request, timeout=min(request.timeout, timedelta(seconds=max(within, 0.001))))
        return only(await self._query(token.order, request), token.refund_code)

    async def _query(self, order: OrderRef, request: Request) -> list[RefundState]:
        def read(answer: Json) -> list[RefundState]:
            orders = wire.many(answer, "refundOrders", lambda listed: RefundState.from_dict(listed, order=order))
            return list(orders)

        return await self._call(request, read)

    async def _call(self, request: Request, read: Callable[[Json], T]) -> T:
        """Send, settle, read; repeat as the policy says."""
        attempt, began = 0, self._clock.monotonic()
        while True:
            attempt += 1
            try:
                return await self._attempt(request, read)
            except AtlasRefundsError as error:
                elapsed = timedelta(seconds=self._clock.monotonic() - began)
                pause = self._retry.wait(
                    error, once=request.once, attempt=attempt, elapsed=elapsed, roll=polling.roll()
                )
                if pause is None:
                    raise
                log.info(
                    "%s attempt %d failed (%s), next in %.1f s", request.name, attempt, error, pause.total_seconds()
                )
            await self._clock.sleep(pause.total_seconds())

    async def _attempt(self, request: Request, read: Callable[[Json], T]) -> T:
        answer = await self._transport.send(request)
        log.debug("%s answered HTTP %d, %d bytes", request.name, answer.http_status, len(answer.content))
        body = settle(answer, request.name, self._clock.now())
        try:
            return read(body)
        except wire.WireError as error:
            status, content = answer.http_status, answer.content
            raise BadResponseError(str(error), http_status=status, content=content) from error


def token_of(refund: Followable) -> RefundToken:
    return refund if isinstance(refund, RefundToken) else refund.token


def only(states: list[RefundState], refund_code: str | None) -> RefundState:
    """The one refund that was asked for; without a code there has to be exactly one."""
    found = [state for state in states if refund_code in (None, state.refund_code)]
    if len(found) != 1:
        problem = f"{len(states)} refunds are listed, {len(found)} of them fit"
        raise BadResponseError(problem, http_status=200, content=b"")
    return found[0]


def unknown_outcome(error: AtlasRefundsError, subject: Submission, started: datetime) -> OutcomeUnknownError:
    """What is known after a submit without a clear answer; the refund's code, if it can be read at all, is kept."""
    content = error.content if isinstance(error, BadResponseError) else b""
    return OutcomeUnknownError(
        str(error),
        order=subject.order,
        offer_id=subject.offer_id,
        passengers=subject.passengers,
        at=started,
        refund_code=readable_refund_code(content),
        content=content,
    )
