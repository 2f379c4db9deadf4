"""`AtlasRefunds`: what a service awaits."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self, Unpack, overload

from atlas_refunds_api.models import RefundPassenger

from . import reconciling
from .arguments import ClientSettings, given, plain_function, says_what_to_give
from .asking import Asking
from .bodies import MAX_BODY
from .caller import Caller
from .calls import submission
from .clocks import Clock, SystemClock
from .credentials import CredentialsInForce, CredentialsSource
from .deviations import Note
from .errors import OutcomeUnknownError
from .events import Deviation, Emitter, Handler, log_event
from .followers import FollowsRefunds
from .limits import Pace, RateLimit
from .loading import connecting
from .orders import OrderRef
from .reconciling import Reconciliation, Verdict
from .results import Followable, Refund, RefundQuote, RefundState, only, token_of
from .retries import RetryPolicy
from .schedule import PollSchedule
from .settings import (
    Duration,
    Environment,
    Timeouts,
    call_limit,
    check_environment,
    checked_url,
    duration,
    from_environment,
)
from .submitting import OrderLocks, SubmitGuard, Submitter
from .tokens import RefundToken
from .transport import Transport

if TYPE_CHECKING:
    import ssl

    import aiohttp
    import httpx

    from .confirming import Confirmation
    from .notifications import UnverifiedNotification


class AtlasRefunds(FollowsRefunds):
    """The refund API of Atlas. Make one for your service, share it between tasks, close it at the end.

    `credentials` are a pair, or a function (plain or `async`) that returns the pair of now and is asked again after a
    900. `base_url` is the sandbox (SANDBOX_URL), your production address from ATRIP, or a simulator; plain http to
    another machine needs `allow_http`. `environment="sandbox"` refuses every other address than the sandbox and
    loopback, `"production"` refuses these. A `http_client` that you pass in, of httpx or (extra `[aiohttp]`) a session
    of aiohttp, is used as it is (proxies, hooks, HTTP/2) and never closed; then a submit cannot insist on a fresh
    connection. Raises ConfigurationError for settings that cannot work.
    """

    @says_what_to_give
    def __init__(
        self,
        credentials: CredentialsSource,
        *,
        base_url: str,
        http_client: "httpx.AsyncClient | aiohttp.ClientSession | None" = None,
        environment: Environment | None = None,
        allow_http: bool = False,
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
        self._credentials = in_force = CredentialsInForce(credentials)
        self._address = url = checked_url(base_url, allow_http=allow_http)
        check_environment(environment, url)
        limit = given("limit", limit, RateLimit)
        schedule = given("schedule", schedule, PollSchedule)
        emit = Emitter([log_event] if on_event is None else [log_event, plain_function("on_event", on_event)])
        super().__init__(schedule, limit.in_flight, clock or SystemClock(), emit)
        connect = connecting(url, http_client, limit.in_flight, max_answer, proxy, tls, trust_env)
        self._transport = Transport(url, connect)
        retry, pace = given("retry", retry, RetryPolicy), Pace(limit, self._clock)
        self._caller = Caller(self._transport, retry, pace, self._clock, emit)
        self._submitter = Submitter(self._caller, guard or OrderLocks(), self._clock, emit)
        limits = given("timeouts", timeouts, Timeouts)
        self._asking = Asking(self._caller, self._submitter, in_force, limits, emit)

    @classmethod
    def from_env(cls, **settings: Unpack[ClientSettings]) -> Self:
        """A client by ATLAS_CLIENT_ID, ATLAS_CLIENT_SECRET and ATLAS_BASE_URL, and ATLAS_ENVIRONMENT if it is set.

        `settings` as for the constructor; they go before the environment.
        """
        credentials, base_url, environment = from_environment()
        settings.setdefault("environment", environment)
        return cls(credentials, base_url=base_url, **settings)

    async def __aenter__(self) -> Self:
        self._transport.check_open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections. Calls after this raise ConfigurationError; calls in flight fail, see `drain`."""
        await self._transport.aclose()

    async def drain(self, timeout: Duration = timedelta(seconds=30)) -> bool:  # noqa: ASYNC109
        """Wait for the calls that are in flight now, submits above all; whether all of them ended in time.

        For a shutdown: take no more requests, stop following, drain, close. A submit that is cut off is an open
        question. `timeout` is a timedelta or seconds.
        """
        return await self._asking.drain(duration("timeout", timeout, least=timedelta()))

    # ---- the three calls ----------------------------------------------------------------------------------------
    async def quote(
        self,
        order: OrderRef,
        passengers: Iterable[RefundPassenger],
        *,
        display_currency: str | None = None,
        timeout: Duration | None = None,  # noqa: ASYNC109
    ) -> RefundQuote:
        """Ask what a refund would bring (refunds page, /refundQuotation.do). Changes nothing; may be repeated.

        Give every segment of the itinerary for each passenger, exactly as booked. `display_currency` (3-letter code)
        adds amounts in that currency. `timeout` (a timedelta or seconds) is for this call as a whole, repeats included,
        in place of the client's. Raises InvalidRequestError, NotSentError, NoAnswerError, BadResponseError, ApiError.
        """
        return await self._asking.quote(order, passengers, display_currency, limit=call_limit(timeout))

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
        return await self._asking.submit(subject)

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
        limit = self._asking.timeouts.submit
        patience = limit + reconciling.PATIENCE if patience is None else max(patience, limit)
        questions = reconciling.Questions(
            partial(self._asking.query, strict=True), partial(self._asking.quote, strict=True)
        )
        asked = reconciling.question(unknown, passengers or (), known)
        found = await reconciling.reconcile(questions, unknown, asked, patience, self._clock)
        if found.verdict is not Verdict.UNKNOWN:
            self._submitter.settled(unknown, patience, exists=found.verdict is Verdict.SUBMITTED)
        return found

    async def query(
        self,
        order: OrderRef,
        refund_code: str | None,
        *,
        display_currency: str | None = None,
        timeout: Duration | None = None,  # noqa: ASYNC109
    ) -> list[RefundState]:
        """The refunds of an order as Atlas lists them (refunds page, /queryRefundOrders.do). May be repeated.

        `refund_code` comes from the submit; None asks without one, which older versions allowed and today's page does
        not. An empty list is not an error. A refund of another order than the one that was asked for carries that
        order, and is told as a Deviation. `timeout` and what it raises are as for `quote`.
        """
        return await self._asking.query(order, refund_code, display_currency, limit=call_limit(timeout))

    async def get(
        self,
        order: OrderRef,
        refund_code: str | None,
        *,
        display_currency: str | None = None,
        timeout: Duration | None = None,  # noqa: ASYNC109
    ) -> RefundState:
        """Where one refund stands. May be repeated. Raises as `query`, and RefundNotFoundError if it is not listed."""
        states = await self.query(order, refund_code, display_currency=display_currency, timeout=timeout)
        return only(states, order, refund_code)

    # ---- webhooks -----------------------------------------------------------------------------------------------
    async def confirm(self, event: "UnverifiedNotification", refund: Followable) -> "Confirmation":
        """The truth about what a webhook claims, by query; the event itself is never believed. May be repeated.

        The event has no refund code: a second query, without one, tells whether the order has other refunds, where
        Atlas answers that. A status that is not the claimed one is in `agrees`, and reported as a Deviation. Raises
        InvalidRequestError when the event is about another order, otherwise as `get`.
        """
        from . import confirming  # loaded with the first webhook

        found = await confirming.confirm(self, event, token_of(refund))
        if found.agrees is False:
            at, kind, value = self._clock.now(), "not as the webhook claims", str(found.refund_status)
            self._emit(Deviation(at=at, operation="confirm", place="refundStatus", kind=kind, value=value))
        return found

    async def account(self) -> str:
        """Which account of Atlas this client speaks for: client id and address. No secret."""
        return f"{(await self._credentials.current()).client_id} at {self._address}"

    @property
    def deviations(self) -> Mapping[Note, int]:
        """How often Atlas sent what its specification does not allow, by place, kind and value. Each was told once."""
        return dict(self._caller.drift.counts)

    # ---- asking -------------------------------------------------------------------------------------------------
    async def _look(self, token: RefundToken, within: float | None = None) -> RefundState:
        states = await self._asking.query(token.order, token.refund_code, within=within)
        return only(states, token.order, token.refund_code)
