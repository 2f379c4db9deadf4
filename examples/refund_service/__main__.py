"""`python -m examples.refund_service` runs the service; `--demo` does so beside a local Atlas, with one refund."""

import argparse
import asyncio
import os
import secrets
import signal
import socket
import sys
import tempfile
from pathlib import Path
from typing import cast

import httpx
import uvicorn
from uvicorn.supervisors import Multiprocess

from .database import connect
from .settings import Settings
from .store import Store

APP = "examples.refund_service.app:create"
DROPPING: set[asyncio.Task[None]] = set()
"""Readers of pipes that would else be full one day."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.refund_service", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--demo", action="store_true", help="with a local Atlas, and one refund to look at")
    parser.add_argument("--once", action="store_true", help="end with the refund of the demo")
    given = parser.parse_args()
    if given.demo:
        return asyncio.run(demo(given.port, given.workers, once=given.once))
    asyncio.run(prepare(Settings.from_env()))
    run(given.port, given.workers)
    return 0


async def prepare(settings: Settings) -> None:
    """The table, before the first worker wants it."""
    store = Store(connect(settings.database_url))
    await store.prepare()
    await store.close()


def run(port: int, workers: int) -> None:
    listener = socket.create_server(("127.0.0.1", port))
    # Inherited by connections; without it an answer in two parts waits 40 ms for an acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(
        APP,
        factory=True,
        workers=workers,
        log_config=None,
        access_log=False,  # it would write down the secret of the webhook
        timeout_graceful_shutdown=5,
    )
    Multiprocess(config, sockets=[listener]).run()


# ---- the demo --------------------------------------------------------------------------------------------------------
async def demo(port: int, workers: int, *, once: bool) -> int:
    secret = secrets.token_urlsafe(24)
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "ATLAS_CLIENT_ID": "simulator",
            "ATLAS_CLIENT_SECRET": "simulator-secret",
            "WEBHOOK_SECRET": secret,
            "DATABASE_URL": os.environ.get("DATABASE_URL", str(Path(folder) / "refunds.db")),
            "POLL_SECONDS": "60",  # so that it is the webhooks that move it
            "WAKE_SECONDS": "0.2",
            "TICK_SECONDS": "0.2",
        }
        simulator, atlas_url = await start(environment, "-m", "atlas_refunds.simulator", "--day", "0.1")
        environment["ATLAS_BASE_URL"] = atlas_url
        service, url = await start(
            environment, "-m", "examples.refund_service", "--port", str(port), "--workers", str(workers)
        )
        try:
            async with httpx.AsyncClient(trust_env=False) as http:
                hook = {"url": f"{url}/hooks/atlas/{secret}"}
                (await http.post(f"{atlas_url}/_simulator/webhooks", json=hook)).raise_for_status()
                await one_refund(http, url)
            print(f"\nThe service: {url}/docs\nAtlas:       {atlas_url}/", flush=True)
            if not once:
                print("Both run until you stop them with Ctrl-C.", flush=True)
                await stopped()
        finally:
            for process in (service, simulator):
                process.terminate()
                await process.wait()
    return 0


async def one_refund(http: httpx.AsyncClient, url: str) -> None:
    """What a shop would call, step by step."""
    flight = {"dep_date": "2030-06-15", "flight_no": "U22437", "dep_airport": "LTN", "arr_airport": "CDG"}
    people = [{"last_name": "ZHAO", "first_name": "YIER", "segments": [flight]}]
    wanted: dict[str, object] = {"order_no": "SIM-REFUNDED", "passengers": people}
    headers = {"Idempotency-Key": f"demo-{secrets.token_hex(4)}"}
    quoted = (await http.post(f"{url}/refunds", json=wanted, headers=headers)).raise_for_status().json()
    print(f"quoted     {quoted['amount']} {quoted['currency']}, fee {quoted['fee']}")
    wanted["accepted_amount"] = quoted["amount"]
    accepted = (await http.post(f"{url}/refunds", json=wanted, headers=headers)).raise_for_status().json()
    print(f"accepted   {accepted['step']}")
    async with http.stream("GET", f"{url}/refunds/{quoted['key']}/events", timeout=60) as events:
        async for line in events.aiter_lines():
            if line.startswith("data: "):
                print(f"event      {line.removeprefix('data: ')}", flush=True)


async def start(environment: dict[str, str], *arguments: str) -> tuple[asyncio.subprocess.Process, str]:
    """A process that prints its address first, and that address; what it prints after that is dropped."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    lines = cast("asyncio.StreamReader", process.stdout)
    first = (await lines.readline()).decode()
    DROPPING.add(asyncio.create_task(drop(lines)))
    return process, first.removeprefix("listening on ").strip()


async def drop(lines: asyncio.StreamReader) -> None:
    while await lines.readline():
        pass


async def stopped() -> None:
    event, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, event.set)
    await event.wait()


if __name__ == "__main__":
    sys.exit(main())
