"""What a client is made with: credentials, address, time limits."""

import ipaddress
import os
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

import attrs
from atlas_refunds_api.types import Model

from .errors import ConfigurationError

SANDBOX_URL: Final = "https://sandbox.atriptech.com"
"""Atlas' sandbox. No production address is built in: yours stands on your ATRIP profile page."""

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
            if not isinstance(value, timedelta) or not timedelta() < value <= timedelta(hours=1):
                raise ConfigurationError(f"timeouts.{field.name}: give a timedelta above zero, one hour at most")


def checked_url(base_url: str) -> str:
    """The base URL without a trailing slash.

    Raises ConfigurationError unless it is https, or http on a loopback address; the secret travels in a header.
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
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ConfigurationError("base_url: give an https address; plain http is for loopback addresses only")
    if any(sign in base_url for sign in "@?#") or not {".", ".."}.isdisjoint(parts.path.split("/")):
        raise ConfigurationError("base_url: give host and path only, without user, query, fragment and dot segments")
    return base_url.rstrip("/")


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def from_environment(environ: Mapping[str, str] | None = None) -> tuple[Credentials, str]:
    """Credentials and base URL from ATLAS_CLIENT_ID, ATLAS_CLIENT_SECRET and ATLAS_BASE_URL."""
    source = os.environ if environ is None else environ
    names = ("ATLAS_CLIENT_ID", "ATLAS_CLIENT_SECRET", "ATLAS_BASE_URL")
    if missing := [name for name in names if not source.get(name)]:
        raise ConfigurationError(f"set the environment variables {', '.join(missing)}")
    client_id, client_secret, base_url = (source[name] for name in names)
    return Credentials(client_id, client_secret), checked_url(base_url)
