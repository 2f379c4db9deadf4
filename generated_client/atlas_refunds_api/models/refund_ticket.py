from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import attrs

from .. import types as wire


@attrs.frozen(kw_only=True, eq=False, repr=False)
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

    NAMES: ClassVar[dict[str, str]] = {
        "lastName": "last_name",
        "firstName": "first_name",
        "ticketNo": "ticket_no",
        "name": "name",
    }
    PROMISED: ClassVar[frozenset[str]] = frozenset(
        (
            "lastName",
            "firstName",
            "ticketNo",
        )
    )

    @classmethod
    def from_dict(cls, src: Mapping[str, Any], **more: Any) -> Self:
        wire.expect_object(src, cls.NAMES)
        return cls(
            raw=src,
            last_name=wire.get(src, "lastName", wire.text, True),
            first_name=wire.get(src, "firstName", wire.text, True),
            ticket_no=wire.get(src, "ticketNo", wire.text, True),
            name=wire.get(src, "name", wire.text),
            **more,
        )
