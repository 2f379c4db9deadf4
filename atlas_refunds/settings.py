"""What a client is made with: credentials, address, time limits."""

import ipaddress
import math
import os
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Literal, TypeAlias, cast
from urllib.parse import urlsplit

import attrs
from atlas_refunds_api.types import Model

from .errors import ConfigurationError
from .events import log

SANDBOX_URL: Final = "https://sandbox.atriptech.com"
"""Atlas' sandbox. No production address is built in: yours stands on your ATRIP profile page."""

Environment: TypeAlias = Literal["sandbox", "production"]
Duration: TypeAlias = timedelta | float
"""A timedelta, or seconds."""

LONGEST: Final = timedelta(hours=1)
"""Of a call."""

HEADER_TEXT = re.compile(r"[!-~]+")  # printable ASCII without spaces; a line break would smuggle in a header
URL_TEXT = re.compile(r"[\w.~:/?#\[\]@!$&'()*+,;=-]+", re.ASCII)  # the signs of RFC 3986, nothing encoded


@attrs.frozen
class Credentials:
    """The pair that every call carries in two headers. Sandbox and production have their own. Never in a repr.

    Raises ConfigurationError when one is empty or cannot be sent as a header.
    """

    client_id: str = attrs.field(repr=False)
    client_secret: str = attrs.field(repr=False)

    def __attrs_post_init__(self) -> None:
        for name, value in (("client_id", self.client_id), ("client_secret", self.client_secret)):
            if not isinstance(value, str) or not HEADER_TEXT.fullmatch(value):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise ConfigurationError(f"{name}: give the value from ATRIP, printable ASCII without spaces")


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Timeouts(Model):
    """How long a call may take as a whole, and how long connecting may take. Always finite, always positive.

    Atlas publishes none. A quote may ask the airline live, and a submit that is cut off is an open question, so both
    have time.
    """

    connect: timedelta = timedelta(seconds=5)
    quote: timedelta = timedelta(seconds=60)
    submit: timedelta = timedelta(seconds=90)
    query: timedelta = timedelta(seconds=30)

    def __attrs_post_init__(self) -> None:
        for field in attrs.fields(Timeouts):
            value = getattr(self, field.name)
            if not isinstance(value, timedelta) or not timedelta() < value <= LONGEST:
                raise ConfigurationError(f"timeouts.{field.name}: give a timedelta above zero, one hour at most")


def duration(name: str, value: Duration, *, least: timedelta = timedelta(microseconds=1)) -> timedelta:
    """Raises ConfigurationError unless it is a finite time of `least` or more."""
    try:
        if not isinstance(value, bool) and not (isinstance(value, float) and math.isnan(value)):
            found = value if isinstance(value, timedelta) else timedelta(seconds=value)
            if found >= least:
                return found
    except (TypeError, OverflowError):
        pass
    above = "above zero" if least else "not below zero"
    raise ConfigurationError(f"{name}: give a timedelta or seconds, {above}")


def call_limit(timeout: Duration | None) -> timedelta | None:
    """The time limit of one call. Raises ConfigurationError as Timeouts does."""
    if timeout is None:
        return None
    limit = duration("timeout", timeout)
    if limit > LONGEST:
        raise ConfigurationError("timeout: give one hour at most")
    return limit


def checked_url(base_url: str, *, allow_http: bool = False) -> str:
    """The base URL without a trailing slash.

    Raises ConfigurationError unless it is https, or http on a loopback address; the secret travels in a header.
    `allow_http` allows it on others too, with a warning.
    """
    problem = ConfigurationError("base_url: give an absolute https address, such as SANDBOX_URL")
    try:
        parts = urlsplit(base_url)
        if not URL_TEXT.fullmatch(base_url) or parts.port == 0:  # reading a port that is none raises
            raise problem
    except (ValueError, TypeError, AttributeError):
        raise problem from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise problem
    if parts.scheme == "http" and not is_loopback(parts.hostname) and not allow_http:
        raise ConfigurationError(
            "base_url: give an https address; plain http is for loopback addresses only, unless allow_http=True"
        )
    if any(sign in base_url for sign in "@?#") or not {".", ".."}.isdisjoint(parts.path.split("/")):
        raise ConfigurationError("base_url: give host and path only, without user, query, fragment and dot segments")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        log.warning("plain http to %s: credentials and passenger names can be read on their way", parts.hostname)
    return base_url.rstrip("/")


def check_environment(environment: Environment | None, base_url: str) -> None:
    """Raises ConfigurationError when the address is not one of the environment: a mistyped address is a real refund."""
    if environment is None:
        return
    if environment not in ("sandbox", "production"):
        raise ConfigurationError('environment: give "sandbox", "production" or None')
    host = urlsplit(base_url).hostname or ""
    is_for_tests = is_loopback(host) or host == urlsplit(SANDBOX_URL).hostname
    if environment == "sandbox" and not is_for_tests:
        raise ConfigurationError(
            f'environment: a client for the "sandbox" calls {SANDBOX_URL} and loopback addresses, not {host}'
        )
    if environment == "production" and is_for_tests:
        raise ConfigurationError(f'environment: {host} is not "production"; give your address from ATRIP as base_url')


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def from_environment(environ: Mapping[str, str] | None = None) -> tuple[Credentials, str, Environment | None]:
    """ATLAS_CLIENT_ID and ATLAS_CLIENT_SECRET, ATLAS_BASE_URL, and ATLAS_ENVIRONMENT if it is set."""
    source = os.environ if environ is None else environ
    names = ("ATLAS_CLIENT_ID", "ATLAS_CLIENT_SECRET", "ATLAS_BASE_URL")
    if missing := [name for name in names if not source.get(name)]:
        raise ConfigurationError(f"set the environment variables {', '.join(missing)}")
    client_id, client_secret, base_url = (source[name] for name in names)
    environment = cast("Environment | None", source.get("ATLAS_ENVIRONMENT") or None)  # the client checks it
    return Credentials(client_id, client_secret), base_url, environment
