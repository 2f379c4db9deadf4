"""The plugin in a pytest of its own, as users have it."""

import subprocess
import sys
from pathlib import Path

PLUGIN = "atlas_refunds.pytest_plugin"
OPTIONS = ["asyncio_mode=auto", "asyncio_default_fixture_loop_scope=function"]
HEAD = """
import asyncio
from datetime import date
import pytest
from atlas_refunds import *

HOME = AtlasRefunds(Credentials("a", "b"), base_url="http://127.0.0.1:9", retry=RetryPolicy(attempts=1))
AWAY = AtlasRefunds(Credentials("a", "b"), base_url="https://atlas.invalid", retry=RetryPolicy(attempts=1))
ORDER = OrderNo("SIM-REFUNDED")
"""


def pytest(folder: Path, test: str, *options: str, plugin: str = PLUGIN) -> str:
    (folder / "test_users.py").write_text(HEAD + test)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        plugin,
        "-W",
        "error",
        "--strict-markers",
    ]
    command += [*(f"-o{option}" for option in (*OPTIONS, *options)), "--rootdir", str(folder), str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def test_no_client_leaves_the_machine_unless_it_is_allowed(tmp_path: Path) -> None:
    test = """
@pytest.mark.parametrize("call", [lambda a: a.get(ORDER, "1"), lambda a: a.submit(ORDER, offer_id="q_1")])
async def test_refused(call):
    with pytest.raises(ConfigurationError, match="atlas_hosts.*nothing was sent"):
        await call(AWAY)
    with pytest.raises(NotSentError):
        await call(HOME)
    assert AWAY.unsettled == ()

@pytest.mark.atlas_hosts("atlas.invalid")
async def test_allowed_here():
    with pytest.raises(NotSentError):
        await AWAY.get(ORDER, "1")

async def test_refused_again():
    with pytest.raises(ConfigurationError):
        await AWAY.get(ORDER, "1")

async def test_injected_client_is_the_users_to_guard():
    import httpx
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(404))) as http:
        atlas = AtlasRefunds(Credentials("a", "b"), base_url="https://atlas.invalid", http_client=http)
        with pytest.raises(InvalidRequestRejected):
            await atlas.get(ORDER, "1")
"""
    assert "5 passed" in pytest(tmp_path, test)


def test_hosts_of_the_configuration_are_allowed_everywhere(tmp_path: Path) -> None:
    test = """
async def test_allowed():
    with pytest.raises(NotSentError):
        await AWAY.get(ORDER, "1")
"""
    assert "1 passed" in pytest(tmp_path, test, "atlas_hosts=staging.invalid atlas.invalid")
    assert "1 passed" in pytest(tmp_path, test, "atlas_hosts=*")
    assert "1 failed" in pytest(tmp_path, test, "atlas_hosts=staging.invalid")


def test_the_client_in_front_of_the_simulator_steps_its_clock_and_leaves_nothing_open(tmp_path: Path) -> None:
    test = """
FLIGHT = RefundSegment(dep_date=date(2030, 6, 15), flight_no="U22437", dep_airport="LTN", arr_airport="CDG")
WHO = RefundPassenger(last_name="A", first_name="B", refund_reason=RefundReason.VOLUNTARY, segments=[FLIGHT])
ZHAO = RefundPassenger(last_name="ZHAO", first_name="YIER", refund_reason=RefundReason.VOLUNTARY, segments=[FLIGHT])

async def refunded(atlas):
    refund = await atlas.submit(await atlas.quote(ORDER, [ZHAO]))
    assert (await atlas.wait(refund)).is_refunded

async def test_async(atlas):
    await refunded(atlas)

def test_sync(atlas):
    asyncio.run(refunded(atlas))

@pytest.mark.anyio
async def test_anyio(atlas, anyio_backend):
    await refunded(atlas)

@pytest.fixture
def anyio_backend():
    return "asyncio"

KEPT = []

def test_keeps_it(atlas):
    KEPT.append(atlas)

async def test_it_is_closed_after_its_test():
    with pytest.raises(ConfigurationError, match="closed"):
        await KEPT[0].get(ORDER, "1")
"""
    assert "5 passed" in pytest(tmp_path, test, plugin="atlas_refunds.simulator.pytest_plugin")


def test_the_plugin_alone_starts_nothing_and_loads_neither_simulator_nor_http(tmp_path: Path) -> None:
    test = """
def test_modules():
    import sys, threading
    assert not {"httpx", "httpcore", "starlette", "uvicorn", "atlas_refunds.simulator"} & sys.modules.keys()
    assert threading.active_count() == 1
"""
    assert "1 passed" in pytest(tmp_path, test)
