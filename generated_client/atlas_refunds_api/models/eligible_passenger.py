from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import attrs

from .. import types as wire


@attrs.frozen(kw_only=True, eq=False, repr=False)
class EligiblePassenger(wire.Received):
    """EligiblePassenger, as on the refunds page."""

    name: str | None = attrs.field(default=None, repr=False)
    """ The eligible passenger’s name. """

    NAMES: ClassVar[dict[str, str]] = {
        "name": "name",
    }
    PROMISED: ClassVar[frozenset[str]] = frozenset(())

    @classmethod
    def from_dict(cls, src: Mapping[str, Any], **more: Any) -> Self:
        wire.expect_object(src, cls.NAMES)
        return cls(
            raw=src,
            name=wire.get(src, "name", wire.text),
            **more,
        )
