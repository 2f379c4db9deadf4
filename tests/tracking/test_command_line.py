"""`python -m atlas_refunds.tracking`: the worker as a process, the operations inside this one."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from atlas_refunds import AtlasRefunds, ConfigurationError, OrderNo
from atlas_refunds.simulator import CLIENT_ID, CLIENT_SECRET, Simulator
from atlas_refunds.tracking import Tracker, TrackerUnavailableError
from atlas_refunds.tracking.__main__ import main, parser, run
from tests.chaos.procedure import PEOPLE

from .conftest import HURRY

HANDLER = """
async def on_change(change):
    print("told", change.id, change.step.value, change.status, flush=True)
"""


@pytest.fixture
def environment(atlas_url: str, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("ATLAS_CLIENT_SECRET", CLIENT_SECRET)
    monkeypatch.setenv("ATLAS_BASE_URL", atlas_url)
    monkeypatch.setenv("ATLAS_TRACKING_URL", sqlite_url)


@pytest.mark.usefixtures("environment")
async def test_a_worker_and_what_an_operator_asks(
    sqlite_url: str, atlas: AtlasRefunds, simulator: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def said(*words: str) -> list[str]:
        await run(parser().parse_args(words))
        return capsys.readouterr().out.splitlines()

    async def objects(*words: str) -> list[Any]:
        return [json.loads(line) for line in await said(*words, "--json")]

    (tmp_path / "shop.py").write_text(HANDLER, "utf-8")
    async with Tracker(atlas, url=sqlite_url, policy=HURRY, work=False) as front:
        await front.submit(await atlas.quote(OrderNo("SIM-REFUNDED"), PEOPLE), key="order 7")
    (listed,) = await objects("list", "--step", "followed")
    assert (listed["key"], listed["order_no"], listed["step"]) == ("order 7", "SIM-REFUNDED", "followed")
    simulator.clock.advance(timedelta(days=60))
    (checked,) = await objects("check", "order 7")
    assert checked["step"] == "final"

    heartbeat = tmp_path / "alive"
    worker = await command(
        "work", "--every", "0.2", "--handler", "shop:on_change", "--heartbeat", str(heartbeat), cwd=tmp_path
    )
    assert worker.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(30):
        while not lines or " final " not in lines[-1]:
            lines.append((await worker.stdout.readline()).decode())
    worker.send_signal(signal.SIGTERM)
    _, errors = await worker.communicate()
    assert worker.returncode == 0
    assert "ZHAO" not in errors.decode()
    assert lines[0].startswith("working for simulator at http://127.0.0.1:")
    assert heartbeat.exists()
    assert lines[-1].startswith("told order 7/")

    row, *changes = await objects("show", "order 7")
    assert row["step"] == "final"
    assert [change["number"] for change in changes] == list(range(1, row["changes"] + 1))
    (replayed,) = await objects("replay", "order 7", "--change", "1")
    assert replayed["handled_at"] is None
    assert await objects("list", "--failing") == []
    assert await objects("list", "--order", "another") == []
    assert json.loads(*await said("counts")) == {"final": 1}
    (human,) = await said("list", "--order", "SIM-REFUNDED")
    assert human.startswith("order 7 ")
    assert " final " in human
    (forgotten,) = await objects("forget", "order 7", "--by", "zoe", "--reason", "asked to")
    assert forgotten["step"] == "final"
    assert await said("after-restore", "--by", "zoe") == ["0 refunds are looked for before anything is sent"]
    *_, first, second = await objects("show", "order 7")
    assert (first["what"], first["reason"], second["what"]) == ("forget", "asked to", "after-restore")


async def command(*words: str, **settings: Any) -> asyncio.subprocess.Process:
    program, pipe = (sys.executable, "-m", "atlas_refunds.tracking", *words), asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*program, stdout=pipe, stderr=pipe, env=os.environ, **settings)


async def test_without_a_command_it_helps_and_does_nothing() -> None:
    process = await command()
    output, _ = await process.communicate()
    assert process.returncode == 2
    assert b"submit-again" in output


def test_reading_makes_nothing_and_needs_no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ATLAS_CLIENT_ID", raising=False)
    url = f"sqlite:///{tmp_path}/typo.db"

    def runs(*words: str) -> None:
        asyncio.run(run(parser().parse_args(["--url", url, *words])))

    for words in (("list",), ("counts",), ("show", "a"), ("replay", "a")):
        with pytest.raises(TrackerUnavailableError, match="SQLITE_CANTOPEN"):
            runs(*words)
    assert list(tmp_path.iterdir()) == []
    runs("migrate")
    runs("list")
    with sqlite3.connect(tmp_path / "typo.db") as c:
        c.execute("drop table atlas_refund_schema")
    with pytest.raises(ConfigurationError, match="no tables of this release"):
        runs("list")
    c.close()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--url", "sqlite:///none.db", "replay", "unknown"], "SQLITE_CANTOPEN"),
        (["--url", "mysql://a@b/c", "list"], "url: give sqlite:///FILE"),
        (["list"], "--url: give the database"),
        (["--url", "sqlite:///none.db", "work", "--polls-per-second", "0"], "tracking policy"),
        (["--url", "sqlite:///none.db", "work", "--handler", "nowhere:at_all"], "--handler: "),
        (["paint"], "invalid choice"),
    ],
)
def test_mistakes_end_with_one_sentence(
    words: list[str], says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("ID", "a"), ("SECRET", "b")):
        monkeypatch.setenv(f"ATLAS_CLIENT_{name}", value)
    monkeypatch.setenv("ATLAS_BASE_URL", "https://atlas.example")
    monkeypatch.setattr(sys, "argv", ["tracking", *words])
    with suppress(SystemExit):
        assert main() == 1
    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said
