"""One call with the credentials of now, repeated once with new ones, and known to be in flight until it ends."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import attrs

from .caller import Caller, Read
from .calls import Operation, Sent, Submission, prepare
from .credentials import CredentialsInForce
from .errors import AtlasRefundsError, AuthenticationError
from .results import Refund
from .settings import Credentials, Timeouts
from .submitting import Submitter
from .transport import Request

T = TypeVar("T")


class Asking:
    """What `AtlasRefunds` sends its calls through."""

    def __init__(
        self, caller: Caller, submitter: Submitter, credentials: CredentialsInForce, timeouts: Timeouts
    ) -> None:
        self._caller, self._submitter, self._credentials, self.timeouts = caller, submitter, credentials, timeouts
        self._in_flight: set[asyncio.Event] = set()

    async def ask(
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

    async def submit(self, subject: Submission) -> Refund:
        """Never repeated here; after refused credentials the next call asks for new ones."""
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
