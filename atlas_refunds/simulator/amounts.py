"""What an offer is about in money: totals of the passengers in it, in the currency of the order."""

from decimal import Decimal

from .ledger import Offer
from .money import rounded
from .requests import VOLUNTARY

_SERVICE_FEE = {"0": Decimal(3), "1": Decimal(2), "4": Decimal(2)}  # by refundReason, as in the samples


def fare(offer: Offer) -> Decimal:
    return _share(offer, offer.scenario.fare)


def penalty(offer: Offer) -> Decimal:
    return _share(offer, offer.scenario.penalty) if offer.reason == VOLUNTARY else Decimal(0)


def service_fee(offer: Offer) -> Decimal:
    return _SERVICE_FEE[offer.reason]


def refundable(offer: Offer) -> Decimal:
    """Not net of the service fee, as in the samples."""
    return fare(offer) - penalty(offer) if offer.scenario.quote.refundable else Decimal(0)


def _share(offer: Offer, total: Decimal) -> Decimal:
    """What of the order's total belongs to the passengers of the offer."""
    return rounded(total * len(offer.passengers) / len(offer.scenario.passengers))
