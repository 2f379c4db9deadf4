"""Finding out what became of a submit, without ever repeating it.

`decide` is the table of docs/submitting.md; what is around it asks, and waits.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from enum import Enum
from itertools import product
from typing import Final, NamedTuple

import attrs
from atlas_refunds_api.models import RefundPassenger
from atlas_refunds_api.types import Model

from .clocks import Clock
from .errors import (
    AlreadySubmittedError,
    ApiError,
    AtlasRefundsError,
    InvalidRequestError,
    OutcomeUnknownError,
    SubmissionInProgressError,
)
from .names import is_named, letters, may_be_same, name_of
from .orders import OrderRef
from .results import ENVELOPE_EXTRAS, RefundQuote, RefundState
from .tokens import RefundToken

PATIENCE: Final = timedelta(minutes=5)
"""Beyond the time limit of a submit."""
LOOK_AGAIN: Final = 10.0, 60.0
"""Seconds between two rounds: the first pause, and the longest that it doubles to."""
WANTS_A_CODE: Final = frozenset((100, 810, 901))
"""What today's page answers to a query without a refund code."""


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
    """The refund, where Atlas lists it; None when only its existence is known."""
    candidates: tuple[RefundState, ...] = ()
    """The listed refunds that are this one, or may be."""

    @property
    def token(self) -> RefundToken | None:
        """To follow the refund with; None where Atlas lists it without a code."""
        return self.state.token if self.state is not None and self.state.refund_code else None


# ---- what is asked, and what is seen ---------------------------------------------------------------------------------
@attrs.frozen(kw_only=True, eq=False, repr=False)
class Question(Model):
    """The submit that is looked for."""

    order: OrderRef
    order_no: str | None
    """None where the order is known by its PNR alone."""
    offer_id: str | None
    refund_code: str | None
    """From an answer that cannot be trusted."""
    passengers: tuple[RefundPassenger, ...] = attrs.field(repr=False)
    known: frozenset[str]
    """Codes of refunds that existed before the submit."""


def question(unknown: OutcomeUnknownError, passengers: Iterable[RefundPassenger], known: Iterable[str]) -> Question:
    """Raises InvalidRequestError for other passengers than the submitted ones: a quote for them proves nothing."""
    people = tuple(passengers) or unknown.passengers
    if unknown.passengers and set(map(name_of, people)) != set(map(name_of, unknown.passengers)):
        raise InvalidRequestError("reconcile: give the passengers that were submitted, or none")
    return Question(
        order=unknown.order,
        order_no=unknown.order_no,
        offer_id=unknown.offer_id,
        refund_code=unknown.refund_code,
        passengers=people,
        known=frozenset((known,) if isinstance(known, str) else known),
    )


@attrs.frozen(eq=False, repr=False)
class Listing(Model):
    """The order's refunds; empty also where Atlas wants a code."""

    refunds: tuple[RefundState, ...] = ()
    failed: str | None = None
    """Why it could not be read."""


class Offer(Enum):
    """What a fresh quote, which changes nothing, says about the submit."""

    GIVEN = "given"
    """For this order, refundable, with an offer id: no refund request exists."""
    DUPLICATE = "duplicate"
    """Refused, for a refund request exists."""
    UNCLEAR = "unclear"
    """Everything else."""


@attrs.frozen(eq=False, repr=False)
class Probe(Model):
    offer: Offer
    why: str


# ---- the decision ----------------------------------------------------------------------------------------------------
def decide(asked: Question, listing: Listing, probe: Probe, *, patient: bool) -> Reconciliation:
    """The first row that applies. `patient`: nothing of the submit can be on its way any more."""
    candidates = tuple(refund for refund in listing.refunds if not is_excluded(refund, asked))
    state = the_one(candidates, asked)
    given = probe.offer is Offer.GIVEN
    rows = (
        (state is not None, Verdict.SUBMITTED, "Atlas lists the refund"),
        (bool(candidates), Verdict.UNKNOWN, f"Atlas lists refunds that may be this one: {len(candidates)}"),
        (
            probe.offer is Offer.DUPLICATE and bool(asked.known),
            Verdict.UNKNOWN,
            f"{probe.why}, which a refund that was known before may explain",
        ),
        (probe.offer is Offer.DUPLICATE, Verdict.SUBMITTED, probe.why),
        (
            given and listing.failed is None and asked.refund_code is None and patient,
            Verdict.NOT_SUBMITTED,
            "no refund is listed that can be this one, and a fresh quote is given",
        ),
        (not given, Verdict.UNKNOWN, probe.why),
        (listing.failed is not None, Verdict.UNKNOWN, f"the order's refunds cannot be listed: {listing.failed}"),
        (asked.refund_code is not None, Verdict.UNKNOWN, "the submit's answer named a refund code that is not listed"),
        (True, Verdict.UNKNOWN, "nothing is listed and a quote is given, but the submit may still be on its way"),
    )
    verdict, evidence = next((verdict, evidence) for applies, verdict, evidence in rows if applies)
    return Reconciliation(verdict=verdict, evidence=evidence, state=state, candidates=candidates)


def is_excluded(refund: RefundState, asked: Question) -> bool:
    """Whether a listed refund is certainly another one; its status, another offer and another order number, which the
    published answers show too, prove nothing."""
    all_are_read = len(refund.raw.get("refundTickets") or ()) == len(refund.refund_tickets)
    strangers = bool(refund.refund_tickets and asked.passengers and all_are_read) and not any(
        may_be_same(ticket, person) for ticket, person in product(refund.refund_tickets, asked.passengers)
    )
    return (strangers or refund.refund_code in asked.known) and not has_its_offer(refund, asked)


def the_one(candidates: tuple[RefundState, ...], asked: Question) -> RefundState | None:
    """The refund that the submit made: by its code or its offer; or the only candidate, open or paid, of just its
    passengers."""
    proven = [refund for refund in candidates if has_its_code(refund, asked) or has_its_offer(refund, asked)]
    if any(is_of_another_order(refund, asked) for refund in proven):
        return None
    if proven or len(candidates) != 1:
        return proven[0] if len(proven) == 1 else None
    (only,) = candidates
    names = {name_of(person) for person in asked.passengers}
    closed = only.is_final and not only.is_refunded
    of_another_offer = bool(only.refund_offer_id and asked.offer_id)
    theirs = bool(names) and {name_of(ticket) for ticket in only.refund_tickets} == names
    return only if theirs and not (closed or of_another_offer or is_of_another_order(only, asked)) else None


def is_of_another_order(refund: RefundState, asked: Question) -> bool:
    return len({letters(refund.order_no), letters(asked.order_no)} - {""}) > 1


def has_its_code(refund: RefundState, asked: Question) -> bool:
    return asked.refund_code is not None and refund.refund_code == asked.refund_code


def has_its_offer(refund: RefundState, asked: Question) -> bool:
    offers = letters(refund.refund_offer_id), letters(asked.offer_id)
    return offers[0] == offers[1] != ""


# ---- asking ----------------------------------------------------------------------------------------------------------
class Questions(NamedTuple):
    """The two calls that change nothing, both read strictly: an answer that says two things proves nothing."""

    query: Callable[[OrderRef, str | None], Awaitable[list[RefundState]]]
    quote: Callable[[OrderRef, Iterable[RefundPassenger]], Awaitable[RefundQuote]]


async def reconcile(
    atlas: Questions, unknown: OutcomeUnknownError, asked: Question, patience: timedelta, clock: Clock
) -> Reconciliation:
    """Look until there is a verdict; "not submitted" only after `patience` has passed since the last attempt.

    It has to have passed by the wall clock and by the monotonic one: either can be set, or stand still. A wall clock
    that is set back lengthens the wait to twice `patience` at most.
    """
    until, now = unknown.left + patience, clock.monotonic()
    by_wall = (until - clock.now()).total_seconds()
    until_monotonic = max(
        now + by_wall,
        now if unknown.left_monotonic is None else unknown.left_monotonic + patience.total_seconds(),
    )
    longest_wait = patience.total_seconds() + min(max(by_wall, 0), patience.total_seconds())
    pause, longest = LOOK_AGAIN
    while True:
        left = max((until - clock.now()).total_seconds(), until_monotonic - clock.monotonic())
        may_wait = now + longest_wait - clock.monotonic()
        found = decide(asked, *await look(atlas, asked), patient=left <= 0)
        if left <= 0 or may_wait <= 0 or found.verdict is Verdict.SUBMITTED:
            return found
        await clock.sleep(min(left, may_wait, pause))
        pause = min(2 * pause, longest)


async def look(atlas: Questions, asked: Question) -> tuple[Listing, Probe]:
    """One round. The quote comes last: it sees what was executed meanwhile."""
    if asked.refund_code is not None:
        by_code = await listed(atlas, asked, asked.refund_code)
        if any(has_its_code(refund, asked) and not is_excluded(refund, asked) for refund in by_code.refunds):
            return by_code, Probe(Offer.UNCLEAR, "no quote was asked for")
    listing = await listed(atlas, asked, None)
    if any(not is_excluded(refund, asked) for refund in listing.refunds):
        return listing, Probe(Offer.UNCLEAR, "no quote was asked for")
    return listing, await probe(atlas, asked)


async def listed(atlas: Questions, asked: Question, refund_code: str | None) -> Listing:
    try:
        return Listing(tuple(await atlas.query(asked.order, refund_code)))
    except AtlasRefundsError as error:
        return Listing(failed=None if wants_a_code(error) else str(error))


def wants_a_code(error: AtlasRefundsError) -> bool:
    """Refused for want of a refund code, and nothing else is said."""
    if not isinstance(error, ApiError) or error.code not in WANTS_A_CODE or error.http_status // 100 != 2:
        return False
    said = {member for member, value in error.raw.items() if value not in (None, "", [])}
    return said <= {"status", "msg"} | ENVELOPE_EXTRAS


async def probe(atlas: Questions, asked: Question) -> Probe:
    """A fresh quote is refused where a refund request exists."""
    if not asked.passengers:
        return Probe(Offer.UNCLEAR, "the order's refunds are not listed, and without passengers there is no quote")
    try:
        quote = await atlas.quote(asked.order, asked.passengers)
    except AlreadySubmittedError as error:
        if error.http_status // 100 != 2:
            return Probe(Offer.UNCLEAR, f"a fresh quote is refused with code {error.code} under an HTTP error")
        return Probe(Offer.DUPLICATE, f"a fresh quote is refused with code {error.code}")
    except SubmissionInProgressError:
        return Probe(Offer.UNCLEAR, "a submission is still in progress")
    except AtlasRefundsError as error:
        return Probe(Offer.UNCLEAR, f"a fresh quote is not given: {error}")
    return judged(quote, asked)


def judged(quote: RefundQuote, asked: Question) -> Probe:
    """What a quote proves that Atlas answered with success."""
    named = all(any(is_named(ticket, person) for ticket in quote.refund_tickets) for person in asked.passengers)
    offer_id: object = quote.raw.get("refundOfferId")
    doubts = (
        (quote.raw.get("status").__class__ is not int, "does not say success with the number 0"),
        (bool(quote.extra.keys() - ENVELOPE_EXTRAS), "says more than a quote does"),
        (not quote.order_no or asked.order_no not in (None, quote.order_no), "is not about this order"),
        (not named, "does not name all passengers"),
        (quote.raw.get("isRefundable") is not True, "does not say that there is something to refund"),
        (not isinstance(offer_id, str) or not offer_id.strip(), "has no offer id"),
    )
    doubt = next((words for applies, words in doubts if applies), None)
    return (
        Probe(Offer.GIVEN, "a fresh quote is given")
        if doubt is None
        else Probe(Offer.UNCLEAR, f"a fresh quote {doubt}")
    )
