"""What a webhook's claim is worth, once the truth about a refund is known."""

from typing import Protocol

import attrs

from .errors import ApiError, InvalidRequestError
from .notifications import UnverifiedNotification
from .orders import OrderNo, OrderRef
from .results import RefundState, only
from .tokens import RefundToken


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Confirmation(RefundState):
    """Where a refund stands, as `query` says, and how an event that names its order agrees with that."""

    agrees: bool | None
    """Whether the event claims the status that Atlas answers; None when it claims none. An event that does not agree is
    old, forged, or about another refund of the order."""
    others: tuple[str, ...] | None
    """Codes of the order's other refunds: the event has no code and may be about one of them. None when Atlas does not
    list them without a code."""

    @property
    def is_ambiguous(self) -> bool:
        """Whether the event may be about another refund of the order than the one that was asked about."""
        return self.others is None or bool(self.others)


class Query(Protocol):
    """The call that knows the truth."""

    async def query(self, order: OrderRef, refund_code: str | None) -> list[RefundState]: ...


async def confirm(atlas: Query, event: UnverifiedNotification, token: RefundToken) -> Confirmation:
    """Ask about the refund, and without its code about the others of its order."""
    if not isinstance(event, UnverifiedNotification):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidRequestError(f"confirm: give what parse_notification returned, not {type(event).__name__}")
    state = only(await atlas.query(token.order, token.refund_code), token.order, token.refund_code)
    check_order(event, state, token)
    try:
        listed = await atlas.query(token.order, None)
    except ApiError:  # today's page wants a code
        listed = None
    return confirmation(event, state, listed)


def check_order(event: UnverifiedNotification, state: RefundState, token: RefundToken) -> None:
    """Raises InvalidRequestError unless the event names the refund's order."""
    asked = token.order.order_no if isinstance(token.order, OrderNo) else None
    if event.order_no is None or event.order_no not in (state.order_no, asked):
        raise InvalidRequestError("confirm: the event names no order, or another one than the refund")


def confirmation(event: UnverifiedNotification, state: RefundState, listed: list[RefundState] | None) -> Confirmation:
    """`listed` is what Atlas lists for the order without a code, None when it does not."""
    claimed = event.refund.refund_status if event.refund else None
    others = None if listed is None else (other.refund_code or "" for other in listed)
    return Confirmation(
        **{field.name: getattr(state, field.name) for field in attrs.fields(RefundState)},
        agrees=None if claimed is None else claimed == state.refund_status,
        others=None if others is None else tuple(code for code in others if code != (state.refund_code or "")),
    )
