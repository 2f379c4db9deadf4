"""Which addresses may be fetched, and how one may be shown and stored."""

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

SIGNED: Final = re.compile(
    r"(https?://[^\s\"'<>()?]+)\?[^\s\"'<>()]*(?:signature|x-amz-|token|expires|sig=)[^\s\"'<>()]*", re.IGNORECASE
)


def scrubbed(text: str) -> str:
    """The text without the query of signed links, which are secrets for as long as they are valid."""
    return SIGNED.sub(r"\1", text)


def shown_url(url: str) -> str:
    """An address as it may be printed and stored: without credentials, query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(not an address)"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.netloc else parts.path


def unsafe(url: str, referrer: str) -> str | None:
    """Why an address is not fetched. Plain http is for this machine only, and only from a page of this machine."""
    try:
        parts = urlsplit(url)
        host, home = parts.hostname or "", is_loopback(urlsplit(referrer or url).hostname or "")
        _ = parts.port
    except ValueError as error:
        return str(error)
    if home and is_loopback(host) and parts.scheme in ("http", "https"):
        return None
    if parts.scheme != "https" or not host:
        return "only https addresses are fetched"
    if parts.username or parts.password:
        return "an address with credentials is not fetched"
    return "an address of a machine without a name is not fetched" if is_address(host) or is_loopback(host) else None


def is_address(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    return host == "localhost" or (is_address(host) and ip_address(host).is_loopback)
