"""A client of the layer in front of a scripted server, or of the simulator, with a clock that is moved by hand."""

import asyncio
import functools
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from atlas_refunds import (
    AtlasRefunds,
    Credentials,
    OrderNo,
    Refund,
    RefundPassenger,
    RefundReason,
    RefundSegment,
    RetryPolicy,
)
from atlas_refunds.simulator import CLIENT_ID, CLIENT_SECRET, SCENARIOS, Clock, Simulator

from .wire_server import WireServer, wire_server

SAMPLES = Path(__file__).parents[2] / "openapi" / "samples"
START = datetime(2025, 5, 12, 10, 6, tzinfo=UTC)

CREDENTIALS = Credentials("client-4711", "secret-0815")
ORDER = OrderNo("TESTA20250512100600259")
SEGMENT = RefundSegment(dep_date=date(2025, 5, 13), flight_no="U22437", dep_airport="LTN", arr_airport="CDG")
ZHAO, QIAN = (
    RefundPassenger(last_name=last, first_name=first, refund_reason=RefundReason.VOLUNTARY, segments=[SEGMENT])
    for last, first in (("ZHAO", "YIER"), ("QIAN", "ERER"))
)
ONCE = RetryPolicy(attempts=1)
CODE = "202505-0012"
SUBMITTED = {"status": 0, "msg": None, "refundStatus": 0, "refundCode": CODE, "orderNo": ORDER.order_no}


def sample_bytes(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def sample(name: str) -> Any:
    """Decoded with exact amounts."""
    return json.loads(sample_bytes(name), parse_float=Decimal)


def queried(status: object, **more: object) -> dict[str, object]:
    """The answer to a query that lists one refund."""
    return {"status": 0, "refundOrders": [{"refundCode": CODE, "refundStatus": status, **more}]}


def free_port() -> int:
    """Where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


async def leftovers() -> set[asyncio.Task[Any]]:
    """Tasks that still run beside the test's own, once those that are about to end have ended."""
    for _ in range(10):
        await asyncio.sleep(0)
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}


class HandClock:
    """Stands still; a sleep moves it, then does what the test wants to happen meanwhile."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.sleeps: list[float] = []
        self.meanwhile: Callable[[float], Awaitable[None]] | None = None

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.seconds += seconds
        if self.meanwhile is not None:
            await self.meanwhile(seconds)


@pytest.fixture(autouse=True, scope="session")
def certificates_are_read_once() -> Iterator[None]:
    """Reading them takes 25 ms, and here are hundreds of clients."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx, "create_ssl_context", functools.cache(httpx.create_ssl_context))
        yield


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def wire() -> AsyncIterator[WireServer]:
    async with wire_server() as server:
        yield server


@pytest.fixture
async def atlas(wire: WireServer, clock: HandClock) -> AsyncIterator[AtlasRefunds]:
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock) as client:
        yield client


@pytest.fixture
async def atlas_once(wire: WireServer, clock: HandClock) -> AsyncIterator[AtlasRefunds]:
    """Repeats nothing."""
    async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock, retry=ONCE) as client:
        yield client


class World:
    """The simulator in process; a sleep of the client is time that passes at Atlas."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.simulator = Simulator(clock=Clock(scale=0, start=START, monotonic=lambda: 0.0))
        self.polls: list[timedelta] = []
        clock.meanwhile = self._time_passes
        transport = httpx.ASGITransport(app=self.simulator.asgi)
        self.http = httpx.AsyncClient(transport=transport, event_hooks={"request": [self._count]})
        self.atlas = self.client()

    def client(self) -> AtlasRefunds:
        """Of a process of its own."""
        credentials = Credentials(CLIENT_ID, CLIENT_SECRET)
        return AtlasRefunds(credentials, base_url="http://127.0.0.1", http_client=self.http, clock=self.clock)

    async def refund(self, order_no: str) -> Refund:
        """Everybody of a scenario, submitted."""
        scenario = SCENARIOS[order_no.partition(".")[0]]
        segments = [
            RefundSegment(
                dep_date=datetime.strptime(segment.dep_date, "%Y%m%d").date(),
                flight_no=segment.flight_no,
                dep_airport=segment.dep_airport,
                arr_airport=segment.arr_airport,
            )
            for segment in scenario.segments
        ]
        people = [
            RefundPassenger(
                last_name=person.last_name,
                first_name=person.first_name,
                segments=segments,
                refund_reason=RefundReason.VOLUNTARY,
            )
            for person in scenario.passengers
        ]
        return await self.atlas.submit(OrderNo(order_no), passengers=people)

    async def _count(self, request: httpx.Request) -> None:
        if request.url.path == "/queryRefundOrders.do":
            self.polls.append(self.clock.now() - START)

    async def _time_passes(self, seconds: float) -> None:
        self.simulator.clock.advance(timedelta(seconds=seconds))


@pytest.fixture
async def world(clock: HandClock) -> AsyncIterator[World]:
    made = World(clock)
    async with made.http:
        yield made
