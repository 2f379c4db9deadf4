"""Finding out what became of a submit, without ever repeating it."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import Enum
from typing import Final, Protocol

import attrs
from atlas_refunds_api.models import RefundPassenger
from atlas_refunds_api.types import Model

from .clocks import Clock
from .errors import AlreadySubmittedError, ApiError, AtlasRefundsError, OutcomeUnknownError, SubmissionInProgressError
from .orders import OrderRef
from .polling import is_passing
from .results import RefundQuote, RefundState
from .tokens import RefundToken

LOOK_AGAIN: Final = timedelta(seconds=10)


class Verdict(Enum):
    """What became of a submit, as far as it can be known."""

    SUBMITTED = "submitted"
    NOT_SUBMITTED = "not submitted"
    UNKNOWN = "unknown"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Reconciliation(Model):
    """What `reconcile` found, and what that rests on."""

    verdict: Verdict
    evidence: str
    """What was seen, in words."""
    state: RefundState | None = None
    """The refund, where it could be read; None when only its existence is known."""

    @property
    def token(self) -> RefundToken | None:
        """To follow the refund with."""
        return None if self.state is None else self.state.token


class Questions(Protocol):
    """The two calls that change nothing."""

    async def query(self, order: OrderRef, refund_code: str | None) -> list[RefundState]: ...

    async def quote(self, order: OrderRef, passengers: Iterable[RefundPassenger]) -> RefundQuote: ...


async def reconcile(
    atlas: Questions,
    unknown: OutcomeUnknownError,
    passengers: Sequence[RefundPassenger],
    patience: timedelta,
    clock: Clock,
) -> Reconciliation:
    """Look until there is a verdict; "not submitted" only after `patience` has passed since the submit."""
    until = unknown.at + patience
    while True:
        left = (until - clock.now()).total_seconds()
        found = await look(atlas, unknown, passengers)
        if left <= 0 or found.verdict is Verdict.SUBMITTED:
            return found
        await clock.sleep(min(left, LOOK_AGAIN.total_seconds()))


async def look(atlas: Questions, unknown: OutcomeUnknownError, passengers: Sequence[RefundPassenger]) -> Reconciliation:
    """One round: the list of the order's refunds, then a fresh quote as a probe."""
    try:
        listed = await atlas.query(unknown.order, unknown.refund_code)
    except ApiError:
        listed = []  # today's page wants a code; the probe decides
    except AtlasRefundsError as error:
        return undecided(f"the query failed: {error}")
    if state := the_one(listed, unknown, passengers):
        return Reconciliation(verdict=Verdict.SUBMITTED, evidence="Atlas lists the refund", state=state)
    if unknown.refund_code:
        return Reconciliation(verdict=Verdict.SUBMITTED, evidence="the submit's answer named a refund code")
    if not passengers:
        return undecided("the order's refunds are not listed, and without passengers there is nothing to quote")
    return await probe(atlas, unknown, passengers)


async def probe(
    atlas: Questions, unknown: OutcomeUnknownError, passengers: Sequence[RefundPassenger]
) -> Reconciliation:
    """A fresh quote changes nothing, and is refused where a refund request exists."""
    try:
        await atlas.quote(unknown.order, passengers)
    except AlreadySubmittedError as error:
        return Reconciliation(verdict=Verdict.SUBMITTED, evidence=f"a fresh quote is refused with code {error.code}")
    except SubmissionInProgressError:
        return undecided("a submission is still in progress")
    except AtlasRefundsError as error:
        why = "fails" if is_passing(error) else "is refused"
        return undecided(f"a fresh quote {why}: {error}")
    return Reconciliation(verdict=Verdict.NOT_SUBMITTED, evidence="no refund is listed, and a fresh quote is given")


def the_one(
    listed: Iterable[RefundState], unknown: OutcomeUnknownError, passengers: Sequence[RefundPassenger]
) -> RefundState | None:
    """The refund that the submit made: by code, by offer, or by its passengers if it is the only open one of theirs."""
    if unknown.refund_code:
        return next((state for state in listed if state.refund_code == unknown.refund_code), None)
    if unknown.offer_id:
        return next((state for state in listed if state.refund_offer_id == unknown.offer_id), None)
    names = {(person.last_name, person.first_name) for person in passengers}
    theirs = [
        state
        for state in listed
        if {(ticket.last_name, ticket.first_name) for ticket in state.refund_tickets} == names
        and (state.is_refunded or not state.is_final)
    ]
    return theirs[0] if len(theirs) == 1 else None


def undecided(evidence: str) -> Reconciliation:
    return Reconciliation(verdict=Verdict.UNKNOWN, evidence=evidence)
