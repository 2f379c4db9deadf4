"""The credentials that calls carry now: a value, or what a function of the user said last."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from .errors import AuthenticationError, ConfigurationError
from .loops import PerLoop
from .settings import Credentials

CredentialsSource: TypeAlias = Credentials | Callable[[], Credentials | Awaitable[Credentials]]
"""Credentials, or a function (plain or `async`) that returns those of now: a rotated secret needs no new client."""

NOT_AUTHORISED: Final = 900
UNAUTHORISED: Final = 401


class CredentialsInForce:
    """Asks the function once, and again when Atlas has refused what it said."""

    def __init__(self, source: CredentialsSource) -> None:
        if not isinstance(source, Credentials) and (isinstance(source, type) or not callable(source)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(
                "credentials: give Credentials(client_id=..., client_secret=...), or a function that returns them, "
                f"not {type(source).__name__}"
            )
        self._known = source if isinstance(source, Credentials) else None
        self._source = None if isinstance(source, Credentials) else source
        self._locks = PerLoop(asyncio.Lock)

    async def current(self) -> Credentials:
        """What the function raises comes out as it is; nothing was sent then."""
        return self._known or await self._asked()

    def are_refused(self, used: Credentials, error: AuthenticationError) -> bool:
        """Forget credentials that Atlas does not take; whether the function may know others."""
        if self._source is None or not (error.code == NOT_AUTHORISED or error.http_status == UNAUTHORISED):
            return False
        if self._known is used:  # and not already those that another call was given meanwhile
            self._known = None
        return True

    async def _asked(self) -> Credentials:
        async with self._locks.here():
            if self._known is None:
                assert self._source is not None  # noqa: S101  (a value is always known)
                given = self._source()
                found = await given if inspect.isawaitable(given) else given
                if not isinstance(found, Credentials):  # pyright: ignore[reportUnnecessaryIsInstance]
                    raise ConfigurationError(
                        f"credentials: the function has to return them, not {type(found).__name__}"
                    )
                self._known = found
            return self._known
