"""From what was noticed on the wire to overlay actions that fit and cure."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts import overlay
from scripts.propose import main

from .evidence import corrected

NOTES: dict[str, tuple[dict[str, Any], str, Any]] = {
    "code": (
        {"place": "RefundRule.ruleType", "kind": "unknown code", "value": "9", "times": 3},
        "$.components.schemas.RefundRule.properties.ruleType.enum",
        ["9"],
    ),
    "number": (
        {"place": "RefundOrder.refundStatus", "kind": "unknown code", "value": "7"},
        "$.components.schemas.RefundOrder.properties.refundStatus.enum",
        [7],
    ),
    "text code": (
        {"place": "RefundOrder.refundQuoteType", "kind": "unknown code", "value": "NonRefundable"},
        "$.components.schemas.RefundOrder.properties.refundQuoteType.enum",
        ["NonRefundable"],
    ),
    "null": (
        {"place": "ServiceFee.currency", "kind": "null or empty", "value": None},
        "$.components.schemas.ServiceFee1.properties.currency",
        {"nullable": True},
    ),
    "member of a renamed class": (
        {"place": "RefundResponse.refundReference", "kind": "unknown member", "value": "string"},
        "$.components.schemas.ApiRefundApplyResponse.properties",
        {
            "refundReference": {
                "type": "string",
                "nullable": True,
                "description": "Seen on the wire, not documented.",
            }
        },
    ),
    "member of an inline response": (
        {"place": "RefundQuotationResponse.requestId", "kind": "unknown member", "value": "string"},
        "$.paths['/refundQuotation.do'].post.responses['200'].content['application/json'].schema.properties",
        {"requestId": {"type": "string", "nullable": True, "description": "Seen on the wire, not documented."}},
    ),
}


def proposed(tmp_path: Path, capsys: pytest.CaptureFixture[str], *notes: dict[str, Any]) -> list[dict[str, Any]]:
    file = tmp_path / "notes.jsonl"
    file.write_text("\n".join(json.dumps(note) for note in notes), "utf-8")
    assert main([str(file)]) == 0
    actions: list[dict[str, Any]] = yaml.safe_load(capsys.readouterr().out)
    return actions


@pytest.mark.parametrize("note", NOTES)
def test_proposed_action_fits_and_says_what_was_seen(
    note: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given, target, update = NOTES[note]
    (action,) = proposed(tmp_path, capsys, given)
    assert (action["target"], action["update"], action["x-proof"]) == (target, update, "text")
    changed = overlay.apply(corrected(), [overlay.Action("proposed", action)])
    assert changed != corrected()


def test_what_has_more_than_one_cure_is_left_to_a_person(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (action, lost) = proposed(
        tmp_path,
        capsys,
        {"place": "RefundOrder.orderNo", "kind": "other type", "value": "integer"},
        {"place": "status", "kind": "unlisted code", "value": "7777"},
    )
    assert action["x-undecided"]
    assert "update" not in action
    assert "no schema" in lost["description"]


def test_damaged_notes_are_named_by_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "notes.jsonl"
    file.write_text('{"place": "A.b", "kind": "absent"}\nnonsense\n{}\n', "utf-8")
    assert main([str(file)]) == 1
    shown = capsys.readouterr().err
    assert "line 2" in shown
    assert "line 3" in shown
