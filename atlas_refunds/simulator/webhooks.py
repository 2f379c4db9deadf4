"""`simulator.webhooks`: which webhooks are due, what goes wrong with them, and what was sent. No I/O.

Atlas promises nothing about delivery, so everything is possible: late, twice, out of order, not at all, and from
somebody else. What happens to an event follows from the seed, its refund and its place in the refund's life.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import TypeVar, cast, get_args

from . import notices
from .clock import Clock
from .ledger import Refund
from .notices import Forgery
from .requests import Json

Choice = TypeVar("Choice")

FATES = ("lost", "twice", "late", "forged")
FORGERIES: tuple[Forgery, ...] = get_args(Forgery)
ANY = "any"
WAITING = "waiting"
SHAPES = (*notices.SHAPES, ANY)


@dataclass(frozen=True)
class Settings:
    url: str | None = None
    """Where to deliver; nothing is announced without it."""
    seed: int = 0
    shape: str = ANY
    late_seconds: float = 1.0
    """How late the late ones are at most; later ones are overtaken by what comes after them."""
    rates: Mapping[str, float] = field(default_factory=dict[str, float])
    """The share of events that each fate befalls, independent of each other."""


@dataclass
class Sent:
    """One call, made or about to be made."""

    number: int
    order_no: str
    refund_code: str
    status: int
    shape: str
    about: str
    body: bytes
    at: datetime
    """Simulated time at which it was decided."""
    due: timedelta
    """Uptime at which it leaves."""
    answer: str = WAITING


class Webhooks:
    """What changed since the last look becomes calls; `take` hands out those that are due."""

    def __init__(self, clock: Clock, refunds: Callable[[], list[Refund]]) -> None:
        self._clock, self._refunds = clock, refunds
        self.reset()

    def reset(self) -> None:
        self.settings = Settings()
        self.log: list[Sent] = []
        self._announced: dict[str, int] = {}
        self._waiting: list[Sent] = []

    def set(self, url: str | None, **settings: object) -> None:
        self.load({"url": url, **settings})

    def load(self, wanted: object) -> None:
        """From JSON: {"url": ..., "seed": 7, "shape": "flat", "late_seconds": 1, "rates": {"lost": 0.3}}.

        What has happened before is not announced any more. Raises ValueError.
        """
        self.settings = parse_settings(wanted)
        self._announced = {refund.code: refund.steps_taken(self._clock.now()) for refund in self._refunds()}

    def look(self) -> None:
        """Notice what has changed."""
        if self.settings.url is None:
            return
        now = self._clock.now()
        for refund in self._refunds():
            taken, announced = refund.steps_taken(now), self._announced.get(refund.code, 1)  # submitted is no news
            self._announced[refund.code] = max(taken, announced)
            for step in range(announced, taken):
                self._announce(refund, step)

    def take(self) -> list[Sent]:
        """What is due by now, in the order in which it became so."""
        uptime = self._clock.uptime()
        due = sorted((sent for sent in self._waiting if sent.due <= uptime), key=lambda sent: sent.due)
        self._waiting = [sent for sent in self._waiting if sent.due > uptime]
        return due

    def resend(self, number: int) -> None:
        """The same body once more. Raises ValueError when there is no such entry in the log."""
        sent = next((sent for sent in self.log if sent.number == number), None)
        if sent is None:
            raise ValueError(f"no webhook has the number {number}")
        self._add(sent.order_no, sent.refund_code, sent.status, sent.shape, f"{sent.number} again", sent.body)

    def describe(self) -> Json:
        """Settings and log, as JSON."""
        members = ("number", "order_no", "refund_code", "status", "shape", "about", "answer")
        return {
            "settings": {**vars(self.settings)},
            "log": [
                {name: getattr(sent, name) for name in members}
                | {"at": sent.at.isoformat(), "body": sent.body.decode()}
                for sent in self.log
            ],
        }

    def _announce(self, refund: Refund, step: int) -> None:
        settings, status = self.settings, refund.lifecycle.steps[step][1]

        def roll(what: str) -> float:
            return chance(settings.seed, refund.code, step, what)

        fates = {fate for fate in FATES if roll(fate) < settings.rates.get(fate, 0)}
        shape = _pick(tuple(notices.SHAPES), roll("shape")) if settings.shape == ANY else settings.shape
        order_no = refund.offer.scenario.order_no
        if "forged" in fates:
            kind = _pick(FORGERIES, roll("forgery"))
            delay = roll("forged when") * settings.late_seconds
            content = notices.forged(refund, status, shape, kind)
            self._add(order_no, refund.code, status, shape, f"forged: {kind}", content, delay)
        if "lost" in fates:
            return
        content = notices.body(refund, status, shape)
        copies = ("change", "copy") if "twice" in fates else ("change",)
        for about in copies:
            delay = roll(f"{about} when") * settings.late_seconds if "late" in fates or about == "copy" else 0
            self._add(order_no, refund.code, status, shape, about, content, delay)

    def _add(
        self, order_no: str, code: str, status: int, shape: str, about: str, body: bytes, delay: float = 0
    ) -> None:
        due = self._clock.uptime() + timedelta(seconds=delay)
        sent = Sent(len(self.log) + 1, order_no, code, status, shape, about, body, self._clock.now(), due)
        self.log.append(sent)
        self._waiting.append(sent)


def chance(*about: object) -> float:
    """A draw from [0, 1) that depends on nothing but what it is about."""
    digest = blake2b(":".join(map(str, about)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _pick(choices: Sequence[Choice], roll: float) -> Choice:
    return choices[int(roll * len(choices))]


def parse_settings(wanted: object) -> Settings:
    """ValueError with one sentence about the first thing that is wrong."""
    if not isinstance(wanted, dict):
        raise ValueError("an object is wanted")
    members = cast("Json", wanted)
    if unknown := members.keys() - {"url", "seed", "shape", "late_seconds", "rates"}:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}; known are url, seed, shape, late_seconds, rates")
    url, seed, shape = members.get("url"), members.get("seed", 0), members.get("shape", ANY)
    if url is not None and not (isinstance(url, str) and url.startswith(("http://", "https://"))):
        raise ValueError("url is not an http address")
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ValueError("seed is not an integer")
    if not isinstance(shape, str) or shape not in SHAPES:
        raise ValueError(f"shape is one of: {', '.join(SHAPES)}")
    late = _number(members.get("late_seconds", 1.0), 600, "late_seconds")
    rates = members.get("rates", {})
    if not isinstance(rates, dict):
        raise ValueError("rates is not an object")
    shares = cast("Json", rates)
    if shares.keys() - set(FATES):
        raise ValueError(f"rates are for: {', '.join(FATES)}")
    return Settings(
        url, seed, shape, late, {fate: _number(rate, 1, f"rate of {fate}") for fate, rate in shares.items()}
    )


def _number(value: object, most: float, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ValueError(f"{what} is not a number from 0 to {most:g}")
    return value
