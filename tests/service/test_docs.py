"""The pages about webhooks and web services, as they stand: their commands run, their examples type-check."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .processes import free_port

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("web-service.md", "webhooks.md", "environments.md")
FILES = ("service.py", "test_service.py")  # the examples of the first page


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (DOCS / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)


async def test_from_an_empty_folder_to_a_finished_refund(tmp_path: Path) -> None:
    """Its commands, all but the installation, with other ports and shorter days."""
    (tmp_path / "service.py").write_text(blocks("web-service.md", "python")[0], "utf-8")
    binaries = tmp_path / ".venv" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python").symlink_to(sys.executable)
    (binaries / "uvicorn").write_text(f'#!/bin/sh\nexec {sys.executable} -m uvicorn "$@"\n')
    (binaries / "uvicorn").chmod(0o755)
    _, run, ask = blocks("web-service.md", "bash")
    ready = "until curl -sf $ATLAS_BASE_URL/ && curl -sf http://127.0.0.1:8000/docs; do sleep 0.05; done >/dev/null\n"
    script = run.replace("sleep 3\n", ready).replace("--day 0.7", "--day 0.001") + ask + "kill %1 %2; wait\n"
    for port in ("8765", "8000"):
        script = script.replace(port, str(free_port()))
    process = await asyncio.create_subprocess_exec(
        *("bash", "-m", "-c", script),
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    (expected,) = blocks("web-service.md", "text")
    assert expected.splitlines() == [line for line in output.decode().splitlines() if line.startswith("{")]


@pytest.mark.parametrize("page", PAGES)
def test_examples_type_check(page: str, tmp_path: Path) -> None:
    examples = blocks(page, "python")
    files = dict(zip(FILES, examples, strict=True)) if page == "web-service.md" else {"example.py": "\n".join(examples)}
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", "", *files]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_picture_is_there_and_small() -> None:
    picture = (DOCS / "images" / "simulator.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 200_000


def test_the_demo_shows_one_refund_from_quote_to_end() -> None:
    command = [sys.executable, "-m", "examples.refund_service", "--demo", "--once", "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert '"step": "refunded", "status": "2"' in done.stdout
