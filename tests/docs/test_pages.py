"""What the pages under docs/ promise: links that lead somewhere, tests that exist, examples that run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from atlas_refunds.simulator import CLIENT_ID, CLIENT_SECRET, Clock, Simulator, serve
from atlas_refunds.simulator.clock import scale_for

from .test_readme import ROOT, examples, run

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


def test_each_row_of_is_it_safe_to_repeat_names_a_test() -> None:
    rows = re.findall(r"\((\.\./tests/[\w/]+\.py)\)::(\w+)", (ROOT / "docs/submitting.md").read_text("utf-8"))
    assert len(rows) >= 15
    for path, name in rows:
        assert f"def {name}(" in (ROOT / "docs" / path).read_text("utf-8"), name


async def test_lost_answer_of_the_submitting_page_is_found() -> None:
    (example,) = re.findall(
        r"^```python\n(.*?)^```", (ROOT / "docs/submitting.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    async with serve(Simulator(clock=Clock(scale=0), query_without_code="list")) as url:
        output = await run(
            sys.executable,
            "-c",
            example,
            ATLAS_CLIENT_ID=CLIENT_ID,
            ATLAS_CLIENT_SECRET=CLIENT_SECRET,
            ATLAS_BASE_URL=url,
        )
    assert output.startswith("True Atlas lists the refund")


async def test_example_of_the_following_page_follows_two_refunds_to_their_ends() -> None:
    (example,) = examples(ROOT / "docs/following.md")
    async with serve(Simulator(clock=Clock(scale=scale_for(0.05)))) as url:
        output = await run(
            sys.executable,
            "-c",
            example,
            ATLAS_CLIENT_ID=CLIENT_ID,
            ATLAS_CLIENT_SECRET=CLIENT_SECRET,
            ATLAS_BASE_URL=url,
        )
    assert {"SIM-REFUNDED 2 end", "SIM-REJECTED 4 end"} <= set(output.splitlines())


async def test_example_of_the_settings_page_shuts_down() -> None:
    (example,) = examples(ROOT / "docs/settings.md")
    assert await run(sys.executable, "-W", "error", "-c", example) == "all ended\n"


def test_help_of_make_lists_the_commands_of_the_readme() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, env=os.environ, capture_output=True, text=True).stdout
    for command in re.findall(r"^make (\w+)", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE):
        assert re.search(rf"^{command}\b", listed, re.MULTILINE), command
