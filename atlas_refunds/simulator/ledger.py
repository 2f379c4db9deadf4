"""What has happened so far: offers, refunds, and when a window was opened."""

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b

from .lifecycle import CLOSED_WITHOUT_REFUND, Lifecycle
from .scenarios import Passenger, Quirk, Scenario

OFFER_LIFE = timedelta(hours=2)


@dataclass(frozen=True)
class Offer:
    id: str
    scenario: Scenario
    passengers: tuple[Passenger, ...]
    reason: str
    quoted_at: timedelta  # uptime


@dataclass(frozen=True)
class Refund:
    code: str
    offer: Offer
    lifecycle: Lifecycle
    submitted_at: datetime

    def status(self, now: datetime) -> int:
        return self.lifecycle.status(now - self.submitted_at)

    def steps_taken(self, now: datetime) -> int:
        return self.lifecycle.taken(now - self.submitted_at)

    def reached(self, status: int, now: datetime) -> datetime | None:
        """When it took this status, if it has by now."""
        moments = [self.submitted_at + offset for offset, reached in self.lifecycle.steps if reached == status]
        return next((moment for moment in moments if moment <= now), None)


class Ledger:
    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._offers: dict[str, Offer] = {}
        self._refunds: defaultdict[str, list[Refund]] = defaultdict(list)
        self._used_offers: set[str] = set()
        self._windows: dict[tuple[str, Quirk], timedelta] = {}
        self._minted: Counter[str] = Counter()

    def add_offer(self, scenario: Scenario, passengers: tuple[Passenger, ...], reason: str, uptime: timedelta) -> Offer:
        self._minted["offer"] += 1
        digest = blake2b(f"{self._seed}:{self._minted['offer']}".encode(), digest_size=16).hexdigest()
        offer = Offer(f"q_{digest}", scenario, passengers, reason, uptime)
        self._offers[offer.id] = offer
        return offer

    def add_refund(self, offer: Offer, now: datetime) -> Refund:
        self._minted["refund"] += 1
        made = self._refunds[offer.scenario.order_no]
        code = f"{now:%Y%m}-{self._minted['refund']:04}"
        refund = Refund(code, offer, offer.scenario.lifecycle(len(made)), now)
        made.append(refund)
        self._used_offers.add(offer.id)
        return refund

    def valid_offer(self, offer_id: str, order_no: str, uptime: timedelta) -> Offer | None:
        """A used offer stays known, so that a second submission is told of the first one and not to quote again."""
        offer = self._offers.get(offer_id)
        if offer is None or offer.scenario.order_no != order_no:
            return None
        return offer if self.used(offer) or uptime - offer.quoted_at < OFFER_LIFE else None

    def used(self, offer: Offer) -> bool:
        return offer.id in self._used_offers

    def refunds(self, order_no: str) -> list[Refund]:
        return list(self._refunds.get(order_no, ()))

    def by_order(self) -> dict[str, list[Refund]]:
        """The executed submissions of every order that has any."""
        return {order_no: list(refunds) for order_no, refunds in self._refunds.items()}

    def all_refunds(self) -> list[Refund]:
        return [refund for refunds in self._refunds.values() for refund in refunds]

    def end(self, code: str, status: int, now: datetime) -> Refund:
        """This refund takes this final status now. Raises ValueError."""
        for made in self._refunds.values():
            for place, refund in enumerate(made):
                if refund.code == code:
                    made[place] = replace(refund, lifecycle=refund.lifecycle.ended(now - refund.submitted_at, status))
                    return made[place]
        raise ValueError(f"no refund has the code {code}")

    def blocked(self, order_no: str, now: datetime) -> set[Passenger]:
        """Whose refund is open or completed; a rejected or withdrawn one makes way for the next."""
        return {
            passenger
            for refund in self.refunds(order_no)
            if refund.status(now) not in CLOSED_WITHOUT_REFUND
            for passenger in refund.offer.passengers
        }

    def in_window(self, order_no: str, quirk: Quirk, uptime: timedelta) -> bool:
        """Opens the window on the first call."""
        if quirk.window is None:
            return True
        return uptime - self._windows.setdefault((order_no, quirk), uptime) < quirk.window
