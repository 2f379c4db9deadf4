"""`python -m atlas_refunds.simulator`: prints the base URL, then runs until it is stopped."""

import argparse
import asyncio
import json
import logging
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from . import CLIENT_ID, CLIENT_SECRET, Clock, Simulator, serve
from .clock import scale_for
from .service import QUERY_WITHOUT_CODE

_HINT = """\
client id {client_id}, client secret {client_secret}; a simulated day lasts {day:g} s
a page to look at: {url}/
orders to play with: GET /_simulator/scenarios, faults: GET /_simulator/faults, webhooks: GET /_simulator/webhooks"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m atlas_refunds.simulator", description="A local Atlas refund API.")
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument("--day", type=float, default=1.0, help="real seconds per simulated day; 0 freezes the clock")
    parser.add_argument("--client-id", default=CLIENT_ID)
    parser.add_argument("--client-secret", default=CLIENT_SECRET)
    parser.add_argument(
        "--query-without-code", choices=QUERY_WITHOUT_CODE, default="refuse", help="810, or all refunds of the order"
    )
    parser.add_argument(
        "--accept-duplicates", action="store_true", help="execute each submit, to find out callers who submit twice"
    )
    parser.add_argument("--faults", type=Path, metavar="FILE.json", help="as for POST /_simulator/faults")
    parser.add_argument("--webhook-url", metavar="URL", help="where changes of refunds are announced")
    arguments = parser.parse_args()
    try:
        clock = Clock(scale=scale_for(arguments.day))
    except ValueError as wrong:
        parser.error(str(wrong))
    simulator = Simulator(
        clock=clock,
        client_id=arguments.client_id,
        client_secret=arguments.client_secret,
        query_without_code=arguments.query_without_code,
        accept_duplicates=arguments.accept_duplicates,
    )
    if arguments.faults:
        try:
            simulator.faults.load(json.loads(arguments.faults.read_bytes()))
        except (OSError, ValueError, RecursionError) as wrong:
            parser.error(f"{arguments.faults}: {wrong}")
    if arguments.webhook_url:
        try:
            simulator.webhooks.set(arguments.webhook_url)
        except ValueError as wrong:
            parser.error(f"--webhook-url: {wrong}")
    hint = partial(
        _HINT.format, client_id=arguments.client_id, client_secret=arguments.client_secret, day=arguments.day
    )
    try:
        asyncio.run(_run(simulator, arguments.port, hint))
    except OSError as wrong:
        parser.exit(1, f"cannot listen on port {arguments.port}: {wrong}\n")


async def _run(simulator: Simulator, port: int, hint: Callable[..., str]) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop(*_: object) -> None:
        loop.call_soon_threadsafe(stopped.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)  # loop.add_signal_handler does not exist on Windows
    courier = logging.getLogger("atlas_refunds.simulator")
    courier.addHandler(logging.StreamHandler(sys.stdout))
    courier.setLevel(logging.INFO)
    async with serve(simulator, port) as url:
        print(f"listening on {url}", flush=True)
        print(hint(url=url), flush=True)
        await stopped.wait()


if __name__ == "__main__":
    main()
