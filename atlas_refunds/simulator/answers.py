"""The bodies, member for member in the order of the published samples."""

from datetime import datetime, timedelta
from decimal import Decimal

from .amounts import fare, penalty, refundable, service_fee
from .ledger import Offer, Refund
from .lifecycle import CLOSED_WITHOUT_REFUND, REFUNDED_STATUS, Lifecycle
from .money import CURRENCY, displayed, rounded, text
from .requests import Json

_CONFIRMED, _PAID = timedelta(days=10), timedelta(days=50)  # as expected in the samples
_ANY_TIME = 525_600  # minutes before departure
_VOUCHER_LIFE = timedelta(days=365)


def error(code: int, message: str) -> Json:
    return {"status": code, "msg": message}


def quote(offer: Offer, lifecycle: Lifecycle, now: datetime, display: str | None) -> Json:
    # By name here, in booking order elsewhere: the samples do not keep the order of the request.
    tickets = sorted(_tickets(offer), key=lambda ticket: (ticket["lastName"], ticket["firstName"]))
    return {
        "displayCurrency": display,
        "fastConfirmation": int(lifecycle.fast),
        **_expected(lifecycle, now),
        **_terms(offer),
        "refundTickets": [{"name": f"{ticket['lastName']}/{ticket['firstName']}", **ticket} for ticket in tickets],
        **_amounts(offer, display, _vouchers(offer)),
        "refundRules": [_rule(offer)],
        "orderNo": offer.scenario.order_no,
        "status": 0,
        "msg": None,
    }


def submitted(refund: Refund, now: datetime, display: str | None) -> Json:
    offer = refund.offer
    return {
        "refundStatus": refund.status(now),
        "refundCode": refund.code,
        "cancelReason": "",
        "refundReason": offer.reason,
        "displayCurrency": display,
        "fastConfirmation": None,  # null in the sample
        **_expected(refund.lifecycle, refund.submitted_at),
        **_terms(offer),
        "refundTickets": _tickets(offer),
        **_amounts(offer, display, _vouchers(offer, refund, now)),
        "refundRules": [_rule(offer)],
        "orderNo": offer.scenario.order_no,
        "status": 0,
        "msg": None,
    }


def queried(refunds: list[Refund], now: datetime, display: str | None) -> Json:
    return {"refundOrders": [_refund_order(refund, now, display) for refund in refunds], "status": 0, "msg": None}


def _refund_order(refund: Refund, now: datetime, display: str | None) -> Json:
    offer, status = refund.offer, refund.status(now)
    closed = status in CLOSED_WITHOUT_REFUND
    expected = _expected(refund.lifecycle, refund.submitted_at)
    terms = _terms(offer)
    return {
        "orderNo": offer.scenario.order_no,
        "refundCode": refund.code,
        "displayCurrency": display,
        **(dict.fromkeys(expected) if closed else expected),
        "refundQuoteType": terms["refundQuoteType"],
        "refundTickets": _tickets(offer),
        **_amounts(offer, display, _vouchers(offer, refund, now)),
        "refundRules": [],  # empty in the sample
        "refundStatus": status,
        "cancelReason": refund.lifecycle.cancel_reason if closed else "",
        "refundOfferId": terms["refundOfferId"],
        "refundMethod": terms["refundMethod"],
    }


def _expected(lifecycle: Lifecycle, start: datetime) -> Json:
    confirmed, paid = (timedelta(0), timedelta(0)) if lifecycle.fast else (_CONFIRMED, _PAID)
    return {"expectedConfirmationDate": _day(start + confirmed), "expectedRefundDate": _day(start + paid)}


def _terms(offer: Offer) -> Json:
    kind = offer.scenario.quote
    return {
        "refundQuoteType": kind.quote_type,
        "refundOfferId": offer.id,
        "refundMethod": kind.method,
        "isRefundable": kind.refundable,
    }


def _tickets(offer: Offer) -> list[dict[str, str]]:
    """The airline PNR stands in for the ticket number, the same for every passenger."""
    return [
        {"lastName": passenger.last_name, "firstName": passenger.first_name, "ticketNo": offer.scenario.pnr}
        for passenger in offer.passengers
    ]


def _amounts(offer: Offer, display: str | None, vouchers: list[Json] | None) -> Json:
    original, estimated, fee = fare(offer), refundable(offer), service_fee(offer)
    fare_amount = {
        "currency": CURRENCY,
        "originalFareAmount": original,
        "estimatedRefundAmount": estimated,
        "displayOriginalFareAmount": displayed(original, display),
        "displayEstimatedRefundAmount": displayed(estimated, display),
    }
    return {
        "refundFareAmount": fare_amount if vouchers is None else None,
        "refundPostTicketingServiceAmounts": [],
        "refundVouchers": vouchers,
        "serviceFee": {
            "currency": CURRENCY,
            "transactionFee": fee,
            "displayTransactionFee": displayed(fee, display),
        },
    }


def _vouchers(offer: Offer, refund: Refund | None = None, now: datetime | None = None) -> list[Json] | None:
    """One per passenger; code and dates come with status 2."""
    if offer.scenario.quote.method != "Voucher":
        return None
    issued = refund.reached(REFUNDED_STATUS, now) if refund and now else None
    start, end = (_day(issued), _day(issued + _VOUCHER_LIFE)) if issued else (None, None)
    amount = rounded(refundable(offer) / len(offer.passengers))
    return [
        {
            "voucherId": f"{refund.code}-{number}" if refund else None,
            "voucherCode": f"SIM{refund.code.replace('-', '')}{number}" if refund and issued else None,
            "eligiblePassengers": [{"name": f"{passenger.last_name}/{passenger.first_name}"}],
            "airline": offer.scenario.carrier,
            "estimatedRefundAmount": amount,
            "currency": CURRENCY,
            "voucherStartDate": start,
            "voucherEndDate": end,
            "travelStartDate": start,
            "travelEndDate": end,
            "note": "One booking, no residual value.",
        }
        for number, passenger in enumerate(offer.passengers, 1)
    ]


def _rule(offer: Offer) -> Json:
    terms = offer.scenario.quote
    return {
        "airline": offer.scenario.carrier,
        "ruleType": offer.reason,
        "passengerType": None,
        "penaltyAmount": text(penalty(offer)) if terms.refundable else None,
        "penaltyPercent": 0 if terms.refundable else None,
        "penaltyPercentBase": "fare+tax" if terms.refundable else None,
        "airlineFee": text(Decimal(0)) if terms.refundable else None,
        "taxRefundable": terms.refundable,
        "fareRefundable": terms.refundable,
        "refundableAncillaries": ["ALL"] if terms.refundable else None,
        "startMinute": _ANY_TIME,
        "endMinute": -_ANY_TIME,
        "refundMethod": terms.method,
    }


def _day(moment: datetime) -> str:
    return f"{moment:%Y%m%d}"
