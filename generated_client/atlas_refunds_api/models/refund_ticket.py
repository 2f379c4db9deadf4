from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import attrs

from .. import types as wire


@attrs.frozen(kw_only=True)
class RefundTicket(wire.Received):
    """RefundTicket, as on the refunds page."""

    last_name: str | None = attrs.field(default=None, repr=False)
    """ Last name of the passenger who wants to refund. """
    first_name: str | None = attrs.field(default=None, repr=False)
    """ First name of the passenger who wants to refund. """
    ticket_no: str | None = attrs.field(default=None, repr=False)
    """ The PNR received from the airline in the retrieve PNR response. """
    name: str | None = attrs.field(default=None, repr=False)
    """ Passenger as LAST/FIRST. """

    _names: ClassVar[frozenset[str]] = frozenset(
        (
            "lastName",
            "firstName",
            "ticketNo",
            "name",
        )
    )

    @classmethod
    def from_dict(cls, src: Mapping[str, Any], **more: Any) -> Self:
        wire.expect_object(src)
        return cls(
            raw=src,
            last_name=wire.get(src, "lastName", wire.text),
            first_name=wire.get(src, "firstName", wire.text),
            ticket_no=wire.get(src, "ticketNo", wire.text),
            name=wire.get(src, "name", wire.text),
            **more,
        )
