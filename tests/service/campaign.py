"""`make webhook-campaign`: many refunds through the example service, with webhooks lost, doubled, late and forged.

Atlas' books (the simulator's) are compared with the service's. A refund that does not end in its true state, that was
submitted twice or paid twice, is a failure.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import attrs
import httpx

from examples.refund_service.database import connect

from .processes import SECRET, Service, Shop, simulator

CASES = ("SIM-REFUNDED", "SIM-REJECTED", "SIM-VCC", "SIM-VCC-REJECTED", "SIM-UNKNOWN-STATUS", "SIM-VOID")
FAULTS = {
    "submit": {"lost_answer": 0.04, "refused": 0.03, "reset_mid_body": 0.03, "bad_gateway": 0.02, "delayed": 0.03},
    "quote": {"refused": 0.02, "gateway_refusal": 0.02},
    "query": {"refused": 0.02, "bad_gateway": 0.02, "html_200": 0.01},
}
NEVER_LOGGED = ("ZHAO", "YIER", "QIAN", "ERER", "simulator-secret", SECRET)


@attrs.frozen(kw_only=True)
class Books:
    """What both sides say after the campaign."""

    refunds: int
    seconds: float
    kills: int
    webhooks: Counter[str]
    answers: Counter[str]
    faults: int
    queries: int
    steps: Counter[str]
    wrong: tuple[str, ...]
    """Keys whose last step is not what Atlas' books say, or that have none."""
    submitted_twice: tuple[str, ...]
    paid_twice: tuple[str, ...]
    paid_wrongly: tuple[str, ...]
    """Paid without a refund, or not paid with one."""
    leaked: tuple[str, ...]

    @property
    def clean(self) -> bool:
        return not (self.wrong or self.submitted_twice or self.paid_twice or self.paid_wrongly or self.leaked)

    def __str__(self) -> str:
        return "\n".join(
            (
                f"{self.refunds} refunds in {self.seconds:.0f} s, the service killed {self.kills} times",
                f"webhooks: {counted(self.webhooks)}; answered {counted(self.answers)}",
                f"faults on the way to Atlas: {self.faults}; queries: {self.queries}",
                f"ended: {counted(self.steps)}",
                f"not in the true state: {len(self.wrong)} {list(self.wrong[:5])}",
                f"submitted twice: {len(self.submitted_twice)} {list(self.submitted_twice[:5])}",
                f"paid twice: {len(self.paid_twice)} {list(self.paid_twice[:5])}",
                f"paid wrongly or not at all: {len(self.paid_wrongly)} {list(self.paid_wrongly[:5])}",
                f"names or secrets in the log: {list(self.leaked)}",
            )
        )


async def campaign(*, refunds: int, kills: int, seed: int, rate: float, faults: bool, database: str = "") -> Books:
    """Run it to the end. The service is killed with SIGKILL and started again while refunds are on their way."""
    chance, began = random.Random(seed), time.monotonic()  # noqa: S311 - repeatable on purpose
    orders = {f"r{seed}-{number}": f"{chance.choice(CASES)}.{number}" for number in range(refunds)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with simulator("--day", "0.05", "--query-without-code", "list") as control:
            url = database or str(folder / "refunds.db")
            service = Service(str(control.base_url), folder, POLL_SECONDS="3", DATABASE_URL=url)
            rates = dict.fromkeys(("lost", "twice", "late", "forged"), rate)
            await post(control, "/_simulator/webhooks", {"url": service.hook, "seed": seed, "rates": rates})
            if faults:
                await post(control, "/_simulator/faults", {"seed": seed, "delay_seconds": 0.3, "rates": FAULTS})
            await service.start()
            try:
                shop = Shop(service.url)
                async with shop.http:
                    driving = asyncio.gather(*(shop.refund(key, order) for key, order in orders.items()))
                    killed = await kill(service, kills, driving, chance)
                    await driving
                    ended = await shop.until_ended(list(orders))
                    sent = await delivered(control)
                    late = await shop.until_ended(list(orders))  # what comes after the end changes nothing either
            finally:
                await service.end()
            state = (await control.get("/_simulator/state")).json()
            played = (await control.get("/_simulator/faults")).json()
            paid = await payments(url)
        seconds = time.monotonic() - began
        return compare(orders, ended, late, paid, state, sent, played, service.log, killed, seconds)


async def delivered(control: httpx.AsyncClient) -> Any:
    """The log of the webhooks, once all of them are answered."""
    while True:
        sent = (await control.get("/_simulator/webhooks")).json()
        if all(entry["answer"] != "waiting" for entry in sent["log"]):
            return sent
        await asyncio.sleep(0.1)


async def payments(url: str) -> set[str]:
    database = connect(url)
    rows = await database.run("select key from payments")
    await database.close()
    return {row["key"] for row in rows}


async def post(control: httpx.AsyncClient, path: str, body: object) -> None:
    (await control.post(path, json=body)).raise_for_status()


async def kill(service: Service, kills: int, driving: "asyncio.Future[Any]", chance: random.Random) -> int:
    """The whole process group at once, at random moments while refunds are being made; the rest of them afterwards."""
    for _ in range(kills):
        await asyncio.wait([driving], timeout=chance.uniform(0.3, 1.5))
        await service.end(signal.SIGKILL)
        await service.start()
    return kills


def compare(
    orders: dict[str, str],
    ended: dict[str, str],
    late: dict[str, str],
    paid: set[str],
    state: Any,
    sent: Any,
    played: Any,
    log: Path,
    kills: int,
    seconds: float,
) -> Books:
    """Both sides' books, entry by entry."""
    text = log.read_text("utf-8")
    acts = Counter(line["key"] for line in lines(text) if line["message"] == "paid")
    made = {order: entry["refunds"] for order, entry in state["orders"].items()}
    truth = {key: made[order][-1]["refundStatus"] if order in made else None for key, order in orders.items()}
    due = {key for key, status in truth.items() if status in (2, 5)}
    expected = {key: "refunded" if key in due else "not refunded" for key in orders}
    return Books(
        refunds=len(orders),
        seconds=seconds,
        kills=kills,
        webhooks=Counter(entry["about"] for entry in sent["log"]),
        answers=Counter(entry["answer"] for entry in sent["log"]),
        faults=sum(sum(names.values()) for names in played["played"].values()),
        queries=played["calls"]["query"],
        steps=Counter(ended.values()),
        wrong=tuple(
            key
            for key in orders
            if truth[key] not in (2, 4, 5, 6) or not ended.get(key) == late.get(key) == expected[key]
        ),
        submitted_twice=tuple(order for order, refunds in made.items() if len(refunds) > 1),
        paid_twice=tuple(key for key, times in acts.items() if times > 1),
        paid_wrongly=tuple(sorted(due.symmetric_difference(paid))),
        leaked=tuple(word for word in NEVER_LOGGED if word in text),
    )


def lines(text: str) -> list[dict[str, Any]]:
    """Whole lines of JSON; the last one before a kill may be none."""
    found = []
    for line in text.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return [line for line in found if isinstance(line, dict) and "message" in line]


def counted(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counter.items()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refunds", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--rate", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", action="store_true", help="of the network between service and Atlas, too")
    parser.add_argument("--database", default=os.environ.get("DATABASE_URL", ""), help="postgresql://..., else SQLite")
    books = asyncio.run(campaign(**vars(parser.parse_args())))
    print(books)
    return 0 if books.clean else 1


if __name__ == "__main__":
    sys.exit(main())
