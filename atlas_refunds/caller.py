"""One call, as often as it may be sent: turn, attempt, answer, repeat."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeAlias, TypeVar

import attrs
from atlas_refunds_api.types import Deviations, WireError

from . import polling
from .clocks import Clock
from .codes import NAMES_WHAT_IS_WRONG, SUCCESS, Advice
from .deviations import DriftWatch, Note
from .envelope import Answer, request_id_of, settle
from .errors import (
    ApiError,
    AtlasRefundsError,
    BadResponseError,
    NoAnswerError,
    NotSentError,
    RateLimitedError,
)
from .events import Attempt, Emitter, Outcome, Pause
from .limits import Pace
from .retries import RetryPolicy
from .transport import Request, Transport
from .words import is_harmless

T = TypeVar("T")
Read: TypeAlias = Callable[[dict[str, Any], str | None], T]
"""Makes the result of a decoded body and Atlas' id of the request."""

OUTCOMES: dict[type[BaseException], Outcome] = {
    ApiError: Outcome.REFUSED,
    BadResponseError: Outcome.UNREADABLE,
    NoAnswerError: Outcome.NO_ANSWER,
    NotSentError: Outcome.NOT_SENT,
}


class Caller:
    """Sends requests until they are answered, or may not be repeated any more."""

    def __init__(self, transport: Transport, retry: RetryPolicy, pace: Pace, clock: Clock, emit: Emitter) -> None:
        self._transport, self._retry, self._pace, self.clock, self._emit = transport, retry, pace, clock, emit
        self.drift = DriftWatch(emit, clock)

    async def call(self, request: Request, read: Read[T], *, within: float | None = None, strict: bool = False) -> T:
        """The answer, read. `within` bounds all attempts together, in seconds; `strict` is for what proves something.

        Raises what the last attempt raised, with the list of all attempts in `.attempts`, or NotSentError when its turn
        does not come within the time limit of the request.
        """
        policy, began = self._retry, self.clock.monotonic()
        until = None
        if within is not None:
            within = min(max(within, 0.001), 86_400)
            policy = attrs.evolve(policy, deadline=min(policy.deadline, timedelta(seconds=within)))
            until = began + within
        attempts: list[Attempt] = []
        while True:
            bounded = self._bounded(request, until)
            seconds = await self._pace.turn(
                request.name,
                once=request.once,
                within=bounded.timeout.total_seconds(),
                waits=partial(self._pause, request, "limit"),
            )
            try:
                return await self._in_turn(bounded, read, attempts, seconds, strict)
            except AtlasRefundsError as error:
                error.attempts = tuple(attempts)
                if isinstance(error, RateLimitedError):
                    self._pace.slow_down(error)
                wait = policy.wait(
                    error,
                    once=request.once,
                    attempt=len(attempts),
                    elapsed=timedelta(seconds=self.clock.monotonic() - began),
                    roll=polling.roll(),
                )
                if wait is None:
                    raise
            self._pause(request, "retry", wait.total_seconds())
            await self.clock.sleep(wait.total_seconds())

    def _bounded(self, request: Request, until: float | None) -> Request:
        if until is None:
            return request
        left = timedelta(seconds=max(until - self.clock.monotonic(), 0.001))
        return attrs.evolve(request, timeout=min(request.timeout, left))

    async def _in_turn(
        self, request: Request, read: Read[T], attempts: list[Attempt], seconds: float, strict: bool
    ) -> T:
        if seconds < request.timeout.total_seconds():  # waiting for the turn took its part
            request = attrs.evolve(request, timeout=timedelta(seconds=max(seconds, 0.001)))
        try:
            return await self._attempt(request, read, attempts, strict)
        finally:
            self._pace.slots.release()

    async def _attempt(self, request: Request, read: Read[T], attempts: list[Attempt], strict: bool) -> T:
        at, began = self.clock.now(), self.clock.monotonic()
        failure: BaseException | None = None
        answer: Answer | None = None
        try:
            answer = await self._transport.send(request)
            before = Deviations.count
            found = understood(answer, request, read, at, strict=strict)
            if Deviations.count != before:
                self.drift.look(request.name, found)
            return found
        except BaseException as error:
            failure = error
            raise
        finally:
            attempt = Attempt(
                at=at,
                operation=request.name,
                number=len(attempts) + 1,
                url=self._transport.url(request),
                seconds=self.clock.monotonic() - began,
                outcome=outcome_of(failure),
                http_status=answer.http_status if answer else getattr(failure, "http_status", None),
                code=failure.code if isinstance(failure, ApiError) else None if failure else SUCCESS,
                error=type(failure).__name__ if failure else None,
                reason=str(failure) if isinstance(failure, AtlasRefundsError) else None,
            )
            attempts.append(attempt)
            self._emit(attempt)
            if isinstance(failure, ApiError) and failure.advice is Advice.UNKNOWN and failure.code is not None:
                self.drift.note(request.name, Note("status", "unlisted code", str(failure.code)))

    def _pause(self, request: Request, reason: str, seconds: float) -> None:
        self._emit(Pause(at=self.clock.now(), operation=request.name, reason=reason, seconds=seconds))


def understood(answer: Answer, request: Request, read: Read[T], now: datetime, *, strict: bool = False) -> T:
    """The typed answer. Raises ApiError or BadResponseError; no frame of the traceback holds what Atlas wrote."""
    try:
        return read(*settled(answer, request, now, strict=strict))
    except ApiError as error:
        told(error, request)
        raise
    except WireError as error:
        problem = str(error)
    raise BadResponseError(problem, http_status=answer.http_status, content=answer.content)


def settled(answer: Answer, request: Request, now: datetime, *, strict: bool) -> tuple[dict[str, Any], str | None]:
    """The body of a success, and Atlas' id of the request. What proves something comes with HTTP 200."""
    body = settle(answer, request.name, now, strict=strict or request.once, submits=request.once)
    if strict and answer.http_status != 200:
        raise WireError("HTTP 200", "another success")
    return body, request_id_of(body, answer.headers)


def told(error: ApiError, request: Request) -> None:
    """Add Atlas' own words to the text, where they say which parameter is wrong and hold nothing of anybody."""
    if error.code in NAMES_WHAT_IS_WRONG and error.message and is_harmless(error.message, request.content):
        error.args = (f'{error}; Atlas says "{error.message}"',)


def outcome_of(failure: BaseException | None) -> Outcome:
    if failure is None:
        return Outcome.SUCCESS
    return next((outcome for kind, outcome in OUTCOMES.items() if isinstance(failure, kind)), Outcome.INTERRUPTED)
