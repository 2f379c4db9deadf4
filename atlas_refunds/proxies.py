"""Through which proxy calls leave: the one that was given, else the one that the environment names for the address."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from .errors import ConfigurationError

if TYPE_CHECKING:
    import httpcore

SCHEMES: Final = ("http", "https", "socks5", "socks5h")


def checked_proxy(proxy: str) -> str:
    """Raises ConfigurationError, whose text shows none of it, unless it is a proxy's address."""
    try:
        parts = urlsplit(proxy)
        if parts.scheme in SCHEMES and parts.hostname and parts.port != 0 and not parts.path.strip("/"):
            return proxy
    except (ValueError, TypeError, AttributeError):
        pass
    raise ConfigurationError("proxy: give an address such as http://proxy.example:3128 (http, https or socks5)")


def of_environment(url: str) -> str | None:
    """By HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, in either case, as httpx reads them."""
    from urllib.request import getproxies, proxy_bypass  # slow to import, wanted at the first call

    proxies = getproxies()
    parts = urlsplit(url)
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.netloc):
        return None
    try:
        return checked_proxy(proxy if "://" in proxy else f"http://{proxy}")
    except ConfigurationError as error:
        raise ConfigurationError(f"in the environment, {parts.scheme}_proxy or all_proxy: {error}") from None


def for_httpcore(proxy: str) -> "httpcore.Proxy":
    import httpcore

    parts = urlsplit(proxy)
    if parts.scheme.startswith("socks") and find_spec("socksio") is None:
        raise ConfigurationError("a SOCKS proxy needs: pip install 'httpx[socks]'")
    auth = (unquote(parts.username).encode(), unquote(parts.password or "").encode()) if parts.username else None
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 1080)
    return httpcore.Proxy(f"{parts.scheme}://{host}:{port}", auth=auth)
