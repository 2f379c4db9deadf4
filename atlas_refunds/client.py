"""`AtlasRefunds`: what a service awaits."""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, overload
from weakref import WeakSet

from atlas_refunds_api.models import RefundPassenger

from . import polling, reconciling
from .bodies import MAX_BODY
from .caller import Caller
from .calls import Operation, Sent, everyone, prepare, query_body, quote_body, submission
from .clocks import Clock, SystemClock
from .deviations import Note
from .errors import ApiError, OutcomeUnknownError
from .events import Deviation, Emitter, Handler, log_event
from .following import Follower
from .limits import Pace, RateLimit
from .loading import Own, borrowed
from .orders import AirlinePnr, OrderRef, names_another
from .proxies import checked_proxy
from .reconciling import Reconciliation, Verdict
from .results import Followable, Refund, RefundQuote, RefundState, listed, only, token_of
from .retries import RetryPolicy
from .schedule import PollSchedule
from .settings import Credentials, Timeouts, checked_url, from_environment
from .statuses import PaymentMode
from .submitting import OrderLocks, SubmitGuard, Submitter
from .tokens import RefundToken
from .transport import Request, Transport

if TYPE_CHECKING:
    import ssl

    import aiohttp
    import httpx

    from .confirming import Confirmation
    from .notifications import UnverifiedNotification

DEFAULT_WAIT: Final = timedelta(days=90)


class AtlasRefunds:
    """The refund API of Atlas. Make one for your service, share it between tasks, close it at the end.

    `base_url` is the sandbox (SANDBOX_URL), your production address from ATRIP, or a simulator. A `http_client` that
    you pass in, of httpx or (extra `[aiohttp]`) a session of aiohttp, is used as it is (proxies, hooks, HTTP/2) and
    never closed; then a submit cannot insist on a fresh connection. Raises ConfigurationError for settings that cannot
    work.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        base_url: str,
        http_client: "httpx.AsyncClient | aiohttp.ClientSession | None" = None,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        schedule: PollSchedule | None = None,
        limit: RateLimit | None = None,
        guard: SubmitGuard | None = None,
        on_event: Handler | None = None,
        clock: Clock | None = None,
        proxy: str | None = None,
        tls: "ssl.SSLContext | None" = None,
        trust_env: bool = True,
        max_answer: int = MAX_BODY,
    ) -> None:
        self._credentials = credentials
        self._timeouts = timeouts or Timeouts()
        self._schedule = schedule or PollSchedule()
        self._clock = clock or SystemClock()
        self._emit = Emitter([log_event] if on_event is None else [log_event, on_event])
        limit = limit or RateLimit()
        self._in_flight = limit.in_flight
        self._alarms = polling.Alarms()
        self._followers: WeakSet[Follower] = WeakSet()
        url = checked_url(base_url)
        self._transport = Transport(
            url,
            Own(url, limit.in_flight, max_answer, proxy and checked_proxy(proxy), tls, trust_env)
            if http_client is None
            else partial(borrowed, http_client, max_answer),
        )
        pace = Pace(limit, self._clock)
        self._caller = Caller(self._transport, retry or RetryPolicy(), pace, self._clock, self._emit)
        self._submitter = Submitter(self._caller, guard or OrderLocks(), self._clock, self._emit)

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
        return await self._quote(order, passengers, display_currency)

    async def _quote(
        self,
        order: OrderRef,
        passengers: Iterable[RefundPassenger],
        display_currency: str | None = None,
        *,
        strict: bool = False,
    ) -> RefundQuote:
        people = everyone(passengers)
        body = quote_body(order, people, display_currency)

        def read(answer: dict[str, Any]) -> RefundQuote:
            return RefundQuote.from_dict(answer, order=order, passengers=people, requested_currency=display_currency)

        quote = await self._caller.call(self._prepare(Operation.QUOTE, body), read, strict=strict)
        if isinstance(order, AirlinePnr) and quote.order_no:
            self._submitter.learn(order, quote.order_no)
        self._compare(order, quote.order_no, "quote")
        return quote

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
        subject = self._submitter.recognised(subject)
        return await self._submitter.submit(subject, self._prepare(Operation.SUBMIT, subject.body()))

    @property
    def unsettled(self) -> tuple[OutcomeUnknownError, ...]:
        """Submits through this client whose outcome their caller does not know, in the order of their ends.

        Also those that were cancelled, by `asyncio.timeout` for instance: this is how to learn of them, with
        `refund_code` where an answer had come. `reconcile` takes off what it settles; with 100,000 open ones nothing
        more is submitted. A process that is killed takes them along, so keep intents in your own database (see
        SubmitGuard).
        """
        return tuple(self._submitter.unsettled)

    async def reconcile(
        self,
        unknown: OutcomeUnknownError,
        *,
        passengers: Iterable[RefundPassenger] | None = None,
        patience: timedelta | None = None,
        known: Iterable[str] = (),
    ) -> Reconciliation:
        """Find out what became of a submit. Never submits; may be repeated, also after a restart.

        Asks for the order's refunds (by code if one was read, and without), then for a fresh quote, and decides by the
        table in docs/submitting.md. SUBMITTED means that Atlas lists the refund, or refuses the quote because a request
        exists (803, 816 to 818); NOT_SUBMITTED that it is proven, so that you can submit again; UNKNOWN, with the
        refunds that may be it in `candidates`, everything else.

        `patience` counts from the moment after which nothing of the submit can have left: by default the time limit of
        a submit and five minutes more, the time limit at the least. `known` are codes of refunds that the order had
        before. Give `passengers` when the submit was by an offer id alone, for nothing can be quoted without them.
        Raises InvalidRequestError for other passengers than those who were submitted.

        Proven against the simulator only. By Atlas' documents alone rest: the query without a code (allowed until
        2024, today's page requires one; then Atlas answers 810 and the quote decides) and code 803 on a quote.
        """
        limit = self._timeouts.submit
        patience = limit + reconciling.PATIENCE if patience is None else max(patience, limit)
        questions = reconciling.Questions(partial(self._list, strict=True), partial(self._quote, strict=True))
        asked = reconciling.question(unknown, passengers or (), known)
        found = await reconciling.reconcile(questions, unknown, asked, patience, self._clock)
        if found.verdict is not Verdict.UNKNOWN:
            self._submitter.settled(unknown, patience, exists=found.verdict is Verdict.SUBMITTED)
        return found

    async def query(
        self, order: OrderRef, refund_code: str | None, *, display_currency: str | None = None
    ) -> list[RefundState]:
        """The refunds of an order as Atlas lists them (refunds page, /queryRefundOrders.do). May be repeated.

        `refund_code` comes from the submit; None asks without one, which older versions allowed and today's page does
        not. An empty list is not an error. A refund of another order than the one that was asked for carries that
        order, and is told as a Deviation. Raises as `quote`.
        """
        return await self._list(order, refund_code, display_currency)

    async def get(
        self, order: OrderRef, refund_code: str | None, *, display_currency: str | None = None
    ) -> RefundState:
        """Where one refund stands. May be repeated. Raises as `query`, and BadResponseError when it is not listed."""
        return only(await self.query(order, refund_code, display_currency=display_currency), order, refund_code)

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
            emit=self._emit,
            alarms=self._alarms,
        )

    def follow(
        self,
        tokens: Iterable[RefundToken] = (),
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
            tokens=tokens,
            schedule=schedule or self._schedule,
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
        if event.order_no is not None:
            self._alarms.ring(event.order_no)
            for follower in self._followers:
                follower.wake(event.order_no)

    async def confirm(self, event: "UnverifiedNotification", refund: Followable) -> "Confirmation":
        """The truth about what a webhook claims, by query; the event itself is never believed. May be repeated.

        The event has no refund code: a second query, without one, tells whether the order has other refunds, where
        Atlas answers that. A status that is not the claimed one is in `agrees`, and reported as a Deviation. Raises
        InvalidRequestError when the event is about another order, otherwise as `get`.
        """
        from .confirming import check_order, confirmation  # loaded with the first webhook

        token = token_of(refund)
        state = await self._look(token)
        check_order(event, state, token)
        try:
            others = await self.query(token.order, None)
        except ApiError:  # today's page wants a code
            others = None
        found = confirmation(event, state, others)
        if found.agrees is False:
            at, value = self._clock.now(), str(state.refund_status)
            kind = "not as the webhook claims"
            self._emit(Deviation(at=at, operation="confirm", place="refundStatus", kind=kind, value=value))
        return found

    def _compare(self, asked: OrderRef, answered: str | None, operation: str) -> None:
        """The published samples show another order number in the answer: noticed, not refused."""
        if names_another(answered, asked):
            self._emit(Deviation(at=self._clock.now(), operation=operation, place="orderNo", kind="another order"))

    @property
    def deviations(self) -> Mapping[Note, int]:
        """How often Atlas sent what its specification does not allow, by place, kind and value. Each was told once."""
        return dict(self._caller.drift.counts)

    # ---- asking -------------------------------------------------------------------------------------------------
    def _prepare(self, operation: Operation, body: Sent) -> Request:
        return prepare(operation, body, self._credentials, self._timeouts)

    async def _look(self, token: RefundToken, within: float | None = None) -> RefundState:
        request = self._prepare(Operation.QUERY, query_body(token.order, token.refund_code, None))
        return only(await self._query(token.order, request, within), token.order, token.refund_code)

    async def _list(
        self, order: OrderRef, refund_code: str | None, display_currency: str | None = None, *, strict: bool = False
    ) -> list[RefundState]:
        request = self._prepare(Operation.QUERY, query_body(order, refund_code, display_currency))
        return await self._query(order, request, strict=strict)

    async def _query(
        self, order: OrderRef, request: Request, within: float | None = None, *, strict: bool = False
    ) -> list[RefundState]:
        read = partial(listed, asked=order, strict=strict)
        states = await self._caller.call(request, read, within=within, strict=strict)
        for state in states:
            self._compare(order, state.order_no, "query")
        return states
