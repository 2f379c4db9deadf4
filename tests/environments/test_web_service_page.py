"""The service of docs/web-service.md as it stands: its own tests, and under gunicorn with two workers on uvloop."""

import asyncio
import os
import re
from pathlib import Path

import httpx
import pytest

from tests.service.test_docs import FILES, blocks

from .conftest import Atlas
from .journey import SECRET, an_order

PLUGIN = "atlas_refunds.pytest_plugin"  # pytest finds it by itself, among others that are not wanted here


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A folder with the files that the page has one save."""
    for name, text in zip(FILES, blocks("web-service.md", "python"), strict=True):
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


async def test_its_tests_pass_with_the_test_client(page: Path, atlas: Atlas) -> None:
    options = ("-q", "-W", "error", "-c", os.devnull, "--rootdir", ".", "-p", "no:cacheprovider", "-p", PLUGIN)
    status, output = await atlas.run(
        "-m", "pytest", *options, "test_service.py", cwd=page, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"
    )
    assert status == 0, output
    assert re.search("^2 passed", output, re.MULTILINE), output


async def test_two_workers_on_uvloop(page: Path, atlas: Atlas) -> None:
    """Its state is in the worker, so each refund has a connection of its own to one of them."""
    log = page / "gunicorn.log"
    async with atlas.gunicorn("service:create()", log, page, WEBHOOK_SECRET=SECRET) as url:
        all_submitted = asyncio.Barrier(8)
        endings = await asyncio.gather(*(refund(url, f"r{number}", atlas, all_submitted) for number in range(8)))
        async with httpx.AsyncClient(base_url=url, trust_env=False) as shop:
            event = {"orderNo": "SIM-REFUNDED", "refundStatus": 2}
            assert (await shop.post(f"/hooks/atlas/{SECRET}", json=event)).status_code == 200
    assert endings == [{"status": "2", "refunded": "True"}] * 8
    assert "Traceback" not in log.read_text()


async def refund(url: str, key: str, atlas: Atlas, all_submitted: asyncio.Barrier) -> object:
    who = {"order_no": an_order().order_no, "last_name": "ZHAO", "first_name": "YIER"}
    limits = httpx.Limits(max_connections=2)
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30, limits=limits) as shop:
        quoted = (await shop.put(f"/refunds/{key}", json=who)).raise_for_status().json()
        accepted = who | {"accepted_amount": quoted["amount"]}
        submitted = (await shop.put(f"/refunds/{key}", json=accepted)).raise_for_status().json()
        assert (quoted["step"], submitted["step"]) == ("quoted", "submitted")
        await all_submitted.wait()
        clock = {"advance_seconds": 60 * 86_400}  # or the first look is too early, and the next one minutes later
        (await shop.post(f"{atlas.plain}/_simulator/clock", json=clock)).raise_for_status()
        return (await shop.get(f"/refunds/{key}")).raise_for_status().json()
