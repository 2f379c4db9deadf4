"""What a caller gives to submit: checked before anything is written, and compared with what its key has."""

from collections.abc import Iterable
from typing import Final

from atlas_refunds_api.models import RefundPassenger

from ..calls import Submission, everyone, submission
from ..errors import InvalidRequestError
from ..orders import OrderRef, wire_keys
from ..results import RefundQuote
from .records import Tracked

LONGEST_KEY: Final = 200


def check_key(key: object) -> None:
    if not isinstance(key, str) or not 0 < len(key) <= LONGEST_KEY or "\x00" in key or not is_text(key):
        raise InvalidRequestError("key: give 1 to 200 characters, your own number of this refund")


def is_text(key: str) -> bool:
    """Whether it can be stored: half of a surrogate pair cannot."""
    return key.encode("utf-8", "replace").decode() == key


def subject_for(
    what: RefundQuote | OrderRef,
    offer_id: str | None,
    passengers: Iterable[RefundPassenger] | None,
    display_currency: str | None,
    even_if_not_refundable: bool,
) -> Submission:
    """What is to be submitted, with the passengers by whom it can be looked for."""
    if isinstance(what, RefundQuote):
        return submission(what, offer_id=offer_id, passengers=passengers, display_currency=display_currency,
                          even_if_not_refundable=even_if_not_refundable)  # fmt: skip
    wire_keys(what)
    if not offer_id or passengers is None:
        raise InvalidRequestError("submit: give a quote, or an order with the offer_id and the passengers of its quote")
    return Submission(order=what, offer_id=offer_id, passengers=everyone(passengers), display_currency=display_currency)


def same_refund(row: Tracked, new: Tracked) -> None:
    """Raises InvalidRequestError when the key belongs to something else."""
    if row.account != new.account:
        raise InvalidRequestError("key: a refund of another account is tracked under this key")
    if row.order_no != new.order_no and None not in (row.order_no, new.order_no):
        raise InvalidRequestError("key: a refund of another order is tracked under this key")
    if row.subject not in (None, new.subject):
        raise InvalidRequestError("key: a refund of other passengers or segments is tracked under this key")
