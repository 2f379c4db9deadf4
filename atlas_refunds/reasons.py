"""Why a connection or an answer failed, in words that hold nothing of what was sent or received."""

import os
import re
import socket
import ssl
from typing import Final

WORDS: Final = {
    "ConnectTimeout": "no connection in time",
    "ConnectionTimeoutError": "no connection in time",
    "PoolTimeout": "no free connection in time",
    "ReadTimeout": "no answer in time",
    "WriteTimeout": "the request could not be written in time",
    "TimeoutError": "not in time",
    "RemoteProtocolError": "the connection ended early, or what came is not HTTP",
    "LocalProtocolError": "the request is not HTTP",
    "ServerDisconnectedError": "the connection was closed without an answer",
    "ClientPayloadError": "the answer was cut off, or is not HTTP",
    "ClientResponseError": "what came is not HTTP",
    "ReadError": "the connection was lost",
    "WriteError": "the connection was lost",
    "ClientOSError": "the connection was lost",
    "IncompleteReadError": "the connection was lost",
    "ClientConnectionResetError": "the connection was lost",
}
"""By the name of a class, for httpcore, httpx, httpx2 and aiohttp have them each."""
NOT_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"})


LIBRARIES: Final = frozenset({"httpcore", "httpcore2", "httpx", "httpx2", "h11", "h2", "aiohttp", "anyio", "socksio"})


def is_of_network(error: BaseException) -> bool:
    """Whether a network or a parser raised it. Anything else is a mistake in a program, and comes out as itself."""
    if isinstance(error, OSError):  # TimeoutError and ssl.SSLError are such
        return True
    return any(kind.__module__.partition(".")[0] in LIBRARIES for kind in type(error).__mro__)


QUOTING: Final = frozenset({"ProtocolError", "HttpProcessingError", "ClientPayloadError", "ClientResponseError"})
"""Parsers' errors, whose own words can be those that Atlas sent."""


def quotes(error: BaseException) -> bool:
    return any(kind.__name__ in QUOTING for each in family(error) for kind in type(each).__mro__)


def why(error: BaseException) -> str:
    """The deepest cause that says something, in words."""
    found = [words for each in family(error) if (words := of_one(each))]
    return found[-1] if found else type(error).__name__


def family(error: BaseException) -> list[BaseException]:
    """The error, what caused it, and what was being handled when each of them was raised."""
    found = [error]
    for each in found:
        found += [other for other in (each.__context__, each.__cause__) if other is not None and other not in found]
    return found


def of_one(error: BaseException) -> str | None:
    name = type(error).__name__
    if name in ("ProxyError", "ClientHttpProxyError", "ClientProxyConnectionError"):
        status = re.match(r"(\d{3})\b", str(getattr(error, "status", error)))
        return "the proxy refused the tunnel" + (f" with HTTP {status[1]}" if status else "")
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "reason", None) or ""  # aiohttp's have none, but their cause has
        if reason in NOT_TLS:
            return "the other side does not speak TLS"
        return f"TLS failed ({reason.replace('_', ' ').lower() or name})"
    if isinstance(error, socket.gaierror):
        return f"name look-up failed ({error.strerror})"
    if isinstance(error, OSError) and error.errno and name not in WORDS:
        return os.strerror(error.errno).lower()
    if name == "ConnectError" and str(error) in OWN_WORDS:
        return str(error)
    return f"{WORDS[name]} ({name})" if name in WORDS else None


OWN_WORDS: Final = frozenset(
    {"something came unasked before the TLS handshake", "the connection was closed during the TLS handshake"}
)
"""What sockets.py says itself."""
