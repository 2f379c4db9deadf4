"""The service beside a local Atlas whose clock stands still."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from .campaign import NEVER_LOGGED, lines
from .processes import Service, Shop, simulator


class World:
    """Atlas, whose clock stands still, the service beside it, and who calls it."""

    def __init__(self, control: httpx.AsyncClient, service: Service, shop: Shop) -> None:
        self.control, self.service, self.shop, self.http = control, service, shop, shop.http

    async def days(self, days: float) -> None:
        await self.control.post("/_simulator/clock", json={"advance_seconds": days * 86_400})

    async def faults(self, delay: float, **rates: dict[str, float]) -> None:
        wanted = {"seed": 1, "delay_seconds": delay, "rates": rates}
        (await self.control.post("/_simulator/faults", json=wanted)).raise_for_status()

    async def until(self, key: str, **members: str) -> dict[str, Any]:
        for _ in range(1000):
            view = await self.shop.look(key)
            if members.items() <= view.items():
                return view
            await asyncio.sleep(0.02)
        raise AssertionError(f"{view} does not become {members}")

    async def submissions(self, order_no: str) -> int:
        orders = (await self.control.get("/_simulator/state")).json()["orders"]
        return int(orders.get(order_no, {}).get("submissions", 0))

    async def executed(self, order_no: str) -> None:
        """Returns when Atlas has executed a submit."""
        for _ in range(1000):
            if await self.submissions(order_no):
                return
            await asyncio.sleep(0.005)

    async def queries(self) -> int:
        return int((await self.control.get("/_simulator/faults")).json()["calls"]["query"])

    async def events(self, key: str, **headers: str) -> list[str]:
        """The data of all events, until the stream ends."""
        async with self.http.stream("GET", f"/refunds/{key}/events", headers=headers) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            return [line.removeprefix("data: ") async for line in stream.aiter_lines() if line.startswith("data: ")]

    async def until_asked(self, times: int) -> None:
        for _ in range(1000):
            if await self.queries() >= times:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"it does not ask {times} times")

    def payments(self, key: str) -> int:
        """How often the log says that it was paid."""
        log = lines(self.service.log.read_text("utf-8"))
        return sum(line["message"] == "paid" and line["key"] == key for line in log)

    async def accepted(self, key: str, order_no: str) -> httpx.Response:
        quoted = (await self.shop.post(key, order_no)).raise_for_status().json()
        return await self.shop.post(key, order_no, quoted["amount"])


@asynccontextmanager
async def running(folder: Path, **settings: str) -> AsyncIterator[World]:
    async with simulator("--day", "0", "--query-without-code", "list") as control:
        service = Service(str(control.base_url), folder, **settings)
        await service.start()
        shop = Shop(service.url)
        async with shop.http:
            yield World(control, service, shop)
        await service.end()
        assert not [word for word in NEVER_LOGGED if word in service.log.read_text()]
