"""Codes that Atlas sends are in texts, logs, reprs and telemetry only where they look like codes."""

import asyncio
import logging
from datetime import timedelta

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from atlas_refunds import (
    AtlasRefunds,
    AtlasRefundsError,
    ConcurrentSubmitError,
    Event,
    RefundNotCompletedError,
    RefundToken,
    parse_notification,
)
from atlas_refunds.telemetry import OpenTelemetry

from .conftest import CODE, CREDENTIALS, ONCE, ORDER, SUBMITTED, HandClock, queried
from .wire_server import WireServer, answers, encoded

ODD = {
    "a name": "CANARY/YAN MRS",
    "a forged line": "R1\nERROR root: CANARY",
    "colours": "\x1b[31mCANARY\x1b[0m",
    "very long": "CANARY" * 1000,
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
async def test_a_code_that_looks_like_something_else_is_not_shown(
    odd: str, wire: WireServer, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(), MeterProvider(metric_readers=[reader])
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    telemetry, events = OpenTelemetry(tracers, meters), list[Event]()

    def handle(event: Event) -> None:
        events.append(event)
        telemetry(event)

    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock, retry=ONCE, on_event=handle) as atlas:
        wire.plays(answers({**SUBMITTED, "refundCode": odd, "refundStatus": odd, odd: odd}))
        results = await asyncio.gather(
            atlas.submit(ORDER, offer_id="q_1"), atlas.submit(ORDER, offer_id="q_2"), return_exceptions=True
        )
        refund, concurrent = results
        assert isinstance(concurrent, ConcurrentSubmitError)
        wire.plays(answers(queried(odd, refundCode=odd, refundMethod=odd)))
        token = RefundToken(order=ORDER, refund_code=odd)
        state = await atlas.get(ORDER, odd)
        event = parse_notification(encoded({"orderNo": ORDER.order_no, "refundStatus": odd}))
        told = parse_notification(encoded({"orderNo": ORDER.order_no, "refundStatus": 2}))
        shown = [repr(each) for each in (*results, token, state, refund, event, await atlas.confirm(told, token))]
        with pytest.raises(RefundNotCompletedError) as unfinished:
            state.raise_unless_refunded()
        with pytest.raises(AtlasRefundsError) as caught:
            await atlas.wait(token, timeout=timedelta(seconds=10))
        for error in (concurrent, unfinished.value, caught.value):
            shown += [str(error), repr(error)]
        shown += [repr(atlas.deviations), *map(repr, events)]
    shown += [span.to_json() for span in spans.get_finished_spans()]
    data = reader.get_metrics_data()
    assert data is not None
    assert "not as the webhook claims" in "".join(shown)
    everything = "".join([*shown, data.to_json(), caplog.text, *(repr(record.__dict__) for record in caplog.records)])
    assert "CANARY" not in everything
    assert "(not shown)" in str(caught.value)
    assert "(not shown)" in caplog.text


async def test_a_code_that_looks_like_one_is_shown(wire: WireServer, clock: HandClock) -> None:
    wire.plays(answers(queried(77)))
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock) as atlas:
        with pytest.raises(AtlasRefundsError, match=rf"^refund {CODE} is not final yet \(status 77\)"):
            await atlas.wait(RefundToken(order=ORDER, refund_code=CODE), timeout=timedelta(seconds=10))
