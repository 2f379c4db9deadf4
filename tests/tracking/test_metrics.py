"""What OpenTelemetry hears of a tracker, and that alert rules and dashboard ask for what there is."""

import json
import re
from pathlib import Path
from typing import Any

import yaml
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from atlas_refunds import AtlasRefunds, OrderNo
from atlas_refunds.telemetry import OpenTelemetry
from atlas_refunds.tracking import Kind, Notice, Tracker
from tests.chaos.procedure import PEOPLE

from .conftest import HURRY

DOCS = Path(__file__).parents[2] / "docs"
UNITS = {"s": "_seconds"}


def prometheus(metric: Any) -> str:
    """The name under which the standard exporter shows it."""
    total = "_total" if type(metric.data).__name__ == "Sum" else ""
    bucket = "_bucket" if type(metric.data).__name__ == "Histogram" else ""
    return re.sub(r"[^a-z0-9_]", "_", metric.name) + UNITS.get(metric.unit, "") + total + bucket


def heard(reader: InMemoryMetricReader) -> dict[str, list[tuple[dict[str, str], float]]]:
    data = reader.get_metrics_data()
    assert data is not None
    metrics = [
        metric for resource in data.resource_metrics for scope in resource.scope_metrics for metric in scope.metrics
    ]
    return {
        prometheus(metric): [
            ({key.replace(".", "_"): str(value) for key, value in (point.attributes or {}).items()},
             getattr(point, "value", 0)) for point in metric.data.data_points
        ]
        for metric in metrics
    }  # fmt: skip


async def test_alert_rules_and_dashboard_ask_for_what_a_worker_says(sqlite_url: str, atlas: AtlasRefunds) -> None:
    reader = InMemoryMetricReader()
    otel = OpenTelemetry(meter_provider=MeterProvider([reader]))
    async with Tracker(atlas, url=sqlite_url, policy=HURRY, work=False, on_notice=otel.notice) as tracker:
        await tracker.submit(await atlas.quote(OrderNo("SIM-REFUNDED"), PEOPLE), key="a")
        otel.health(await tracker.health())
        otel.notice(Notice(Kind.REVIEW, "", "a"))
        there = heard(reader)
        account = {"atlas_account": tracker.account}
    assert there["atlas_tracking_refunds"] == [({**account, "atlas_step": "followed"}, 1)]
    assert there["atlas_tracking_changes_unhandled"] == [(account, 1)]
    assert there["atlas_tracking_notices_total"] == [({"atlas_kind": "review"}, 1)]
    (rules,) = re.findall(r"```yaml\n(.*?)```", (DOCS / "operations.md").read_text("utf-8"), re.DOTALL)
    alerts = yaml.safe_load(rules)["groups"][0]["rules"]
    panels = json.loads((DOCS / "dashboard.json").read_text("utf-8"))["panels"]
    asked = [rule["expr"] for rule in alerts] + [target["expr"] for panel in panels for target in panel["targets"]]
    assert (len(alerts), len(panels)) == (5, 6)
    names = {name for query in asked for name in re.findall(r"atlas_tracking_\w+", query)}
    assert names == {name for name in there if name.startswith("atlas_tracking_")}
    labels = {label for query in asked for label in re.findall(r"(atlas_(?:step|kind|account))\b", query)}
    assert labels == {label for points in there.values() for point, _ in points for label in point}
    kinds = re.findall(r'atlas_kind=~"([^"]*)"', " ".join(asked))[0].split("|")
    assert set(kinds) <= {kind.value for kind in Kind}


def test_a_step_that_nobody_is_at_any_more_is_zero() -> None:
    from datetime import UTC, datetime

    from atlas_refunds.tracking import Health

    reader = InMemoryMetricReader()
    otel = OpenTelemetry(meter_provider=MeterProvider([reader]))
    for steps in ({"review": 2}, {"final": 2}):
        otel.health(
            Health(at=datetime.now(UTC), account="a", steps=steps, overdue=0, unhandled=0, failing=0, gave_up=0)
        )
    found = {point["atlas_step"]: value for point, value in heard(reader)["atlas_tracking_refunds"]}
    assert found == {"review": 0, "final": 2}
