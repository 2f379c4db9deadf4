"""What the constructor of a client takes, and what is said about everything else."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, Final, ParamSpec, TypedDict, TypeVar

from .errors import ConfigurationError

if TYPE_CHECKING:
    import ssl

    import aiohttp
    import httpx

    from .clocks import Clock
    from .events import Handler
    from .limits import RateLimit
    from .retries import RetryPolicy
    from .schedule import PollSchedule
    from .settings import Environment, Timeouts
    from .submitting import SubmitGuard

P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")

CLIENTS: Final = {"httpx": "AsyncClient", "httpx2": "AsyncClient", "aiohttp": "ClientSession"}
"""The clients that may be injected: package and class."""


USAGE: Final = "give AtlasRefunds(Credentials(client_id=..., client_secret=...), base_url=...), and settings by name"


class ClientSettings(TypedDict, total=False):
    """What `AtlasRefunds` takes beside credentials and address; all of it has a default."""

    http_client: "httpx.AsyncClient | aiohttp.ClientSession | None"
    environment: "Environment | None"
    allow_http: bool
    timeouts: "Timeouts | None"
    retry: "RetryPolicy | None"
    schedule: "PollSchedule | None"
    limit: "RateLimit | None"
    guard: "SubmitGuard | None"
    on_event: "Handler | None"
    clock: "Clock | None"
    proxy: str | None
    tls: "ssl.SSLContext | None"
    trust_env: bool
    max_answer: int


def says_what_to_give(init: Callable[Concatenate[S, P], None]) -> Callable[Concatenate[S, P], None]:
    """Arguments that are missing, unknown or too many are a ConfigurationError too.

    All of these are raised from here, for no frame of a traceback may hold a secret, least of all one given wrongly.
    """
    signature = inspect.signature(init)

    @wraps(init)
    def checked(self: S, /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            signature.bind(self, *args, **kwargs)
        except TypeError as error:
            problem = f"AtlasRefunds: {error}; {USAGE}"
        else:
            try:
                init(self, *args, **kwargs)
                return
            except ConfigurationError as error:
                problem = str(error)
        del args, kwargs
        raise ConfigurationError(problem)

    return checked


def given(name: str, setting: T | None, kind: type[T]) -> T:
    """The setting, or the default one. Raises ConfigurationError when it is of another kind."""
    if not isinstance(setting, kind | None):
        raise ConfigurationError(f"{name}: give {kind.__name__}, not {type(setting).__name__}")
    return kind() if setting is None else setting


def family(http_client: object) -> str:
    """The package that a client to be injected comes from, by its class or a base of it; nothing is imported.

    Raises ConfigurationError when it is none of CLIENTS: a client that is not async would stop the event loop.
    """
    for kind in type(http_client).__mro__:
        package = kind.__module__.partition(".")[0]
        if CLIENTS.get(package) == kind.__name__:
            return package
    known = ", ".join(f"{package}.{name}" for package, name in CLIENTS.items())
    given = type(http_client)
    raise ConfigurationError(f"http_client: give one of {known}, not {given.__module__}.{given.__qualname__}")


def plain_function(name: str, function: T) -> T:
    """Raises ConfigurationError unless it can be called without being awaited."""
    if not callable(function) or isinstance(function, type):
        raise ConfigurationError(f"{name}: give a function, not {type(function).__name__}")
    if any(map(inspect.iscoroutinefunction, (function, getattr(function, "__call__", None)))):  # noqa: B004
        raise ConfigurationError(f"{name}: give a plain function; it is called, so an async one would never run")
    return function
