"""What is needed to follow a refund, as text that outlives the process."""

import json
from datetime import UTC, datetime
from typing import Any

import attrs
from atlas_refunds_api.types import shown

from .errors import InvalidRequestError
from .orders import OrderRef, order_ref, wire_keys

VERSION = 1


@attrs.frozen(kw_only=True)
class RefundToken:
    """One refund of one order. `str(token)` is a line of JSON for your database, `RefundToken.parse` reads it back.

    No secret and no passenger name; the airline's PNR only when the order is known by nothing else.
    """

    order: OrderRef
    refund_code: str | None = attrs.field(repr=shown)
    """Code from the submit answer; None when that answer had none (forms of 2022)."""
    submitted: datetime | None = None
    """When it was submitted, UTC; the schedule of polls goes by the age."""
    fast: bool = False
    """Whether Atlas announced a fast confirmation."""

    def __attrs_post_init__(self) -> None:
        if self.submitted is not None and self.submitted.tzinfo is None:
            raise InvalidRequestError("refund token: give the time of the submit with its zone")

    def __str__(self) -> str:
        order = {name: value for name, value in wire_keys(self.order).items() if value is not None}
        submitted = self.submitted and self.submitted.astimezone(UTC).isoformat()
        fast = {"fast": True} if self.fast else {}
        return json.dumps({"v": VERSION, **order, "refund_code": self.refund_code, "submitted": submitted, **fast})

    @classmethod
    def parse(cls, text: str) -> "RefundToken":
        """Raises InvalidRequestError when the text is no token, is damaged, or is of a newer version."""
        try:
            data: dict[str, Any] = dict(json.loads(text))
            version = data.pop("v")
        except (ValueError, TypeError, KeyError, RecursionError):
            raise InvalidRequestError("refund token: this text is not a token, or is damaged") from None
        if version != VERSION:
            raise InvalidRequestError(f"refund token: version {version!r} is not known, this release reads {VERSION}")
        try:
            submitted, refund_code = data.pop("submitted"), data.pop("refund_code")
            fast = data.pop("fast", False)
            moment = None if submitted is None else datetime.fromisoformat(submitted)
            if (
                not isinstance(refund_code, str | None)
                or not isinstance(fast, bool)
                or (moment is not None and moment.tzinfo is None)
            ):
                raise TypeError
            return cls(
                order=order_ref(**data),
                refund_code=refund_code,
                submitted=moment and moment.astimezone(UTC),
                fast=fast,
            )
        except (ValueError, TypeError, KeyError, OverflowError):
            raise InvalidRequestError("refund token: a member is missing or damaged") from None
