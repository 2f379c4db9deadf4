"""The example service and the simulator as processes, as they run in earnest."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

SECRET = "a-secret-of-the-webhook-for-tests"
FLIGHT = {"dep_date": "2030-06-15", "flight_no": "U22437", "dep_airport": "LTN", "arr_airport": "CDG"}
PEOPLE = [
    {"last_name": last, "first_name": first, "segments": [FLIGHT]}
    for last, first in (("ZHAO", "YIER"), ("QIAN", "ERER"))
]
FAST = {
    "CALLS_PER_SECOND": "1000",
    "PATIENCE_SECONDS": "1.5",
    "SUBMIT_SECONDS": "1",
    "LEASE_SECONDS": "1",
    "WAKE_SECONDS": "0.2",
}


class Service:
    """`python -m examples.refund_service`, with two workers under uvicorn, in a process group of its own."""

    def __init__(self, atlas_url: str, folder: Path, **settings: str) -> None:
        self.log, self.port = folder / "service.log", free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.hook = f"{self.url}/hooks/atlas/{SECRET}"
        self._environment = {
            **os.environ,
            "ATLAS_CLIENT_ID": "simulator",
            "ATLAS_CLIENT_SECRET": "simulator-secret",
            "ATLAS_BASE_URL": atlas_url,
            "WEBHOOK_SECRET": SECRET,
            "DATABASE_URL": str(folder / "refunds.db"),
            "POLL_SECONDS": "0.2",
            "TICK_SECONDS": "0.05",
            **FAST,
            **settings,
        }
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Returns when it is ready; a worker may be so before the other."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "examples.refund_service", "--port", str(self.port)),
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        async with httpx.AsyncClient(trust_env=False) as http:
            for _ in range(2000):
                try:
                    if (await http.get(f"{self.url}/ready")).is_success:
                        return
                except httpx.HTTPError:
                    pass
                assert self._process.returncode is None, self.log.read_text()
                await asyncio.sleep(0.02)
        raise AssertionError(self.log.read_text())

    async def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """SIGTERM to the supervisor; SIGKILL to it and to all workers at once, as when the machine loses power."""
        assert self._process is not None
        if number is signal.SIGKILL:
            os.killpg(self._process.pid, number)
        else:
            self._process.send_signal(number)
        await self._process.wait()


@asynccontextmanager
async def simulator(*arguments: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of its control interface; `base_url` is its address."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "atlas_refunds.simulator", *arguments), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().removeprefix("listening on ").strip()
    dropping = asyncio.create_task(drop(process.stdout))
    try:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as http:
            yield http
    finally:
        process.terminate()
        await process.wait()
        await dropping


async def drop(lines: asyncio.StreamReader) -> None:
    while await lines.readline():
        pass


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


class Shop:
    """Who calls the service: patient, and with the same key until there is an answer."""

    def __init__(self, url: str, *, at_once: int = 16) -> None:
        limits = httpx.Limits(max_connections=at_once)
        self.http = httpx.AsyncClient(base_url=url, trust_env=False, timeout=20, limits=limits)
        self._turns = asyncio.Semaphore(at_once)

    async def post(self, key: str, order_no: str, amount: str | None = None) -> httpx.Response:
        body: dict[str, Any] = {"order_no": order_no, "passengers": PEOPLE}
        if amount is not None:
            body["accepted_amount"] = amount
        return await self.http.post("/refunds", json=body, headers={"Idempotency-Key": key})

    async def look(self, key: str) -> dict[str, Any]:
        view: dict[str, Any] = (await self.http.get(f"/refunds/{key}")).raise_for_status().json()
        return view

    async def refund(self, key: str, order_no: str) -> None:
        """Ask for the quote and accept it, until it is on its way."""
        async with self._turns:
            for _ in range(500):
                try:
                    answer = await self.post(key, order_no)
                    if answer.is_success and answer.json()["step"] == "quoted":
                        answer = await self.post(key, order_no, answer.json()["amount"])
                    if answer.is_success and answer.json()["step"] not in ("quoted", "submitting", "unclear"):
                        return
                except httpx.HTTPError:
                    pass  # it is being restarted
                await asyncio.sleep(0.1)
        raise AssertionError(f"{key} does not get on its way")

    async def until_ended(self, keys: list[str]) -> dict[str, str]:
        """The last step of each."""
        ended: dict[str, str] = {}
        for _ in range(300):
            for key in [key for key in keys if key not in ended]:
                try:
                    view = await self.look(key)
                except httpx.HTTPError:
                    break
                if view["step"] in ("refunded", "not refunded", "refused"):
                    ended[key] = view["step"]
            if len(ended) == len(keys):
                break
            await asyncio.sleep(0.002 * len(keys))
        return ended
