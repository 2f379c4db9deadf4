"""The webhook: what somebody claims that Atlas says. Nothing in it is true until a query has confirmed it.

Source: the 2022 flow page (enveloped form), the 2025 webhook page (flat form), Atlas' webhook guides (other events).
The call is unsigned and best effort; newer guides no longer list the refund event at all. No function here does I/O.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from decimal import Context
from typing import Any, Final

import attrs
from atlas_refunds_api.models import RefundCompletedNotification
from atlas_refunds_api.types import WireError, expect_object, loads, shown

from .errors import NotificationError
from .orders import ORDER_NO, fits

MAX_BODY: Final = 256 * 1024
"""Bytes. The published samples have about 500; incident events carry an e-mail."""
EVENT_NAME: Final = re.compile(r"[!-~]{1,64}")
REFUND_EVENT: Final = "order.refundComplete"
REFUND_EVENTS: Final = frozenset({REFUND_EVENT.lower(), "order.refundcompleted"})  # the samples' and the prose's
EXACT: Final = Context(prec=2 * MAX_BODY)
"""No amount that fits into a body is rounded, whatever the context of the caller."""


@attrs.frozen(kw_only=True)
class UnverifiedNotification:
    """One event as it was received. Unsigned: act on `await atlas.confirm(event, token)`, never on this."""

    event: str = attrs.field(repr=shown)
    """The event's name as sent; "order.refundComplete" for the flat form, which has none."""
    is_refund: bool
    order_no: str | None = attrs.field(repr=shown)
    """Has the form of an order number. Never None for a refund event."""
    refund: RefundCompletedNotification | None
    """The claims of a refund event; None for other events."""
    dedupe_key: str
    """The same for the same claim, however often and in whatever form it is delivered. Who forges a claim can give it
    the key of a true one: let a key hold back the next event for a minute, not for ever."""
    raw: Mapping[str, Any] = attrs.field(repr=False, eq=False)
    """The decoded body, amounts exact."""

    @property
    def adds_up(self) -> bool | None:
        """Whether the amounts fit the documented formula; None when one is missing. The published samples do not."""
        r = self.refund
        if r is None or r.original_total_amount is None or r.final_refund_amount is None:
            return None
        if r.airline_penalty_amount is None or r.transaction_fee is None:
            return None
        costs = EXACT.add(r.airline_penalty_amount, r.transaction_fee)
        return r.final_refund_amount == EXACT.subtract(r.original_total_amount, costs)


def parse_notification(
    body: bytes, headers: Mapping[str, str] | None = None, *, expected_cid: str | None = None
) -> UnverifiedNotification:
    """Read a webhook body. Pure: no network, no client, nothing is believed.

    Accepts the enveloped form (2022), the flat form (2025) and the envelope of today's other events, either spelling of
    the event in any case, codes and amounts as numbers or text. Other events come back as themselves. Raises
    NotificationError for everything that cannot be read (above 256 KiB, compressed, not UTF-8, not JSON, above 5,000
    values, not an object, a member twice, a refund event without an order number), and when `expected_cid` is given and
    the body names another client or none. A body that was unpacked already is read, whatever its headers still say.
    """
    try:
        return read(body, headers or {}, expected_cid)
    except (WireError, NotificationError) as error:
        problem = str(error)
    del body, headers, expected_cid  # no frame of the traceback may hold what was received: error trackers send locals
    raise NotificationError(problem)


def read(body: bytes, headers: Mapping[str, str], expected_cid: str | None) -> UnverifiedNotification:
    """The same; raises WireError too, and its frames hold the body."""
    message = decoded(body, headers)
    if expected_cid is not None and message.get("cid") != expected_cid:
        raise NotificationError("the body names another client than the expected one")
    event = REFUND_EVENT if message.get("type") in (None, "") else message["type"]  # the flat form has none
    if not fits(EVENT_NAME, event):
        raise NotificationError("the event has no readable name")
    data: dict[str, Any] = message["data"] if isinstance(message.get("data"), dict) else message
    refund = refund_claims(data) if event.lower() in REFUND_EVENTS else None
    order_no = refund.order_no if refund else data.get("orderNo")
    named = order_no if fits(ORDER_NO, order_no) else None
    return UnverifiedNotification(
        event=event,
        is_refund=refund is not None,
        order_no=named,
        refund=refund,
        dedupe_key=digest(identity(event, named, refund, message.get("notificationId")) or body),
        raw=message,
    )


def decoded(body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    if len(body) > MAX_BODY:
        raise NotificationError(f"the body has more than {MAX_BODY} bytes")
    try:
        return expect_object(loads(str(body, "utf-8-sig"), unique=True))
    except (UnicodeDecodeError, TypeError):
        compressed = any(name.lower() == "content-encoding" for name in headers)
        raise NotificationError(
            "the body is compressed: decode it first" if compressed else "the body is not UTF-8 bytes"
        ) from None


def refund_claims(data: Mapping[str, Any]) -> RefundCompletedNotification:
    refund = RefundCompletedNotification.from_dict(data)
    if not fits(ORDER_NO, refund.order_no):
        raise NotificationError("the event names no order")
    return refund


def identity(
    event: str, order_no: str | None, refund: RefundCompletedNotification | None, identifier: object
) -> bytes | None:
    """Atlas' own id where there is one, else what is claimed about a refund; None for other events."""
    if identifier and isinstance(identifier, str | int):
        members = [event.lower(), order_no, identifier]
    elif refund:
        amount = refund.final_refund_amount
        exact = None if amount is None else str(EXACT.normalize(amount))
        members = [order_no, str(refund.refund_status), exact]
    else:
        return None
    return json.dumps(members).encode()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
