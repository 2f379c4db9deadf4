"""One call with the credentials of now, repeated once with new ones, and known to be in flight until it ends."""

import asyncio
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import attrs
from atlas_refunds_api.models import RefundPassenger

from .caller import Caller, Read
from .calls import Operation, Sent, Submission, everyone, prepare, query_body, quote_body
from .credentials import CredentialsInForce
from .errors import AtlasRefundsError, AuthenticationError
from .events import Deviation, Emitter
from .orders import AirlinePnr, OrderRef, names_another
from .results import Refund, RefundQuote, RefundState, listed
from .settings import Credentials, Timeouts
from .submitting import Submitter
from .transport import Request

T = TypeVar("T")


class Asking:
    """What `AtlasRefunds` sends its calls through."""

    def __init__(
        self,
        caller: Caller,
        submitter: Submitter,
        credentials: CredentialsInForce,
        timeouts: Timeouts,
        emit: Emitter,
    ) -> None:
        self._caller, self._submitter, self._credentials = caller, submitter, credentials
        self.timeouts, self._emit = timeouts, emit
        self._in_flight: set[asyncio.Event] = set()

    async def _ask(
        self,
        operation: Operation,
        body: Sent,
        read: Read[T],
        *,
        limit: timedelta | None = None,
        within: float | None = None,
        strict: bool = False,
    ) -> T:
        """A quote or a query. `limit` stands in place of the client's time limit, and bounds all attempts together."""
        if limit is not None:
            within = limit.total_seconds()
        with self._flight():
            used = await self._credentials.current()
            began = self._caller.clock.monotonic()
            try:
                return await self._caller.call(
                    self._request(operation, body, used, limit), read, within=within, strict=strict
                )
            except AuthenticationError as error:
                if not self._credentials.are_refused(used, error):
                    raise
                refused = error
            fresh = await self._credentials.current()
            if fresh == used:
                raise refused
            try:
                left = within and within - (self._caller.clock.monotonic() - began)
                return await self._caller.call(
                    self._request(operation, body, fresh, limit), read, within=left, strict=strict
                )
            except AtlasRefundsError as error:
                error.attempts = (*refused.attempts, *error.attempts)
                raise

    async def quote(
        self,
        order: OrderRef,
        passengers: Iterable[RefundPassenger],
        currency: str | None = None,
        *,
        limit: timedelta | None = None,
        strict: bool = False,
    ) -> RefundQuote:
        people = everyone(passengers)

        def read(answer: dict[str, Any], request_id: str | None) -> RefundQuote:
            known = {"order": order, "passengers": people, "requested_currency": currency}
            return RefundQuote.from_dict(answer, **known, request_id=request_id)

        body = quote_body(order, people, currency)
        quote = await self._ask(Operation.QUOTE, body, read, limit=limit, strict=strict)
        if isinstance(order, AirlinePnr) and quote.order_no:
            self._submitter.learn(order, quote.order_no)
        self._compare(order, quote.order_no, "quote")
        return quote

    async def query(
        self,
        order: OrderRef,
        refund_code: str | None,
        currency: str | None = None,
        *,
        limit: timedelta | None = None,
        within: float | None = None,
        strict: bool = False,
    ) -> list[RefundState]:
        body, read = query_body(order, refund_code, currency), partial(listed, asked=order, strict=strict)
        states = await self._ask(Operation.QUERY, body, read, limit=limit, within=within, strict=strict)
        for state in states:
            self._compare(order, state.order_no, "query")
        return states

    def _compare(self, asked: OrderRef, answered: str | None, operation: str) -> None:
        """The published samples show another order number in the answer: noticed, not refused."""
        if names_another(answered, asked):
            at = self._caller.clock.now()
            self._emit(Deviation(at=at, operation=operation, place="orderNo", kind="another order"))

    async def submit(self, subject: Submission) -> Refund:
        """Never repeated here; after refused credentials the next call asks for new ones."""
        subject = self._submitter.recognised(subject)
        body = subject.body()
        with self._flight():
            used = await self._credentials.current()
            try:
                return await self._submitter.submit(subject, self._request(Operation.SUBMIT, body, used, None))
            except AuthenticationError as error:
                self._credentials.are_refused(used, error)
                raise

    def _request(self, operation: Operation, body: Sent, credentials: Credentials, limit: timedelta | None) -> Request:
        request = prepare(operation, body, credentials, self.timeouts)
        return request if limit is None else attrs.evolve(request, timeout=limit)

    # ---- shutting down ------------------------------------------------------------------------------------------
    @contextmanager
    def _flight(self) -> Generator[None]:
        ended = asyncio.Event()
        self._in_flight.add(ended)
        try:
            yield
        finally:
            self._in_flight.discard(ended)
            ended.set()

    async def drain(self, limit: timedelta) -> bool:
        """Whether all calls that are in flight now ended in time."""
        calls = tuple(self._in_flight)
        try:
            async with asyncio.timeout(limit.total_seconds()):
                for ended in calls:
                    await ended.wait()
        except TimeoutError:
            pass
        return all(ended.is_set() for ended in calls)
