"""The README's examples, run as they stand."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from atlas_refunds.simulator import CLIENT_ID, CLIENT_SECRET, Clock, Simulator, serve
from atlas_refunds.simulator.clock import scale_for

ROOT = Path(__file__).parents[2]


def examples(page: Path) -> list[str]:
    """The Python blocks of a page."""
    return re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


BLOCKS = examples(ROOT / "README.md")


async def run(*command: str, **environment: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=environment.pop("cwd", None),
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def test_quickstart_ends_refunded() -> None:
    async with serve(Simulator(clock=Clock(scale=scale_for(0.05)))) as url:
        output = await run(
            sys.executable,
            "-c",
            BLOCKS[0],
            ATLAS_CLIENT_ID=CLIENT_ID,
            ATLAS_CLIENT_SECRET=CLIENT_SECRET,
            ATLAS_BASE_URL=url,
        )
    assert output.endswith("2 refunded\n")
    assert '"refund_code"' in output


async def test_pytest_recipe_follows_a_refund_of_seven_weeks(tmp_path: Path) -> None:
    (tmp_path / "test_user.py").write_text(BLOCKS[1], "utf-8")
    plugin = "atlas_refunds.pytest_plugin"
    output = await run(
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        plugin,
        "-o",
        "asyncio_mode=auto",
        str(tmp_path),
        PYTHONPATH=str(ROOT),
    )
    assert "1 passed" in output


@pytest.mark.parametrize("block", range(len(BLOCKS)))
def test_examples_type_check(block: int, tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(BLOCKS[block], "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "example.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
