"""What is in the wheel, and that it works where nothing else is installed."""

import json
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

import atlas_refunds

from .conftest import ROOT, Run

PACKAGES = {"atlas_refunds": ROOT / "atlas_refunds", "atlas_refunds_api": ROOT / "generated_client/atlas_refunds_api"}


def test_the_wheel_has_the_two_packages_and_nothing_beside(files: set[str]) -> None:
    info = f"atlas_refunds-{atlas_refunds.__version__}.dist-info"
    assert {name.partition("/")[0] for name in files} == {*PACKAGES, info}


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_is_whole_and_typed(package: str, files: set[str]) -> None:
    source = PACKAGES[package]
    expected = {f"{package}/{path.relative_to(source)}" for path in source.rglob("*.py")} | {f"{package}/py.typed"}
    assert {name for name in files if name.startswith(f"{package}/")} == expected


def test_the_metadata_names_what_is_needed_at_run_time(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        metadata = message_from_bytes(archive.read(name))
    needed = {line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line}
    assert {line.split(">")[0].split("<")[0] for line in needed} == {
        "aiohappyeyeballs",
        "attrs",
        "httpx",
        "python-dateutil",
        "sniffio",
    }
    assert "simulator" in metadata.get_all("Provides-Extra", [])
    assert metadata["Version"] == atlas_refunds.__version__


ONE_REFUND = """
import asyncio, httpx, json
from atlas_refunds import AtlasRefunds, Credentials, OrderNo

def reply(request):
    return httpx.Response(200, json={"status": 0, "refundStatus": 0, "refundCode": "202505-0012"})

async def main():
    async with httpx.AsyncClient(transport=httpx.MockTransport(reply)) as http:
        atlas = AtlasRefunds(Credentials("id", "secret"), base_url="https://atlas.example", http_client=http)
        refund = await atlas.submit(OrderNo("X1"), offer_id="q_1")
        print(refund.token)

asyncio.run(main())
"""


def test_a_refund_in_a_fresh_environment(fresh_python: Path, run: Run) -> None:
    assert json.loads(run(fresh_python, ONE_REFUND))["refund_code"] == "202505-0012"


def test_without_its_extra_the_simulator_says_what_to_install(fresh_python: Path, run: Run) -> None:
    script = """
import atlas_refunds
try:
    import atlas_refunds.simulator
except ImportError as error:
    print(error)
"""
    assert "pip install 'atlas-refunds[simulator]'" in run(fresh_python, script)


def test_without_its_extra_telemetry_says_what_to_install(fresh_python: Path, run: Run) -> None:
    script = """
try:
    import atlas_refunds.telemetry
except ImportError as error:
    print(error)
"""
    assert "pip install 'atlas-refunds[otel]'" in run(fresh_python, script)


USER_SCRIPT = """\
import asyncio
from datetime import date, timedelta
from decimal import Decimal

from atlas_refunds import (
    AtlasRefunds,
    OrderNo,
    OutcomeUnknownError,
    RefundPassenger,
    RefundReason,
    RefundSegment,
    RefundState,
    RefundToken,
)


async def give_back(order_no: str, last: str, first: str) -> RefundState:
    flight = RefundSegment(dep_date=date(2025, 5, 13), flight_no="U22437", dep_airport="LTN", arr_airport="CDG")
    who = RefundPassenger(last_name=last, first_name=first, refund_reason=RefundReason.VOLUNTARY, segments=[flight])
    async with AtlasRefunds.from_env() as atlas:
        quote = await atlas.quote(OrderNo(order_no), [who], display_currency="EUR")
        fare = quote.refund_fare_amount
        amount: Decimal | None = fare.estimated_refund_amount if fare else None
        try:
            token: RefundToken = (await atlas.submit(quote)).token
        except OutcomeUnknownError as unknown:
            code: str | None = unknown.refund_code
            raise
        async for state in atlas.watch(token):
            print(amount, state.refund_status, state.is_final)
        return await atlas.wait(token, timeout=timedelta(days=60))


asyncio.run(give_back("X1", "ZHAO", "YIER"))
"""

MISTAKES = """\
from atlas_refunds import AtlasRefunds, Credentials, OrderNo, RefundQuote

atlas = AtlasRefunds(Credentials("id", "secret"), base_url="https://atlas.example")


async def mistakes(quote: RefundQuote) -> None:
    await atlas.submit(quote, offer_id="q_1")
    await atlas.submit(OrderNo("X1"))
    await atlas.quote("X1", [])
    quote.is_refundable = True
    print(quote.refundable)
"""


def test_the_types_reach_the_user(fresh_python: Path, tmp_path: Path) -> None:
    """A script passes mypy --strict, and mypy sees what is wrong in another one."""
    (tmp_path / "script.py").write_text(USER_SCRIPT)
    (tmp_path / "mistakes.py").write_text(MISTAKES)
    mypy = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file", ""]
    where = ["--python-executable", str(fresh_python), "--cache-dir", str(tmp_path / "cache")]
    done = subprocess.run(
        [*mypy, *where, "script.py", "mistakes.py"], cwd=tmp_path, capture_output=True, text=True, env={}
    )
    found = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert [line.partition(": error:")[0] for line in found] == [f"mistakes.py:{n}" for n in (7, 8, 9, 10, 11)], (
        done.stdout + done.stderr
    )
