"""`make screenshot`: the simulator's page with a few refunds on it, as docs/images/simulator.png."""

import asyncio
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import httpx

from atlas_refunds.simulator import Clock, Simulator, serve
from tests.layer.wire_server import answers, wire_server

from .browser import browser, chromedriver
from .conftest import HEADERS, PATHS, Api

DEFAULT = Path(__file__).parents[2] / "docs" / "images" / "simulator.png"


async def play(simulator: Simulator, url: str, hook: str) -> None:
    """Refunds in different states, webhooks that came twice, too late and from somebody else."""
    simulator.webhooks.set(hook, seed=4, rates={"twice": 0.3, "forged": 0.3, "late": 0.3})
    async with httpx.AsyncClient(base_url=url, headers=HEADERS) as http:
        for order_no in ("SIM-REJECTED", "SIM-VOID", "SIM-REFUNDED"):
            await http.post(PATHS["submit"], json={"orderNo": order_no, "refundRequestList": Api.people(order_no)})
    simulator.clock.advance(timedelta(days=10))
    await simulator.deliver()


async def shoot() -> bytes:
    simulator = Simulator(clock=Clock(scale=0))
    async with wire_server() as hook, serve(simulator) as url:
        hook.plays(answers({}))
        await play(simulator, url, f"{hook.url}/hooks/atlas/...")
        return await asyncio.to_thread(photograph, url)


def photograph(url: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder, chromedriver(Path(folder)) as http, browser(http) as window:
        window.open(url)
        return window.screenshot()


if __name__ == "__main__":
    (Path(sys.argv[1]) if sys.argv[1:] else DEFAULT).write_bytes(asyncio.run(shoot()))
