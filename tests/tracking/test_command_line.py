"""`python -m atlas_refunds.tracking`: the worker as a process, the operations inside this one."""

import asyncio
import json
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from atlas_refunds import AtlasRefunds, OrderNo
from atlas_refunds.simulator import CLIENT_ID, CLIENT_SECRET, Simulator
from atlas_refunds.tracking import Tracker
from atlas_refunds.tracking.__main__ import parser, run
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

    worker = await command("work", "--every", "0.2", "--handler", "shop:on_change", cwd=tmp_path)
    assert worker.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(30):
        while not lines or " final " not in lines[-1]:
            lines.append((await worker.stdout.readline()).decode())
    worker.send_signal(signal.SIGTERM)
    _, errors = await worker.communicate()
    assert worker.returncode == 0
    assert "ZHAO" not in errors.decode()
    assert lines[0].startswith("working; {")
    assert lines[-1].startswith("told order 7/")

    row, *changes = await objects("show", "order 7")
    assert row["step"] == "final"
    assert [change["number"] for change in changes] == list(range(1, row["changes"] + 1))
    (replayed,) = await objects("replay", "order 7", "--change", "1")
    assert replayed["handled_at"] is None
    assert await objects("list", "--failing") == []
    (human,) = await said("list")
    assert human.startswith("order 7 ")
    assert " final " in human


async def command(*words: str, **settings: Any) -> asyncio.subprocess.Process:
    program, pipe = (sys.executable, "-m", "atlas_refunds.tracking", *words), asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*program, stdout=pipe, stderr=pipe, env=os.environ, **settings)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("submit-again", "unknown"), b"no refund is known under this key"),
        (("--url", "mysql://a@b/c", "list"), b"url: give sqlite:///FILE"),
        (("work", "--polls-per-second", "0"), b"tracking policy"),
        (("work", "--handler", "nowhere:at_all"), b"--handler: "),
        (("paint",), b"invalid choice"),
    ],
)
async def test_mistakes_end_with_one_sentence(words: tuple[str, ...], says: bytes) -> None:
    process = await command(*words)
    _, errors = await process.communicate()
    assert process.returncode
    assert says in errors
    assert b"Traceback" not in errors
