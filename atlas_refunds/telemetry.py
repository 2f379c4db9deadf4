"""Events as OpenTelemetry spans and metrics (extra `[otel]`): `AtlasRefunds(..., on_event=OpenTelemetry())`.

Names follow the semantic conventions for HTTP clients (stable since 1.23); what they do not know is under `atlas.`.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

try:
    from opentelemetry.metrics import MeterProvider, get_meter
    from opentelemetry.trace import SpanKind, Status, StatusCode, TracerProvider, get_tracer
except ModuleNotFoundError as missing:
    if (missing.name or "").partition(".")[0] != "opentelemetry":
        raise
    raise ImportError(
        "telemetry needs opentelemetry: pip install 'atlas-refunds[otel]'", name=missing.name
    ) from missing

from ._version import __version__
from .events import Attempt, Deviation, Event, Outcome, Pause, SubmitEnded

if TYPE_CHECKING:
    from .tracking import Health, Notice

NAME: Final = "atlas_refunds"
GAUGES: Final = (
    ("refunds", "{refund}", "Tracked refunds, by step."),
    ("overdue", "s", "For how long the oldest refund that is due has waited."),
    ("changes.unhandled", "{change}", "Changes whose handler has not succeeded yet."),
    ("changes.failing", "{change}", "Of these, those whose handler failed."),
    ("changes.gave_up", "{change}", "Of these, those that wait for a replay."),
)
SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
Attributes = dict[str, str | int]


class OpenTelemetry:
    """An event handler. Without providers it uses the global ones; a span is a child of the span that is current."""

    def __init__(
        self, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        self._tracer = get_tracer(NAME, __version__, tracer_provider)
        meter = get_meter(NAME, __version__, meter_provider)
        self._duration = meter.create_histogram(
            "http.client.request.duration",
            unit="s",
            description="Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=SECONDS,
        )
        self._steps: set[str] = set()
        self._waits = meter.create_histogram("atlas.refunds.wait", unit="s", description="Waits before a call.")
        self._submits = meter.create_counter("atlas.refunds.submits", unit="{submit}", description="By outcome.")
        self._deviations = meter.create_counter(
            "atlas.refunds.deviations", unit="{deviation}", description="Answers that the documentation does not allow."
        )

        self._notices = meter.create_counter("atlas.tracking.notices", unit="{notice}", description="By kind.")
        self._gauges = {
            name: meter.create_gauge(f"atlas.tracking.{name}", unit=unit, description=description)
            for name, unit, description in GAUGES
        }

    def notice(self, notice: "Notice") -> None:
        """`Tracker(..., on_notice=OpenTelemetry().notice)` counts what operators should hear of."""
        self._notices.add(1, {"atlas.kind": notice.kind.value})

    def health(self, health: "Health") -> None:
        """`Tracker(..., on_health=OpenTelemetry().health)` keeps gauges of how the refunds stand."""
        account = {"atlas.account": health.account}
        for step in (*health.steps, *(self._steps - health.steps.keys())):  # a step that nobody is at any more is 0
            self._steps.add(step)
            self._gauges["refunds"].set(health.steps.get(step, 0), {**account, "atlas.step": step})
        for name, value in (
            ("overdue", health.overdue),
            ("changes.unhandled", health.unhandled),
            ("changes.failing", health.failing),
            ("changes.gave_up", health.gave_up),
        ):
            self._gauges[name].set(value, account)

    def __call__(self, event: Event) -> None:
        match event:
            case Attempt():
                self._attempt(event)
            case Pause():
                self._waits.record(event.seconds, {"atlas.operation": event.operation, "atlas.reason": event.reason})
            case SubmitEnded():
                self._submits.add(1, {"atlas.outcome": event.outcome.value})
            case Deviation():
                self._deviations.add(1, {"atlas.place": event.place, "atlas.kind": event.kind})

    def _attempt(self, attempt: Attempt) -> None:
        common = attributes(attempt)
        self._duration.record(attempt.seconds, common)
        span: Attributes = {**common, "url.full": attempt.url}
        if attempt.number > 1:
            span["http.request.resend_count"] = attempt.number - 1
        if attempt.code is not None:
            span["atlas.code"] = attempt.code
        start = nanoseconds(attempt.at)
        recorded = self._tracer.start_span("POST", kind=SpanKind.CLIENT, attributes=span, start_time=start)
        if attempt.outcome is not Outcome.SUCCESS:
            recorded.set_status(Status(StatusCode.ERROR))
        recorded.end(start + int(attempt.seconds * 1e9))


def attributes(attempt: Attempt) -> Attributes:
    """What spans and the duration have in common: few values each."""
    address = urlsplit(attempt.url)
    found: Attributes = {
        "http.request.method": "POST",
        "server.address": address.hostname or "",
        "server.port": address.port or (443 if address.scheme == "https" else 80),
        "atlas.operation": attempt.operation,
    }
    if attempt.http_status is not None:
        found["http.response.status_code"] = attempt.http_status
    if attempt.error is not None:
        found["error.type"] = attempt.error
    return found


def nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1e9)
