"""What is asked of the service, what Atlas offers for it, and how the offer is kept."""

import hashlib
import time
from collections.abc import Iterable
from decimal import Decimal
from typing import cast

from fastapi import HTTPException
from pydantic import BaseModel, Field

from atlas_refunds import AtlasRefunds, OrderNo, RefundPassenger, RefundQuote

from .people import Passenger, People
from .store import QUOTE_KEPT, Store, Stored


class RefundRequest(BaseModel):
    """Without `accepted_amount` a question, with it an order: exactly the amount that was quoted under this key."""

    order_no: str = Field(pattern=r"^[!-~]{1,64}$", examples=["SIM-REFUNDED"])
    passengers: list[Passenger] = Field(min_length=1, max_length=99)
    accepted_amount: Decimal | None = Field(None, examples=["165.48"])

    def fingerprint(self) -> str:
        asked = self.model_dump_json(exclude={"accepted_amount"})
        return hashlib.sha256(asked.encode()).hexdigest()


async def quote(atlas: AtlasRefunds, store: Store, key: str, wanted: RefundRequest) -> Stored:
    """Ask Atlas, and keep the offer under the key. Of two callers with the same new key, one offer stays."""
    offer = await offered(atlas, wanted.order_no, [passenger.for_atlas() for passenger in wanted.passengers])
    people = People.dump_json(wanted.passengers).decode()
    await store.add(key=key, request=wanted.fingerprint(), order_no=wanted.order_no, passengers=people, **offer)
    return cast("Stored", await store.find(key))  # nobody deletes


async def offered(atlas: AtlasRefunds, order_no: str, people: Iterable[RefundPassenger]) -> dict[str, object]:
    """The columns of a quote. Raises HTTPException when there is nothing to accept."""
    quote = await atlas.quote(OrderNo(order_no), people)
    amount, currency = worth(quote)
    if amount is None or not quote.is_refundable or not quote.refund_offer_id:
        raise HTTPException(409, "Atlas offers no refund for this")
    fee = quote.service_fee and quote.service_fee.transaction_fee
    return {
        "offer": quote.refund_offer_id,
        "amount": str(amount),
        "currency": currency or "",
        "fee": "" if fee is None else str(fee),
        "due": time.time() + QUOTE_KEPT,
    }


def worth(quote: RefundQuote) -> tuple[Decimal | None, str | None]:
    """The amount to be accepted and its currency: the fare's, before Atlas' fee, or that of the vouchers together."""
    if quote.refund_fare_amount:
        return quote.refund_fare_amount.estimated_refund_amount, quote.refund_fare_amount.currency
    amounts = [voucher.estimated_refund_amount for voucher in quote.refund_vouchers]
    known = [amount for amount in amounts if amount is not None]
    if not known or len(known) < len(amounts):
        return None, None
    return sum(known, Decimal(0)), quote.refund_vouchers[0].currency
