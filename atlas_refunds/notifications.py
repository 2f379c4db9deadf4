"""The webhook: what somebody claims that Atlas says. Nothing in it is true until a query has confirmed it.

Source: the 2022 flow page (enveloped form), the 2025 webhook page (flat form), Atlas' webhook guides (other events).
The call is unsigned and best effort; newer guides no longer list the refund event at all.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

import attrs
from atlas_refunds_api.models import RefundCompletedNotification
from atlas_refunds_api.types import WireError, expect_object, loads

from .envelope import BOM
from .errors import NotificationError

MAX_BODY: Final = 256 * 1024
REFUND_EVENTS: Final = frozenset({"order.refundcomplete", "order.refundcompleted"})  # samples and prose, lower case


@attrs.frozen(kw_only=True)
class UnverifiedNotification:
    """One event as it was received. Unsigned: act on `await atlas.confirm(event, token)`, never on this."""

    event: str
    """The event's name as sent; "order.refundComplete" for the flat form, which has none."""
    is_refund: bool
    order_no: str | None
    """Never None for a refund event."""
    refund: RefundCompletedNotification | None
    """The claims of a refund event; None for other events."""
    dedupe_key: str
    """The same for the same claim, however often and in whatever form it is delivered."""
    raw: Mapping[str, Any] = attrs.field(repr=False, eq=False)

    @property
    def adds_up(self) -> bool | None:
        """Whether the amounts fit the documented formula; None when one is missing. The published samples do not."""
        r = self.refund
        if r is None or r.original_total_amount is None or r.final_refund_amount is None:
            return None
        if r.airline_penalty_amount is None or r.transaction_fee is None:
            return None
        return r.final_refund_amount == r.original_total_amount - r.airline_penalty_amount - r.transaction_fee


def parse_notification(
    body: bytes, headers: Mapping[str, str] | None = None, *, expected_cid: str | None = None
) -> UnverifiedNotification:
    """Read a webhook body. Pure: no network, no client, nothing is believed.

    Accepts the enveloped and the flat form, either spelling of the event, codes and amounts as numbers or text. Other
    events come back as themselves. Raises NotificationError for everything that cannot be read, and when
    `expected_cid` is given and the body names another client (or none).
    """
    if len(body) > MAX_BODY:
        raise NotificationError(f"the body has more than {MAX_BODY} bytes")
    if any(name.lower() == "content-encoding" and value != "identity" for name, value in (headers or {}).items()):
        raise NotificationError("the body is compressed: decode it first")
    try:
        message = expect_object(loads(body.removeprefix(BOM)))
    except WireError as error:
        raise NotificationError(str(error)) from None
    if expected_cid is not None and message.get("cid") != expected_cid:
        raise NotificationError("the body names another client than the expected one")
    data: dict[str, Any] = message["data"] if isinstance(message.get("data"), dict) else message
    event = message.get("type", "order.refundComplete")
    if not isinstance(event, str):
        raise NotificationError("the event has no readable name")
    is_refund = event.lower() in REFUND_EVENTS
    refund = refund_claims(data) if is_refund else None
    order_no = refund.order_no if refund else data.get("orderNo")
    return UnverifiedNotification(
        event=event,
        is_refund=is_refund,
        order_no=order_no if isinstance(order_no, str) else None,
        refund=refund,
        dedupe_key=dedupe_key(event, message, refund),
        raw=message,
    )


def refund_claims(data: Mapping[str, Any]) -> RefundCompletedNotification:
    try:
        refund = RefundCompletedNotification.from_dict(data)
    except WireError as error:
        raise NotificationError(str(error)) from None
    if not refund.order_no:
        raise NotificationError("the event names no order")
    return refund


def dedupe_key(event: str, message: Mapping[str, Any], refund: RefundCompletedNotification | None) -> str:
    """From Atlas' own id where there is one, else from what is claimed."""
    identity: list[object] = [message.get("notificationId")]
    if identity == [None]:
        if refund:
            amount = refund.final_refund_amount
            identity = [refund.order_no, str(refund.refund_status), None if amount is None else str(amount.normalize())]
        else:
            identity = [event.lower(), message]
    return hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode()).hexdigest()
