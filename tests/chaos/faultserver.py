"""An Atlas as bad as networks and gateways can make it: raw sockets, plain and TLS, standard library alone.

It executes every submit that reaches it, repeated ones too, for Atlas' own protection would hide a caller who submits
twice; and it writes down what it received and what it executed. What it does with a request is drawn by the seed, the
order and the number of the request, from `faults.py` (what it says) and `lines.py` (how that comes through).

    python -m tests.chaos.faultserver --ledger FILE [--rate 0.4] [--seed 1]
"""

import argparse
import asyncio
import json
import logging
import random
import signal
import socket
import ssl
import struct
import time
import traceback
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .faults import EXISTS, FREE, LATER, NOW, SAYS, Json, Plan, Truth, as_json, habit, plan
from .lines import End, Line
from .world import ANOTHER, OPERATIONS, TRAILING, Ledger, People, World, key

CERTIFICATE = Path(__file__).parents[1] / "layer" / "untrusted.pem"
LATE = 0.3  # seconds by which a lingering request may be executed too late before it counts as lost


@dataclass(frozen=True)
class Call:
    path: str
    kind: str
    """The kind of client, which it gives as its client id."""
    body: Json

    @property
    def order(self) -> str:
        return self.body.get("orderNo") or f"ORDER{self.body['airlinePNR']}"

    @property
    def people(self) -> People:
        return tuple((p["lastName"], p["firstName"]) for p in self.body.get("refundRequestList") or ())


@dataclass
class FaultServer:
    """Plays the tables. `rate` is the share of requests that meet a fault, `linger` how long one may be on its way."""

    ledger: Ledger
    rate: float = 0.4
    linger: float = 0.5
    seed: int = 1
    plan: Callable[..., Plan] = plan
    played: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.world = World(self.ledger)
        self.chance = random.Random(self.seed)  # noqa: S311 - repeatable on purpose
        self._asked: Counter[tuple[str, str]] = Counter()
        self._running: set[asyncio.Task[None]] = set()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(CERTIFICATE)
        self._listening: dict[bool, asyncio.Server] = {}
        self.ports: dict[bool, int] = {False: 0, True: 0}

    # ---- listening ---------------------------------------------------------------------------------------------------
    async def open(self, *, tls: bool) -> None:
        context = self._tls if tls else None
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.ports[tls], ssl=context)
        self.ports[tls] = server.sockets[0].getsockname()[1]
        self._listening[tls] = server

    def close(self, *, tls: bool) -> None:
        self._listening.pop(tls).close()

    async def go_down_now_and_then(self) -> None:
        """Nobody listens for a moment, at one of the two ports."""
        while True:
            await asyncio.sleep(self.chance.uniform(0.5, 2))
            tls = self.chance.random() < 0.5
            self.close(tls=tls)
            self.played["listener down"] += 1
            await asyncio.sleep(self.chance.uniform(0.02, 0.2))
            await self.open(tls=tls)

    # ---- one connection ----------------------------------------------------------------------------------------------
    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        end = End.CLOSE
        try:
            end = await self._connection(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # hung up
        except Exception:
            traceback.print_exc()  # the server's own fault: the campaign shows it
        if end is End.RESET and (sock := writer.get_extra_info("socket")) is not None:
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        with suppress(OSError):
            writer.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> End:
        match self.chance.random() / self.rate if self.rate else 1:
            case draw if draw < 0.02:
                self.played["connection reset"] += 1
                return End.RESET
            case draw if draw < 0.03:
                self.played["connection ignored"] += 1
                await asyncio.sleep(1)
                return End.CLOSE
            case draw if draw < 0.04:
                self.played["request cut"] += 1
                await reader.read(50)
                return End.RESET
        end = End.KEEP
        while end is End.KEEP:
            end = await self._answer(await read_call(reader), reader, writer)
        return end

    async def _answer(self, call: Call, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> End:
        operation, order = OPERATIONS[call.path], call.order
        self._asked[order, operation] += 1
        number = self._asked[order, operation]
        chance = random.Random(f"{self.seed} {order} {operation} {number}")  # noqa: S311
        exists = self.world.exists(order, call.people) if call.people else order in self.world.refunds
        state = EXISTS if exists else FREE
        usual = habit(operation, state, self.rate / 2, random.Random(f"{self.seed} {order} {operation}"))  # noqa: S311
        chosen = self.plan(operation, state, usual, self.rate, chance)
        reply = chosen.says.reply(self._truth(call, chosen, chance))
        if chosen.says.name != SAYS[operation][0].name or chosen.sends.name != "whole":
            self.played[f"{operation}, {chosen.when.value}: {chosen.says.name}; {chosen.sends.name}"] += 1

        async def write(data: bytes) -> None:
            if writer.transport.is_closing() or reader.at_eof():
                raise ConnectionResetError
            writer.write(data)
            await writer.drain()

        async def wait(seconds: float) -> None:
            with suppress(TimeoutError):
                if not await asyncio.wait_for(reader.read(1), seconds):
                    raise ConnectionResetError

        return await chosen.sends.send(Line(write, wait, chance, as_json(chance.choice(TRAILING))), reply)

    # ---- what is true ------------------------------------------------------------------------------------------------
    def _truth(self, call: Call, chosen: Plan, chance: random.Random) -> Truth:
        """The true answer; a submit is executed on the way."""
        operation = OPERATIONS[call.path]
        match operation:
            case "quote":
                body = self.world.quote(call.order, call.people)
            case "query":
                body = self.world.listed(call.order, call.body.get("refundCode"))
            case _:
                body = self._submitted(call, chosen, chance)
        # Who asks by a PNR does not know the number of the order, and cannot see that it is another's.
        return Truth(body, ANOTHER[operation] if call.body.get("orderNo") else body)

    def _submitted(self, call: Call, chosen: Plan, chance: random.Random) -> Json:
        offer_id, received = call.body.get("refundOfferId"), time.time()
        _, people = self.world.offers.get(offer_id or "", ("", call.people))
        what = {"when": chosen.when.value, "says": chosen.says.name, "sends": chosen.sends.name}
        self.ledger.note("received", job=key(call.order, people), **what)
        if chosen.when is NOW:
            return self.world.execute(call.order, offer_id, call.people, received=received)
        if chosen.when is LATER:
            self._soon(self._execute_later(call, received, chance.uniform(0, self.linger)))
        return {}

    async def _execute_later(self, call: Call, received: float, delay: float) -> None:
        await asyncio.sleep(delay)
        if time.time() - received > self.linger + LATE:  # the machine stood still
            self.ledger.note("dropped", order=call.order)
        else:
            self.world.execute(call.order, call.body.get("refundOfferId"), call.people, received=received)

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)


async def read_call(reader: asyncio.StreamReader) -> Call:
    start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").split("\r\n")[:-2]
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = json.loads(await reader.readexactly(int(headers["content-length"])))
    return Call(start.split(" ")[1], headers["x-atlas-client-id"], body)


async def serve(ledger: Path, rate: float, linger: float, seed: int) -> None:
    """Until SIGTERM. Prints both ports first, and at the end what was played."""
    server, ended = FaultServer(Ledger(ledger), rate, linger, seed), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    loop.set_exception_handler(lambda *_: None)  # asyncio reports connections that were reset, and so does its log
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    for tls in (False, True):
        await server.open(tls=tls)
    print(json.dumps([server.ports[False], server.ports[True]]), flush=True)
    trouble = asyncio.create_task(server.go_down_now_and_then()) if rate else None
    await ended.wait()
    if trouble:
        trouble.cancel()
    print(json.dumps(server.played), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ledger", type=Path, required=True)
    parser.add_argument("--rate", type=float, default=0.4)
    parser.add_argument("--linger", type=float, default=0.5, help="seconds")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # that is for the callers
    asyncio.run(serve(**vars(given)))


if __name__ == "__main__":
    main()
