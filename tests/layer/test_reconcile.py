"""What became of a submit: each answer Atlas can give, and nothing is ever submitted."""

from datetime import timedelta

import pytest

from atlas_refunds import AtlasRefunds, OutcomeUnknownError, RefundPassenger, Verdict

from .conftest import CODE, ORDER, QIAN, START, ZHAO, HandClock, World, queried
from .wire_server import Act, WireServer, answers, answers_html, refuses

QUOTED = answers({"status": 0, "isRefundable": True, "refundOfferId": "q_2", "orderNo": ORDER.order_no})
EMPTY = answers({"status": 0, "refundOrders": []})
TICKETS = [{"lastName": "ZHAO", "firstName": "YIER"}, {"lastName": "QIAN", "firstName": "ERER"}]


def unknown(
    *, offer_id: str | None = "q_1", passengers: tuple[RefundPassenger, ...] = (ZHAO, QIAN), code: str | None = None
) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        "test", order=ORDER, offer_id=offer_id, passengers=passengers, at=START, refund_code=code
    )


FOUND: dict[str, tuple[OutcomeUnknownError, Act]] = {
    "by its code": (unknown(code=CODE), answers(queried(1))),
    "by its offer": (unknown(), answers(queried(0, refundOfferId="q_1"))),
    "by its passengers": (unknown(offer_id=None), answers(queried(0, refundTickets=TICKETS))),
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
    assert [call.path for call in wire.calls] == ["/queryRefundOrders.do"]


OTHERS: dict[str, tuple[OutcomeUnknownError, Act]] = {
    "of another offer": (unknown(), answers(queried(0, refundOfferId="q_0"))),
    "of other passengers": (unknown(offer_id=None), answers(queried(0, refundTickets=TICKETS[:1]))),
    "rejected before": (unknown(offer_id=None), answers(queried(4, refundTickets=TICKETS))),
    "none": (unknown(), EMPTY),
    "refused without a code": (unknown(), refuses(810)),
}


@pytest.mark.parametrize(("question", "listed"), OTHERS.values(), ids=OTHERS)
async def test_quote_decides_when_the_list_does_not(
    atlas: AtlasRefunds, wire: WireServer, clock: HandClock, question: OutcomeUnknownError, listed: Act
) -> None:
    wire.plays(listed, QUOTED)
    clock.seconds = 1000.0
    assert (await atlas.reconcile(question)).verdict is Verdict.NOT_SUBMITTED


@pytest.mark.parametrize("code", [803, 816, 817, 818])
async def test_quote_refused_as_duplicate_means_submitted(atlas: AtlasRefunds, wire: WireServer, code: int) -> None:
    wire.plays(refuses(810), refuses(code))
    found = await atlas.reconcile(unknown())
    assert found.verdict is Verdict.SUBMITTED
    assert found.token is None
    assert str(code) in found.evidence


@pytest.mark.parametrize("act", [refuses(814), refuses(811), refuses(900), answers_html(200)])
async def test_unclear_probe_stays_unknown_with_its_reason(
    atlas: AtlasRefunds, wire: WireServer, clock: HandClock, act: Act
) -> None:
    wire.plays(refuses(810), act)
    clock.seconds = 1000.0
    found = await atlas.reconcile(unknown())
    assert found.verdict is Verdict.UNKNOWN
    assert found.evidence


async def test_failed_query_is_not_taken_for_an_empty_list(
    atlas_once: AtlasRefunds, wire: WireServer, clock: HandClock
) -> None:
    wire.plays(answers_html(200), QUOTED)
    clock.seconds = 1000.0
    assert (await atlas_once.reconcile(unknown())).verdict is Verdict.UNKNOWN


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
    assert clock.now() >= START + timedelta(minutes=2)


async def test_without_passengers_an_unlisted_refund_stays_unknown(
    atlas: AtlasRefunds, wire: WireServer, clock: HandClock
) -> None:
    wire.plays(EMPTY, QUOTED)
    clock.seconds = 1000.0
    assert (await atlas.reconcile(unknown(passengers=()))).verdict is Verdict.UNKNOWN
    wire.plays(EMPTY, QUOTED)
    given = await atlas.reconcile(unknown(passengers=()), passengers=[ZHAO])
    assert given.verdict is Verdict.NOT_SUBMITTED


async def test_code_that_was_read_is_proof_even_when_nothing_is_listed(atlas: AtlasRefunds, wire: WireServer) -> None:
    wire.plays(EMPTY)
    assert (await atlas.reconcile(unknown(code=CODE))).verdict is Verdict.SUBMITTED


async def test_verdict_takes_the_submit_off_the_unsettled(atlas: AtlasRefunds, wire: WireServer) -> None:
    wire.plays(refuses(2), answers(queried(0, refundOfferId="q_1")))
    with pytest.raises(OutcomeUnknownError) as caught:
        await atlas.submit(ORDER, offer_id="q_1")
    assert caught.value in atlas.unsettled
    await atlas.reconcile(caught.value)
    assert not atlas.unsettled


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
