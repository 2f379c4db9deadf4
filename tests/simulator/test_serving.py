"""The three ways to run it: in an event loop, as a process, in somebody's tests."""

import asyncio
import re
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from atlas_refunds.simulator import Simulator, serve

from .conftest import HEADERS, Api

ROOT = Path(__file__).parents[2]


async def test_a_refund_over_a_socket(simulator: Simulator) -> None:
    async with serve(simulator) as url, httpx.AsyncClient(base_url=url, headers=HEADERS) as http:
        api = Api(http)
        quote = await api.quote(displayCurrency="EUR")
        code = (await api.submit(refundOfferId=quote["refundOfferId"]))["refundCode"]
        simulator.clock.advance(timedelta(days=49))
        assert (await api.refund_order("SIM-REFUNDED", code))["refundStatus"] == 2


async def test_serving_leaves_signals_alone_and_frees_the_port(simulator: Simulator) -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    async with serve(simulator) as url:
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
        port = int(url.rpartition(":")[2])
    with pytest.raises(httpx.ConnectError):
        async with httpx.AsyncClient() as http:
            await http.get(url)
    async with serve(simulator, port) as again:
        assert again == url


async def test_an_open_connection_does_not_hold_up_the_end(simulator: Simulator) -> None:
    async with httpx.AsyncClient(headers=HEADERS) as http:
        async with serve(simulator) as url:
            await http.get(f"{url}/_simulator/state")
            begun = time.monotonic()
        assert time.monotonic() - begun < 1


async def test_a_kept_connection_does_not_wait_for_acknowledgements(simulator: Simulator) -> None:
    async with serve(simulator) as url, httpx.AsyncClient(base_url=url, headers=HEADERS) as http:
        api, durations = Api(http), list[float]()
        for _ in range(20):
            begun = time.monotonic()
            await api.quote()
            durations.append(time.monotonic() - begun)
    assert statistics.median(durations) < 0.03


async def test_a_port_that_is_taken_is_an_error(simulator: Simulator) -> None:
    async with serve(simulator) as url:
        with pytest.raises(OSError, match="in use"):
            async with serve(simulator, int(url.rpartition(":")[2])):
                pass


@contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "atlas_refunds.simulator", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            running.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_stopped(number: signal.Signals) -> None:
    with process("--port", "0", "--day", "0") as running:
        assert running.stdout
        assert running.stderr
        first = running.stdout.readline()
        assert first.startswith("listening on http://127.0.0.1:")
        with httpx.Client(base_url=first.split()[-1], headers=HEADERS) as http:
            body = {"orderNo": "SIM-REFUNDED", "refundRequestList": Api.people("SIM-REFUNDED")}
            assert http.post("/refund.do", json=body).json()["refundStatus"] == 0
            clock = http.post("/_simulator/clock", json={"advance_seconds": 49 * 86_400}).json()
            assert clock["now"].startswith("2025-06-30")
            running.send_signal(number)
            assert running.wait(timeout=10) == 0
        assert "simulator-secret" in running.stdout.read()
        assert running.stderr.read() == ""


def test_the_command_refuses_an_impossible_day() -> None:
    with process("--day", "-1") as running:
        _, errors = running.communicate(timeout=10)
    assert running.returncode == 2
    assert "a simulated day" in errors


def test_the_command_says_that_its_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, process("--port", str(taken.getsockname()[1])) as running:
        _, errors = running.communicate(timeout=10)
    assert running.returncode == 1
    assert errors.startswith("cannot listen on port")
    assert errors.count("\n") == 1


def test_the_plugin_serves_sync_and_async_tests(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["atlas_refunds.simulator.pytest_plugin"]')
    (tmp_path / "test_users.py").write_text(
        """
from datetime import timedelta
import httpx

def test_sync(atlas_simulator, atlas_simulator_url):
    before = httpx.get(atlas_simulator_url + "/_simulator/state").json()["clock"]
    atlas_simulator.clock.advance(timedelta(days=1))
    after = httpx.get(atlas_simulator_url + "/_simulator/state").json()["clock"]
    assert (before["now"][:10], after["now"][:10]) == ("2025-05-12", "2025-05-13")

async def test_async(atlas_simulator_url):
    async with httpx.AsyncClient(base_url=atlas_simulator_url) as http:
        assert (await http.post("/refund.do")).json()["status"] == 900
"""
    )
    settings = ["asyncio_mode=auto", "asyncio_default_fixture_loop_scope=function"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    command += [f"-o{setting}" for setting in settings] + ["--rootdir", str(tmp_path), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_the_simulator_and_the_layer_do_not_know_each_other() -> None:
    loaded = python("import atlas_refunds, sys; print('loaded', [name for name in sys.modules if 'simulator' in name])")
    assert loaded == "loaded []\n"
    for source in (ROOT / "atlas_refunds" / "simulator").glob("*.py"):
        assert not re.search(r"from \.\.|(from|import) atlas_refunds", source.read_text("utf-8")), source


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_a_missing_extra_is_named(missing: str) -> None:
    last = python(f"import sys; sys.modules[{missing!r}] = None; import atlas_refunds.simulator").splitlines()[-1]
    assert last == f"ImportError: the simulator needs {missing}: pip install 'atlas-refunds[simulator]'"


async def test_many_callers_one_refund(simulator: Simulator) -> None:
    async with serve(simulator) as url, httpx.AsyncClient(base_url=url, headers=HEADERS) as http:
        api = Api(http)
        offer = (await api.quote())["refundOfferId"]
        answers = await asyncio.gather(*(api.submit(refundOfferId=offer) for _ in range(20)))
    assert sorted(answer["status"] for answer in answers) == [0] + [816] * 19
