import copy
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts import spec
from scripts.errors import SpecError
from scripts.generate import PACKAGE, generate
from scripts.spec import ROOT, committed_page, main, outputs, specs, stale

from .evidence import corrected

Json = dict[str, Any]


def generated(into: Path, document: Json) -> dict[str, bytes]:
    source = into / "spec.json"
    source.write_text(json.dumps(document), "utf-8")
    generate(source, into / "generated_client")
    return outputs(into)


def committed() -> dict[str, bytes]:
    return {name: content for name, content in outputs(ROOT).items() if name.startswith("generated_client/")}


def backwards(document: Json) -> Json:
    return {
        **document,
        "paths": dict(reversed(document["paths"].items())),
        "components": {kind: dict(reversed(c.items())) for kind, c in reversed(document["components"].items())},
    }


# ---- the same page, the same bytes -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("seed", "order"), [("0", dict), ("7", backwards)], ids=["order of the page", "another seed, everything reversed"]
)
def test_the_client_does_not_depend_on_hashes_or_order(
    seed: str, order: Callable[[Json], Json], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", seed)
    assert generated(tmp_path, order(corrected())) == committed()


def test_the_committed_specifications_are_what_the_page_yields() -> None:
    for name, document in specs(committed_page())._asdict().items():
        assert json.loads((ROOT / f"openapi/{name}.json").read_text("utf-8")) == document


# ---- what no longer fits stops the build -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("field", "schema", "message"),
    [
        ("grid", {"type": "array", "items": {"type": "array", "items": {"type": "string"}}}, "no reader for grid"),
        ("raw", {"type": "string"}, "reserved name or default: RefundOrder.raw"),
        ("count", {"type": "integer", "default": 0}, "reserved name or default: RefundOrder.count"),
    ],
    ids=["list of lists", "reserved name", "default"],
)
def test_a_field_that_the_templates_do_not_know_is_named(
    field: str, schema: Json, message: str, tmp_path: Path
) -> None:
    document = copy.deepcopy(corrected())
    document["components"]["schemas"]["RefundOrder"]["properties"][field] = schema
    with pytest.raises(SpecError, match=f"(?s)the generator stopped.*{re.escape(message)}"):
        generated(tmp_path, document)


def test_what_the_lint_refuses_is_not_built() -> None:
    seat = '"seat":{"type":"string","enum":["A1"],"description":"new"},'
    page = committed_page().replace('"ticketNo":', f'{seat}"ticketNo":')
    with pytest.raises(SpecError, match=r"(?s)RefundTicket/properties/seat: an enum needs a title, its class name"):
        specs(page)


# ---- check -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of everything that is built, to be altered."""
    for name, content in outputs(ROOT).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_check_shows_what_was_altered(
    copied: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = copied / "generated_client" / PACKAGE
    ticket = package / "models/refund_ticket.py"
    ticket.write_text(ticket.read_text("utf-8").replace('"ticketNo", wire.text', '"ticket", wire.text'), "utf-8")
    (package / "models/added.py").write_text("x = 1\n", "utf-8")
    (package / "py.typed").unlink()
    monkeypatch.setattr(spec, "ROOT", copied)
    assert main(["check"]) == 1
    shown = capsys.readouterr().out.splitlines()
    assert [line for line in shown if line.startswith(("---", "+++"))] == [
        f"{side}/generated_client/{PACKAGE}/models/{file}.py"
        for file in ("added", "refund_ticket")
        for side in ("--- committed", "+++ built")
    ]
    assert '-            ticket_no=wire.get(src, "ticket", wire.text, True),' in shown
    assert '+            ticket_no=wire.get(src, "ticketNo", wire.text, True),' in shown
    assert f"generated_client/{PACKAGE}/py.typed: present on one side only, empty" in shown


def test_a_long_difference_is_cut(copied: Path) -> None:
    (copied / "openapi/merged.json").write_text("{}\n", "utf-8")
    lines = stale(copied, ROOT)
    assert len(lines) == spec.DIFF_LINES + 1
    assert re.fullmatch(r"\.\.\. \d+ more lines of openapi/merged\.json", lines[-1])


def test_caches_are_not_part_of_the_client(copied: Path) -> None:
    cache = copied / "generated_client" / PACKAGE / "__pycache__"
    cache.mkdir()
    (cache / "errors.cpython-311.pyc").write_bytes(b"\xff")
    assert stale(copied, ROOT) == []


def test_a_page_that_is_not_the_fetched_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "refunds.md"
    page.write_bytes(spec.PAGE.read_bytes().replace(b"Ask Eva", b"Ask Bob"))
    monkeypatch.setattr(spec, "PAGE", page)
    assert main(["check"]) == 1
    assert re.match(
        r"refunds\.md is not the page that was fetched:\n  sha256 \w{64}, recorded \w{64}\n$", capsys.readouterr().err
    )


def test_a_failed_build_writes_nothing(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = committed_page().replace('"ticketNo"', '"ticketNumber"', 1)  # in one of the three documents only
    before = outputs(copied)
    with pytest.raises(SpecError, match="the documents contradict each other"):
        spec.write(page, copied, client=True)
    assert outputs(copied) == before


# ---- the tools that decide a byte ------------------------------------------------------------------------------------
def test_the_tools_are_pinned_alike() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    pins = {re.sub(r"\[.*\]", "", pin).lower() for pin in project["dependency-groups"]["spec"]}
    assert [pin for pin in pins if not re.fullmatch(r"[\w-]+==[\d.]+", pin)] == []
    assert {pin.split("==")[0] for pin in pins} >= {"openapi-python-client", "ruff"}
    assert pins <= set((ROOT / "requirements.lock").read_text("utf-8").splitlines())
