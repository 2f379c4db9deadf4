"""What became of a submit: each row of the table in docs/submitting.md, and nothing is ever submitted."""

import copy
import pickle
from datetime import datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas_refunds import (
    AirlinePnr,
    AtlasRefunds,
    InvalidRequestError,
    OutcomeUnknownError,
    RefundPassenger,
    RefundState,
    Timeouts,
    Verdict,
)
from atlas_refunds.reconciling import Listing, Offer, Probe, Question, decide, is_excluded

from .conftest import CODE, CREDENTIALS, ORDER, QIAN, START, ZHAO, HandClock, World, queried
from .wire_server import Act, WireServer, answers, answers_html, never_answers, refuses

TICKETS = [{"lastName": "ZHAO", "firstName": "YIER"}, {"lastName": "QIAN", "firstName": "ERER"}]
GIVEN = {
    "status": 0,
    "isRefundable": True,
    "refundOfferId": "q_2",
    "orderNo": ORDER.order_no,
    "refundTickets": TICKETS,
}
QUOTED = answers(GIVEN)
EMPTY = answers({"status": 0, "refundOrders": []})
OTHERS = [{"lastName": "SUN", "firstName": "SANSAN"}]
PATIENT = 1000.0
"""Seconds after which nothing of the submit can be on its way, by the defaults."""


def unknown(
    *, offer_id: str | None = "q_1", passengers: tuple[RefundPassenger, ...] = (ZHAO, QIAN), code: str | None = None
) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        "test", order=ORDER, offer_id=offer_id, passengers=passengers, at=START, refund_code=code
    )


def listing(status: object = 0, **more: object) -> Act:
    return answers(queried(status, **more))


# ---- it exists -------------------------------------------------------------------------------------------------------
FOUND: dict[str, tuple[OutcomeUnknownError, Act]] = {
    "by its code": (unknown(code=CODE), listing(1)),
    "by its offer": (unknown(), listing(refundOfferId="q_1")),
    "by its offer, in other letters": (unknown(), listing(refundOfferId=" Q_1")),
    "by its offer, names in other letters": (unknown(), listing(refundOfferId="q_1", refundTickets=OTHERS)),
    "by its offer, rejected": (unknown(), listing(4, refundOfferId="q_1")),
    "by its passengers": (unknown(offer_id=None), listing(refundTickets=TICKETS)),
    "by its passengers, the offer is not listed": (unknown(), listing(refundOfferId=None, refundTickets=TICKETS)),
    "by its passengers, paid": (unknown(offer_id=None), listing(2, refundTickets=TICKETS)),
    "by its passengers, of unknown status": (unknown(offer_id=None), listing(77, refundTickets=TICKETS)),
    "by its passengers, as airlines write them": (
        unknown(offer_id=None),
        listing(
            refundTickets=[{"lastName": "Zhao ", "firstName": "yi-er"}, {"lastName": "QIAN/", "firstName": "ÉRER"}]
        ),
    ),
}


@pytest.mark.parametrize(("question", "listed"), FOUND.values(), ids=FOUND)
async def test_listed_refund_is_the_submitted_one(
    atlas: AtlasRefunds, wire: WireServer, question: OutcomeUnknownError, listed: Act
) -> None:
    wire.plays(listed)
    found = await atlas.reconcile(question)
    assert found.verdict is Verdict.SUBMITTED
    assert found.token is not None
    assert found.token.refund_code == CODE
    assert found.candidates == (found.state,)
    assert [call.path for call in wire.calls] == ["/queryRefundOrders.do"]


async def test_refund_without_a_code_is_submitted_without_a_token(atlas: AtlasRefunds, wire: WireServer) -> None:
    wire.plays(listing(refundOfferId="q_1", refundCode=None))
    found = await atlas.reconcile(unknown())
    assert (found.verdict, found.token) == (Verdict.SUBMITTED, None)
    assert found.state is not None


@pytest.mark.parametrize("code", [803, 816, 817, 818])
async def test_quote_refused_as_duplicate_means_submitted(atlas: AtlasRefunds, wire: WireServer, code: int) -> None:
    wire.plays(refuses(810), refuses(code))
    found = await atlas.reconcile(unknown())
    assert found.verdict is Verdict.SUBMITTED
    assert found.token is None
    assert str(code) in found.evidence


# ---- it may exist ----------------------------------------------------------------------------------------------------
MAYBE: dict[str, tuple[OutcomeUnknownError, Act]] = {
    "of another offer": (unknown(), listing(refundOfferId="q_0")),
    "of another offer for the same passengers": (unknown(), listing(refundOfferId="q_0", refundTickets=TICKETS)),
    "of its offer, but of another order": (unknown(), listing(refundOfferId="q_1", orderNo="ANOTHER")),
    "of another order": (unknown(), listing(orderNo="ANOTHER")),
    "of its passengers, but of another order": (
        unknown(offer_id=None),
        listing(orderNo="ANOTHER", refundTickets=TICKETS),
    ),
    "without tickets and offer": (unknown(), listing()),
    "of one of two passengers": (unknown(offer_id=None), listing(refundTickets=TICKETS[:1])),
    "of more passengers": (unknown(offer_id=None, passengers=(ZHAO,)), listing(refundTickets=TICKETS)),
    "of a passenger without a name": (unknown(), listing(refundTickets=[{"ticketNo": "S1"}, *OTHERS])),
    "of a passenger with a title": (unknown(), listing(refundTickets=[{"lastName": "ZHAO", "firstName": "YIER MR"}])),
    "of a passenger whose names changed places": (unknown(), listing(refundTickets=[{"name": "YIER/ZHAO"}])),
    "rejected": (unknown(offer_id=None), listing(4, refundTickets=TICKETS)),
    "withdrawn": (unknown(offer_id=None), listing(6, refundTickets=TICKETS)),
    "of nobody who is known": (unknown(passengers=()), listing(refundTickets=OTHERS)),
    "named by an answer, but of another passenger": (unknown(code="X-1"), listing(refundTickets=TICKETS[:1])),
}


@pytest.mark.parametrize(("question", "listed"), MAYBE.values(), ids=MAYBE)
async def test_listed_refund_that_cannot_be_excluded_is_never_none(
    atlas: AtlasRefunds, wire: WireServer, clock: HandClock, question: OutcomeUnknownError, listed: Act
) -> None:
    wire.plays(listed)
    clock.seconds = PATIENT
    found = await atlas.reconcile(question)
    assert found.verdict is Verdict.UNKNOWN
    assert found.state is None
    assert [state.refund_code for state in found.candidates] == [CODE]


async def test_several_candidates_are_unknown_with_all_of_them(
    atlas: AtlasRefunds, wire: WireServer, clock: HandClock
) -> None:
    both = [{"refundCode": code, "refundStatus": 0, "refundTickets": TICKETS} for code in ("R-1", "R-2")]
    wire.plays(answers({"status": 0, "refundOrders": both}))
    clock.seconds = PATIENT
    found = await atlas.reconcile(unknown())
    assert found.verdict is Verdict.UNKNOWN
    assert [state.refund_code for state in found.candidates] == ["R-1", "R-2"]


async def test_offer_decides_between_several(atlas: AtlasRefunds, wire: WireServer) -> None:
    both = [{"refundCode": f"R-{n}", "refundStatus": 0, "refundOfferId": f"q_{n}"} for n in (0, 1)]
    wire.plays(answers({"status": 0, "refundOrders": both}))
    found = await atlas.reconcile(unknown())
    assert (found.verdict, found.token and found.token.refund_code) == (Verdict.SUBMITTED, "R-1")


# ---- it cannot be told -----------------------------------------------------------------------------------------------
FAILED: dict[str, Act] = {
    **{f"HTTP {status}": answers_html(status) for status in (200, 302, 401, 404, 429, 500, 503)},
    **{f"code {code}": refuses(code) for code in (2, 429, 801, 809, 899, 900, 9999)},
    "said twice": answers(b'{"status": 0, "refundOrders": [{"refundCode": "R-1"}], "refundOrders": []}'),
    "an entry that says nothing": answers({"status": 0, "refundOrders": [None]}),
    "no list": answers({"status": 0}),
    "null for a list": answers({"status": 0, "refundOrders": None}),
    "blank for a list": answers({"status": 0, "refundOrders": ""}),
    "the list of another spelling": answers({"status": 0, "refundOrders": [], "RefundOrders": queried(0)}),
    "there are more": answers({"status": 0, "refundOrders": [], "hasMore": True}),
    "success in words": answers({"status": "0", "refundOrders": []}),
    "HTTP 203": answers({"status": 0, "refundOrders": []}, 203),
    "a code is wanted, but a refund is listed": refuses(810, **{**queried(0, refundTickets=OTHERS), "status": 810}),
    "a code is wanted, under an HTTP error": answers({"status": 810, "msg": None}, 403),
}


@pytest.mark.parametrize("listed", FAILED.values(), ids=FAILED)
async def test_failed_query_is_not_taken_for_an_empty_list(
    atlas_once: AtlasRefunds, wire: WireServer, clock: HandClock, listed: Act
) -> None:
    wire.plays(listed, QUOTED)
    clock.seconds = PATIENT
    found = await atlas_once.reconcile(unknown())
    assert found.verdict is Verdict.UNKNOWN
    assert "cannot be listed" in found.evidence


UNCLEAR_QUOTES: dict[str, Act] = {
    "in progress": refuses(814),
    "refused": refuses(811),
    "not authorised": refuses(900),
    "HTML": answers_html(200),
    "not refundable": answers({**GIVEN, "isRefundable": False}),
    "not said to be refundable": answers({**GIVEN, "isRefundable": None}),
    "without an offer": answers({**GIVEN, "refundOfferId": None}),
    "success alone": answers({"status": 0}),
    "of another order": answers({**GIVEN, "orderNo": "ANOTHER"}),
    "of no order": answers({**GIVEN, "orderNo": None}),
    "of a blank offer": answers({**GIVEN, "refundOfferId": " "}),
    "of an offer that is no text": answers({**GIVEN, "refundOfferId": 7}),
    "refundable in other words": answers({**GIVEN, "isRefundable": 1}),
    "success in words": answers({**GIVEN, "status": "0"}),
    "with a refund": answers({**GIVEN, "refundCode": CODE}),
    "with the status of a refund": answers({**GIVEN, "refundStatus": 0}),
    "with a second status": answers({**GIVEN, "Status": 803}),
    "HTTP 203": answers(GIVEN, 203),
    "duplicate under an HTTP error": answers({"status": 803, "msg": None}, 403),
    "without tickets": answers({**GIVEN, "refundTickets": []}),
    "for masked passengers": answers({**GIVEN, "refundTickets": [{"lastName": "Z***"}, {"lastName": "Q***"}]}),
    "for other passengers": answers({**GIVEN, "refundTickets": OTHERS}),
    "for fewer passengers": answers({**GIVEN, "refundTickets": TICKETS[:1]}),
    "said twice": answers(b'{"status": 803, "status": 0, "isRefundable": true, "refundOfferId": "q", "orderNo": "%s"}'
                          % ORDER.order_no.encode()),
}  # fmt: skip


@pytest.mark.parametrize("act", UNCLEAR_QUOTES.values(), ids=UNCLEAR_QUOTES)
async def test_unclear_probe_stays_unknown_with_its_reason(
    atlas: AtlasRefunds, wire: WireServer, clock: HandClock, act: Act
) -> None:
    wire.plays(refuses(810), act)
    clock.seconds = PATIENT
    found = await atlas.reconcile(unknown())
    assert found.verdict is Verdict.UNKNOWN
    assert found.evidence


async def test_code_in_an_answer_that_cannot_be_trusted_is_no_proof(
    atlas: AtlasRefunds, wire: WireServer, clock: HandClock
) -> None:
    wire.plays(EMPTY, EMPTY, QUOTED)
    clock.seconds = PATIENT
    found = await atlas.reconcile(unknown(code=CODE))
    assert found.verdict is Verdict.UNKNOWN
    assert [call.json.get("refundCode") for call in wire.calls] == [CODE, None, None]


async def test_known_refund_explains_a_duplicate(atlas: AtlasRefunds, wire: WireServer, clock: HandClock) -> None:
    wire.plays(refuses(810), refuses(803))
    clock.seconds = PATIENT
    assert (await atlas.reconcile(unknown(), known=["R-0"])).verdict is Verdict.UNKNOWN


async def test_without_passengers_an_unlisted_refund_stays_unknown(
    atlas: AtlasRefunds, wire: WireServer, clock: HandClock
) -> None:
    wire.plays(EMPTY, QUOTED)
    clock.seconds = PATIENT
    assert (await atlas.reconcile(unknown(passengers=()))).verdict is Verdict.UNKNOWN
    wire.plays(EMPTY, QUOTED)
    given = await atlas.reconcile(unknown(passengers=()), passengers=[ZHAO])
    assert given.verdict is Verdict.NOT_SUBMITTED


async def test_quote_for_other_passengers_would_prove_nothing(atlas: AtlasRefunds, wire: WireServer) -> None:
    with pytest.raises(InvalidRequestError):
        await atlas.reconcile(unknown(passengers=(ZHAO,)), passengers=[QIAN])
    assert not wire.calls


# ---- it is proven not to exist ---------------------------------------------------------------------------------------
NONE: dict[str, Act] = {
    "nothing is listed": EMPTY,
    "nothing is listed, in an envelope of today": answers(
        {"status": 0, "msg": None, "requestId": None, "clientRequestId": None, "uuid": "u-1", "refundOrders": []}
    ),
    "a code is wanted, with an empty list": refuses(810, refundOrders=[], requestId="r-1"),
    **{f"a code is wanted, {code}": refuses(code) for code in (100, 810, 901)},
    "other passengers": listing(refundTickets=OTHERS),
    "known before": answers({"status": 0, "refundOrders": [{"refundCode": "R-0", "refundTickets": TICKETS}]}),
    "other passengers, with a title": listing(refundTickets=[{"lastName": "SUN", "firstName": "SANSAN MR"}]),
    "another passenger of the family": listing(refundTickets=[{"name": "ZHAO/SANSAN"}]),
}


@pytest.mark.parametrize("listed", NONE.values(), ids=NONE)
async def test_quote_decides_when_no_candidate_is_listed(
    atlas: AtlasRefunds, wire: WireServer, clock: HandClock, listed: Act
) -> None:
    wire.plays(listed, QUOTED)
    clock.seconds = PATIENT
    found = await atlas.reconcile(unknown(), known=["R-0"])
    assert found.verdict is Verdict.NOT_SUBMITTED
    assert found.candidates == ()


REFUNDS = st.builds(
    RefundState.from_dict,
    st.fixed_dictionaries(
        {},
        optional={
            "refundCode": st.sampled_from([CODE, "R-0", "R-1", None]),
            "orderNo": st.sampled_from([ORDER.order_no, "ANOTHER", None]),
            "refundOfferId": st.sampled_from(["q_1", "q_0", "", None]),
            "refundStatus": st.sampled_from([0, 1, 2, 3, 4, 5, 6, 9, None]),
            "refundTickets": st.lists(st.sampled_from([*TICKETS, *OTHERS, {}]), max_size=3),
        },
    ),
    order=st.just(ORDER),
)
QUESTIONS = st.builds(
    Question,
    order=st.just(ORDER),
    order_no=st.sampled_from([ORDER.order_no, None]),
    offer_id=st.sampled_from(["q_1", None]),
    refund_code=st.sampled_from([CODE, None]),
    passengers=st.sampled_from([(ZHAO, QIAN), (ZHAO,), ()]),
    known=st.sampled_from([frozenset[str](), frozenset(["R-0"])]),
)


@given(
    QUESTIONS,
    st.lists(REFUNDS, max_size=3),
    st.sampled_from([None, "HTTP 500"]),
    st.builds(Probe, st.sampled_from(Offer), st.just("what was seen")),
    st.booleans(),
)
def test_not_submitted_is_a_proof_whatever_is_seen(
    asked: Question, refunds: list[RefundState], failed: str | None, probe: Probe, patient: bool
) -> None:
    """And what exists is never more than one refund."""
    found = decide(asked, Listing(tuple(refunds), failed), probe, patient=patient)
    could_be = [refund for refund in refunds if not is_excluded(refund, asked)]
    proven = not could_be and not failed and probe.offer is Offer.GIVEN and patient and not asked.refund_code
    assert (found.verdict is Verdict.NOT_SUBMITTED) == proven
    assert found.candidates == tuple(could_be)
    assert found.state is None or found.verdict is Verdict.SUBMITTED
    if found.verdict is Verdict.SUBMITTED:
        assert found.state in could_be or probe.offer is Offer.DUPLICATE
    assert found.evidence


@given(st.text(max_size=8), st.text(max_size=8), st.sampled_from([str.lower, str.title, "{} ".format, " {}".format]))
def test_passenger_is_recognised_however_the_name_is_written(last: str, first: str, written: object) -> None:
    assert callable(written)
    person = copy.copy(ZHAO)
    for name, value in (("last_name", last.upper()), ("first_name", first.upper())):
        object.__setattr__(person, name, value)
    ticket = {"lastName": written(last.upper()), "firstName": written(first.upper())}
    state = RefundState.from_dict({"refundTickets": [ticket]}, order=ORDER)
    asked = Question(
        order=ORDER, order_no=None, offer_id=None, refund_code=None, passengers=(person,), known=frozenset()
    )
    assert not is_excluded(state, asked)


LONG = attrs.evolve(ZHAO, last_name="QUETZALCOATL", first_name="XOCHIPILLI")


@pytest.mark.parametrize("ticket", [
    {"lastName": "QUETZALCOATL", "firstName": "MR XOCHIPILLI"}, {"lastName": "QUETZALCOATL", "firstName": "XOCHIMR"},
    {"lastName": "QUETZALCOATL", "firstName": "MSTRXOCHIPILLI"}, {"lastName": "MR QUETZALCOATL", "firstName": "XOCHI"},
    {"lastName": "QUETZALC", "firstName": "XOCHIPILLI"}, {"lastName": "QUETZALC", "firstName": "XOCHI"},
    {"lastName": "QUETZALC", "firstName": "MSTRXOCHI"}, {"lastName": "XOCHIPILLI", "firstName": "QUETZALC MRS"},
    {"lastName": "Q***", "firstName": "X***"}, {"lastName": "QXXXXXXXX", "firstName": "XXXX"}, {"lastName": "Q"},
    {"lastName": "QUETZALCOATL XOCHIPILLI", "firstName": "MR"}, {"lastName": "S. QUETZALCOATL", "firstName": "FNU"},
    {"name": "QUETZALC/XOCHI MR"}, {"name": "MR XOCHIPILLI QUETZALC"}, {"name": "XOCHIPILLI/"}, {"name": "Q*/X*"},
    {"lastName": "SUN", "firstName": "SANSAN", "name": "QUETZALC/XOCHI"}, {"lastName": "羽蛇", "firstName": "花王子"},
    {"lastName": "DE QUETZALCOATL", "firstName": "JUAN XOCHIPILLI"}, None,
])  # fmt: skip
async def test_refund_is_no_strangers_in_whatever_shape_the_name_is(
    atlas: AtlasRefunds, wire: WireServer, clock: HandClock, ticket: object
) -> None:
    wire.plays(listing(refundTickets=[*OTHERS, ticket]))
    clock.seconds = PATIENT
    found = await atlas.reconcile(unknown(passengers=(LONG,)))
    assert found.verdict is Verdict.UNKNOWN
    assert [state.refund_code for state in found.candidates] == [CODE]


# ---- patience --------------------------------------------------------------------------------------------------------
async def test_not_submitted_needs_patience(atlas: AtlasRefunds, wire: WireServer, clock: HandClock) -> None:
    """A request can still be on its way when the first probe finds nothing."""
    wire.plays(EMPTY, QUOTED, EMPTY, refuses(803))
    found = await atlas.reconcile(unknown(), patience=timedelta(minutes=2))
    assert found.verdict is Verdict.SUBMITTED
    assert clock.sleeps


async def test_not_submitted_is_looked_for_until_patience_ends(
    atlas: AtlasRefunds, wire: WireServer, clock: HandClock
) -> None:
    wire.plays(*[EMPTY, QUOTED] * 50)
    found = await atlas.reconcile(unknown(), patience=timedelta(minutes=2))
    assert found.verdict is Verdict.NOT_SUBMITTED
    assert clock.now() == START + timedelta(minutes=2)
    assert clock.sleeps == [10, 20, 40, 50]


@pytest.mark.parametrize(
    ("limit", "given", "waits"),
    [(90, None, 390), (3600, None, 3900), (90, 600, 600), (300, 1, 300)],
    ids=["default", "long limit", "given", "given too short"],
)
async def test_patience_is_longer_than_a_submit_can_take(
    wire: WireServer, clock: HandClock, limit: int, given: int | None, waits: int
) -> None:
    wire.plays(*[EMPTY, QUOTED] * 100)
    timeouts = Timeouts(submit=timedelta(seconds=limit))
    patience = None if given is None else timedelta(seconds=given)
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock, timeouts=timeouts) as atlas:
        assert (await atlas.reconcile(unknown(), patience=patience)).verdict is Verdict.NOT_SUBMITTED
    assert clock.monotonic() == waits


async def test_patience_counts_from_the_last_attempt(wire: WireServer, clock: HandClock) -> None:
    """A submit that waited for its turn, and for an answer, left much later than it was called."""
    slow = Timeouts(submit=timedelta(seconds=0.2))

    async def takes_long(*_: object) -> None:
        clock.seconds += 500
        await never_answers(*_)  # type: ignore[arg-type]

    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock, timeouts=slow) as atlas:
        wire.plays(takes_long)
        with pytest.raises(OutcomeUnknownError) as caught:
            await atlas.submit(ORDER, passengers=[ZHAO])
        assert (caught.value.at, caught.value.left) == (START, START + timedelta(seconds=500))
        wire.plays(EMPTY, QUOTED, EMPTY, refuses(803))
        assert (await atlas.reconcile(caught.value, patience=timedelta(seconds=60))).verdict is Verdict.SUBMITTED


class SteppedClock(HandClock):
    """Its wall clock is set by hand."""

    step = timedelta()

    def now(self) -> datetime:
        return super().now() + self.step


@pytest.mark.parametrize("step", [timedelta(days=1), timedelta(minutes=-1)])
@pytest.mark.parametrize("when", ["before", "meanwhile"])
async def test_stepped_wall_clock_shortens_nothing(wire: WireServer, step: timedelta, when: str) -> None:
    clock = SteppedClock()

    async def is_set(_: float) -> None:
        clock.step = step

    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock) as atlas:
        wire.plays(refuses(2))
        with pytest.raises(OutcomeUnknownError) as caught:
            await atlas.submit(ORDER, passengers=[ZHAO])
        if when == "before":
            clock.step = step
        else:
            clock.meanwhile = is_set
        wire.plays(*[EMPTY, QUOTED] * 100)
        found = await atlas.reconcile(caught.value, patience=timedelta(minutes=10))
    assert found.verdict is Verdict.NOT_SUBMITTED
    assert clock.monotonic() == 600 + max(0, -step.total_seconds())


@pytest.mark.parametrize("when", ["before", "meanwhile"])
async def test_wall_clock_set_back_far_ends_in_unknown(wire: WireServer, when: str) -> None:
    clock = SteppedClock()

    async def is_set(_: float) -> None:
        clock.step -= timedelta(days=365)

    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock) as atlas:
        wire.plays(*[EMPTY, QUOTED] * 100)
        if when == "before":
            await is_set(0)
        else:
            clock.meanwhile = is_set
        found = await atlas.reconcile(unknown(), patience=timedelta(minutes=10))
    assert found.verdict is Verdict.UNKNOWN
    assert "on its way" in found.evidence
    assert clock.monotonic() == 1200


def test_monotonic_clock_is_left_behind_with_the_process() -> None:
    made = unknown()
    made.left_monotonic = 7.0
    assert pickle.loads(pickle.dumps(made)).left_monotonic is None  # noqa: S301
    assert made.left_monotonic == 7.0


# ---- what is unsettled -----------------------------------------------------------------------------------------------
async def test_verdict_takes_only_this_submit_off_the_unsettled(atlas: AtlasRefunds, wire: WireServer) -> None:
    """Two passengers of one order are two submits."""
    wire.plays(refuses(2))
    caught: list[OutcomeUnknownError] = []
    for offer_id in ("q_1", "q_2"):
        with pytest.raises(OutcomeUnknownError) as raised:
            await atlas.submit(ORDER, offer_id=offer_id)
        caught.append(raised.value)
    assert atlas.unsettled == tuple(caught)
    wire.plays(listing(refundOfferId="q_2"))
    await atlas.reconcile(caught[1])
    assert atlas.unsettled == (caught[0],)
    wire.plays(listing(refundOfferId="q_1"))
    await atlas.reconcile(unknown())  # made from the database: it means the same submit
    assert not atlas.unsettled


async def test_not_submitted_settles_no_later_submit(atlas: AtlasRefunds, wire: WireServer, clock: HandClock) -> None:
    """A question made from the database knows nothing of a submit that has just left."""
    question = unknown(passengers=(ZHAO,))
    for seconds in (0.0, PATIENT):
        clock.seconds = seconds
        wire.plays(refuses(2))
        with pytest.raises(OutcomeUnknownError):
            await atlas.submit(ORDER, offer_id="q_1")
    first, second = atlas.unsettled
    wire.plays(EMPTY, QUOTED)
    assert (await atlas.reconcile(question)).verdict is Verdict.NOT_SUBMITTED
    assert atlas.unsettled == (second,)
    assert first.left < second.left


async def test_unknown_stays_unsettled(atlas: AtlasRefunds, wire: WireServer, clock: HandClock) -> None:
    wire.plays(refuses(2))
    with pytest.raises(OutcomeUnknownError) as caught:
        await atlas.submit(ORDER, offer_id="q_1")
    clock.seconds = PATIENT
    wire.plays(listing())
    await atlas.reconcile(caught.value)
    assert atlas.unsettled == (caught.value,)


# ---- orders by PNR ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("order_no", "quoted", "verdict"), [
    (None, "A-1", Verdict.NOT_SUBMITTED), ("A-1", "A-1", Verdict.NOT_SUBMITTED),
    (None, None, Verdict.UNKNOWN), ("A-1", "A-2", Verdict.UNKNOWN),
])  # fmt: skip
async def test_quote_of_an_order_by_pnr_names_the_order_that_is_known(
    atlas: AtlasRefunds,
    wire: WireServer,
    clock: HandClock,
    order_no: str | None,
    quoted: str | None,
    verdict: Verdict,
) -> None:
    pnr = AirlinePnr("S24933", carrier="G9")
    question = OutcomeUnknownError("test", order=pnr, order_no=order_no, offer_id=None, passengers=(ZHAO,), at=START)
    clock.seconds = PATIENT
    wire.plays(EMPTY, answers({**GIVEN, "orderNo": quoted}))
    assert (await atlas.reconcile(question)).verdict is verdict


async def test_reconcile_never_submits(atlas: AtlasRefunds, wire: WireServer, clock: HandClock) -> None:
    wire.plays(*[refuses(810), refuses(814)] * 20, refuses(810), QUOTED)
    await atlas.reconcile(unknown())
    assert {call.path for call in wire.calls} == {"/queryRefundOrders.do", "/refundQuotation.do"}


async def test_documented_duplicate_code_is_found_at_the_simulator(world: World) -> None:
    refund = await world.refund("TESTA20250512100600259")
    question = OutcomeUnknownError("test", order=refund.order, offer_id="lost", passengers=(ZHAO, QIAN), at=START)
    found = await world.atlas.reconcile(question)
    assert found.verdict is Verdict.SUBMITTED
    assert "803" in found.evidence
