"""Events as OpenTelemetry spans and metrics."""

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from atlas_refunds import AtlasRefunds, ServerError
from atlas_refunds.telemetry import OpenTelemetry

from .conftest import CODE, CREDENTIALS, ORDER, SUBMITTED, HandClock
from .wire_server import WireServer, answers, refuses


async def test_spans_and_metrics_follow_the_conventions_for_http_clients(wire: WireServer, clock: HandClock) -> None:
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(), MeterProvider(metric_readers=[reader])
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    telemetry = OpenTelemetry(tracers, meters)
    wire.plays(answers(SUBMITTED), refuses(2))
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock, on_event=telemetry) as atlas:
        with tracers.get_tracer("service").start_as_current_span("the caller's") as parent:
            await atlas.submit(ORDER, offer_id="q_1")
        with pytest.raises(ServerError):
            await atlas.query(ORDER, CODE)

    submit, _, first, second, last = spans.get_finished_spans()
    assert submit.name == "POST"
    assert submit.kind is SpanKind.CLIENT
    assert submit.parent is not None
    assert submit.parent.span_id == parent.get_span_context().span_id
    assert dict(submit.attributes or {}) == {
        "http.request.method": "POST",
        "server.address": "127.0.0.1",
        "server.port": wire.port,
        "url.full": f"{wire.url}/refund.do",
        "http.response.status_code": 200,
        "atlas.operation": "submit",
        "atlas.code": 0,
    }
    assert submit.status.status_code is StatusCode.UNSET
    assert [(span.attributes or {}).get("http.request.resend_count") for span in (first, second, last)] == [None, 1, 2]
    assert last.status.status_code is StatusCode.ERROR
    assert (last.attributes or {})["error.type"] == "ServerError"

    data = reader.get_metrics_data()
    assert data is not None
    metrics = {metric.name: metric for metric in data.resource_metrics[0].scope_metrics[0].metrics}
    points = metrics["http.client.request.duration"].data.data_points
    assert metrics["http.client.request.duration"].unit == "s"
    assert sorted(point.count for point in points) == [1, 3]  # type: ignore[union-attr]
    assert metrics["atlas.refunds.submits"].data.data_points[0].attributes == {"atlas.outcome": "submitted"}
