"""docs/tracking.md, run as it stands, from an empty folder."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tracking.md").read_text("utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")
SHELL, PYTHON = (re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) for kind in ("sh", "python"))


@pytest.mark.skipif(shutil.which("timeout") is None, reason="the page kills with coreutils' timeout")
async def test_a_killed_process_starts_again_and_its_refund_finishes(tmp_path: Path) -> None:
    """All of it, from the installation on. ATLAS_TEST_OFFLINE=1 leaves that out and takes what is installed here."""
    install, story = SHELL
    if os.environ.get("ATLAS_TEST_OFFLINE"):
        install = "\n".join(install.splitlines()[3:])
    (tmp_path / "shop.py").write_text(PYTHON[0], "utf-8")
    (tmp_path / "page.sh").write_text(f"{install}\n{story}", "utf-8")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with (tmp_path / "errors").open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *("bash", "page.sh"),
            cwd=tmp_path,
            env=os.environ | {"PATH": path, "ATLAS_REFUNDS": str(ROOT)},
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    try:
        output, _ = await process.communicate()
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # the simulator
    lines = output.decode().splitlines()
    assert process.returncode == 0, (tmp_path / "errors").read_text()
    assert "killed" in lines
    told = [line for line in lines if re.fullmatch(r"refund-7/\d+ \w+ \w+", line)]
    assert told[-1].endswith(" final 2")
    listed = lines[lines.index("killed") + 1]
    assert listed.startswith("refund-7 ")
    assert " followed " in listed
    assert any(re.match(r"refund-7 +final ", line) for line in lines)


def test_examples_type_check(tmp_path: Path) -> None:
    names = [f"example{number}.py" for number in range(len(PYTHON))]
    for name, block in zip(names, PYTHON, strict=True):
        (tmp_path / name).write_text(block, "utf-8")
    mypy = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--ignore-missing-imports",
        "--cache-dir",
        str(ROOT / ".mypy_cache"),
        *names,
    ]
    done = subprocess.run(mypy, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_step_notice_and_column_is_documented() -> None:
    from atlas_refunds.tracking import Change, Kind, Step, Tracked

    names = [*(step.value for step in Step), *Tracked.__annotations__, *Change.__annotations__]
    assert [name for name in names if f"`{name}`" not in PAGE] == []
    assert [kind.value for kind in Kind if f"`{kind.value}`" not in OPERATIONS] == []


def test_every_command_is_documented() -> None:
    from atlas_refunds.tracking.__main__ import parser

    listed = re.findall(r"^    ([a-z-]+)(?: |$)", parser().format_help(), re.MULTILINE)
    assert len(listed) == 10
    assert [name for name in listed if f"`{name}" not in OPERATIONS] == []
