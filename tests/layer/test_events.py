"""What a handler learns, and that it cannot disturb a call."""

import contextlib
import logging

import attrs
import pytest

from atlas_refunds import (
    ApiError,
    AtlasRefunds,
    Attempt,
    Deviation,
    Event,
    InvalidRequestRejected,
    NotSentError,
    Outcome,
    OutcomeUnknownError,
    Pause,
    Settled,
    SubmitEnded,
)

from .conftest import CODE, CREDENTIALS, ONCE, ORDER, SUBMITTED, ZHAO, HandClock, free_port, queried, sample_bytes
from .wire_server import Act, WireServer, answers, answers_html, closes_before_answer, refuses


def observed(wire: WireServer, clock: HandClock, events: list[Event]) -> AtlasRefunds:
    return AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock, on_event=events.append)


async def test_each_attempt_and_wait_of_a_call(wire: WireServer, clock: HandClock) -> None:
    wire.plays(refuses(2), closes_before_answer, answers(queried(0)))
    events: list[Event] = []
    async with observed(wire, clock, events) as atlas:
        await atlas.query(ORDER, CODE)
    attempts = [event for event in events if isinstance(event, Attempt)]
    assert [(a.number, a.outcome, a.http_status, a.code, a.error) for a in attempts] == [
        (1, Outcome.REFUSED, 200, 2, "ServerError"),
        (2, Outcome.NO_ANSWER, None, None, "NoAnswerError"),
        (3, Outcome.SUCCESS, 200, 0, None),
    ]
    others = [event for event in events if not isinstance(event, Deviation)]
    assert [type(event) for event in others] == [Attempt, Pause, Attempt, Pause, Attempt]
    assert {a.url for a in attempts} == {f"{wire.url}/queryRefundOrders.do"}


async def test_failed_call_carries_its_attempts(atlas: AtlasRefunds, wire: WireServer) -> None:
    wire.plays(refuses(2), refuses(2), refuses(810))
    with pytest.raises(InvalidRequestRejected) as caught:
        await atlas.query(ORDER, CODE)
    assert [attempt.code for attempt in caught.value.attempts] == [2, 2, 810]


SUBMITS: dict[str, tuple[Act, Settled]] = {
    "accepted": (answers(SUBMITTED), Settled.SUBMITTED),
    "refused": (refuses(805), Settled.REFUSED),
    "unclear": (answers_html(502), Settled.UNKNOWN),
}


@pytest.mark.parametrize(("act", "outcome"), SUBMITS.values(), ids=SUBMITS)
async def test_each_submit_ends_once(wire: WireServer, clock: HandClock, act: Act, outcome: Settled) -> None:
    wire.plays(act)
    events: list[Event] = []
    async with observed(wire, clock, events) as atlas:
        with contextlib.suppress(ApiError, OutcomeUnknownError):
            await atlas.submit(ORDER, offer_id="q_1")
    (ended,) = [event for event in events if isinstance(event, SubmitEnded)]
    assert (ended.outcome, ended.order_no) == (outcome, ORDER.order_no)
    assert ended.refund_code == (CODE if outcome is Settled.SUBMITTED else None)


async def test_deviations_are_told_by_place_and_code(wire: WireServer, clock: HandClock) -> None:
    wire.plays(refuses(7777), answers({**SUBMITTED, "orderNo": "ANOTHER"}), answers(queried(7)), answers(queried(2)))
    events: list[Event] = []
    async with observed(wire, clock, events) as atlas:
        with pytest.raises(OutcomeUnknownError):
            await atlas.submit(ORDER, offer_id="q_1")
        refund = await atlas.submit(ORDER, offer_id="q_1")
        await atlas.wait(refund)
    found = [
        (e.operation, e.place, e.kind, e.value)
        for e in events
        if isinstance(e, Deviation) and e.kind not in ("absent", "null or empty")  # the answers here are short
    ]
    assert found == [
        ("submit", "status", "unlisted code", "7777"),
        ("submit", "orderNo", "another order", None),
        ("query", "RefundOrder.refundStatus", "unknown code", "7"),
    ]


async def test_failing_handler_is_logged_and_does_not_disturb(
    wire: WireServer, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    def handler(_: Event) -> None:
        raise RuntimeError("of the handler")

    wire.plays(answers(SUBMITTED))
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock, on_event=handler) as atlas:
        assert (await atlas.submit(ORDER, offer_id="q_1")).refund_code == CODE
    assert "an event handler failed" in caplog.text


async def test_log_levels_by_what_a_person_should_see(
    atlas: AtlasRefunds, wire: WireServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "atlas_refunds")
    wire.plays(answers(sample_bytes("reference-2025.submit.response.json")), refuses(2))
    await atlas.submit(ORDER, offer_id="q_1")
    with pytest.raises(OutcomeUnknownError):
        await atlas.submit(ORDER, offer_id="q_1")
    assert [record.levelname for record in caplog.records if record.name == "atlas_refunds"] == [
        *("DEBUG", "INFO"),  # the attempt that succeeded, the refund
        *("INFO", "WARNING"),  # the attempt that failed, the open question
    ]


async def test_events_are_frozen_and_without_personal_data(wire: WireServer, clock: HandClock) -> None:
    wire.plays(refuses(2, msg="ZHAO/YIER"), refuses(803, msg="ZHAO/YIER"))
    events: list[Event] = []
    async with observed(wire, clock, events) as atlas:
        with pytest.raises(ApiError):
            await atlas.quote(ORDER, [ZHAO])
    for event in events:
        assert "ZHAO" not in repr(event)
        assert CREDENTIALS.client_secret not in repr(event)
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            event.at = clock.now()  # type: ignore[misc]


async def test_a_log_line_says_where_and_why(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    with caplog.at_level("INFO", "atlas_refunds"):
        async with AtlasRefunds(CREDENTIALS, base_url=f"http://127.0.0.1:{port}", retry=ONCE) as atlas:
            with pytest.raises(NotSentError) as caught:
                await atlas.query(ORDER, None)
    (attempt,) = caught.value.attempts
    assert attempt.reason == str(caught.value)
    assert f"cannot connect to 127.0.0.1:{port}: connection refused; nothing was sent" in caplog.text
