"""What a client is made with and what its calls are given: each slip has its error before anything is sent."""

import functools
import inspect
import logging
import traceback
import warnings
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import aiohttp
import httpx
import pytest

from atlas_refunds import (
    SANDBOX_URL,
    AtlasRefunds,
    ConfigurationError,
    Credentials,
    Event,
    InvalidRequestError,
    PollSchedule,
    RefundState,
    RefundToken,
)
from atlas_refunds.arguments import ClientSettings

from .conftest import CODE, CREDENTIALS, ORDER, HandClock, queried
from .wire_server import WireServer, answers

ANY: Any = AtlasRefunds
TOKEN = RefundToken(order=ORDER, refund_code=CODE)
HERE = {"base_url": "http://127.0.0.1:1"}


async def handles(_: Event) -> None: ...


class HandlesLater:
    async def __call__(self, _: Event) -> None: ...


SLIPS: dict[str, tuple[Callable[[], object], str]] = {
    "a pair": (lambda: ANY(("id", "secret-0815"), **HERE), "give Credentials.*not tuple"),
    "text for credentials": (lambda: ANY("secret-0815", **HERE), "give Credentials.*not str"),
    "the class": (lambda: ANY(Credentials, **HERE), "give Credentials"),
    "two texts": (lambda: ANY("id", "secret-0815"), "give AtlasRefunds.Credentials"),
    "two texts and an address": (lambda: ANY("id", "secret-0815", **HERE), "give AtlasRefunds.Credentials"),
    "nothing": (lambda: ANY(), "give AtlasRefunds.Credentials"),
    "no address": (lambda: ANY(CREDENTIALS), "base_url"),
    "a misspelt setting": (lambda: ANY(CREDENTIALS, **HERE, shedule=None), "shedule"),
    "seconds for time limits": (lambda: ANY(CREDENTIALS, **HERE, timeouts=30), "timeouts: give Timeouts, not int"),
    "a number of repeats": (lambda: ANY(CREDENTIALS, **HERE, retry=3), "retry: give RetryPolicy"),
    "an interval for the schedule": (lambda: ANY(CREDENTIALS, **HERE, schedule=5), "schedule: give PollSchedule"),
    "a rate": (lambda: ANY(CREDENTIALS, **HERE, limit=20), "limit: give RateLimit"),
    "an async handler": (lambda: ANY(CREDENTIALS, **HERE, on_event=handles), "on_event: give a plain function"),
    "a part of one": (
        lambda: ANY(CREDENTIALS, **HERE, on_event=functools.partial(handles)),
        "on_event: give a plain function",
    ),
    "an object that is one": (
        lambda: ANY(CREDENTIALS, **HERE, on_event=HandlesLater()),
        "on_event: give a plain function",
    ),
    "a list of handlers": (lambda: ANY(CREDENTIALS, **HERE, on_event=[print]), "on_event: give a function, not list"),
    "a client that is not async": (lambda: ANY(CREDENTIALS, **HERE, http_client=httpx.Client()), "not httpx.Client"),
    "the class of a client": (lambda: ANY(CREDENTIALS, **HERE, http_client=httpx.AsyncClient), "http_client: give"),
    "text for a client": (lambda: ANY(CREDENTIALS, **HERE, http_client="httpx"), "http_client: give.*not builtins.str"),
    "an environment that is none": (lambda: ANY(CREDENTIALS, **HERE, environment="prod"), "environment: give"),
    "text for an interval": (lambda: PollSchedule.every("5"), "timedelta or seconds"),  # type: ignore[arg-type]
    "no interval": (lambda: PollSchedule.every(0), "above zero"),
    "an interval that is no number": (lambda: PollSchedule.every(float("nan")), "above zero"),
    "an interval without end": (lambda: PollSchedule.every(float("inf")), "above zero"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_in_the_settings_says_what_to_give(slip: str) -> None:
    make, words = SLIPS[slip]
    with pytest.raises(ConfigurationError, match=words) as caught:
        make()
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    ours = [frame.f_locals for frame in frames if "/atlas_refunds/" in frame.f_code.co_filename]
    assert ours
    assert "0815" not in f"{caught.value!r} {caught.value.__context__!r} {ours}"


async def notified(atlas: AtlasRefunds, event: Any) -> None:
    atlas.notify(event)


SLIPS_OF_CALLS: dict[str, tuple[Callable[[AtlasRefunds], Any], str]] = {
    "damaged token": (lambda a: a.wait("{}"), "token"),
    "an order to wait for": (lambda a: a.wait(ORDER), "give a Refund"),  # type: ignore[arg-type]
    "a negative deadline": (lambda a: a.wait(TOKEN, timeout=-1), "not below zero"),
    "text for a deadline": (lambda a: a.wait(TOKEN, timeout="10"), "timedelta or seconds"),  # type: ignore[arg-type]
    "an interval for the schedule": (lambda a: a.wait(TOKEN, schedule=timedelta(1)), "PollSchedule"),  # type: ignore[arg-type]
    "text for the mode": (lambda a: a.wait(TOKEN, payment_mode="deposit"), "PaymentMode"),  # type: ignore[arg-type]
    "no event": (lambda a: a.confirm(b"{}", TOKEN), "parse_notification"),  # type: ignore[arg-type]
    "a body": (lambda a: notified(a, b"{}"), "parse_notification"),
    "no time for a call": (lambda a: a.query(ORDER, CODE, timeout=0), "above zero"),
    "text for a time limit": (lambda a: a.get(ORDER, CODE, timeout="1"), "timedelta"),  # type: ignore[arg-type]
    "a day for a call": (lambda a: a.get(ORDER, CODE, timeout=timedelta(days=1)), "one hour"),
}


@pytest.mark.parametrize("slip", SLIPS_OF_CALLS)
async def test_a_slip_in_a_call_says_what_to_give(slip: str, wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers(queried(2)))
    call, words = SLIPS_OF_CALLS[slip]
    with pytest.raises(InvalidRequestError, match=words):
        await call(atlas)
    assert wire.connections == 0


async def test_clients_of_the_known_families_are_taken() -> None:
    class Ours(httpx.AsyncClient):
        pass

    class Theirs:
        pass

    Theirs.__name__, Theirs.__module__ = "AsyncClient", "httpx2._client"
    async with Ours() as http, aiohttp.ClientSession() as session:
        for client in (http, session, Theirs()):
            AtlasRefunds(CREDENTIALS, base_url=SANDBOX_URL, http_client=client)  # type: ignore[arg-type]


def test_the_settings_of_from_env_are_those_of_the_constructor(monkeypatch: pytest.MonkeyPatch) -> None:
    constructor = inspect.signature(AtlasRefunds).parameters.keys()
    assert constructor - {"credentials", "base_url"} == ClientSettings.__annotations__.keys()
    for name, value in {"CLIENT_ID": "id", "CLIENT_SECRET": "secret", "BASE_URL": SANDBOX_URL}.items():
        monkeypatch.setenv(f"ATLAS_{name}", value)
    with pytest.raises(ConfigurationError, match="shedule"):
        AtlasRefunds.from_env(shedule=None)  # type: ignore[call-arg]


# ---- which address ---------------------------------------------------------------------------------------------------
ELSEWHERE = "https://atlas.example.com"


@pytest.mark.parametrize(
    ("environment", "base_url", "is_refused"),
    [
        ("sandbox", SANDBOX_URL, False),
        ("sandbox", "http://127.0.0.1:8765", False),
        ("sandbox", "http://localhost:8765", False),
        ("sandbox", ELSEWHERE, True),
        ("sandbox", "https://sandbox.atriptech.com.example.com", True),
        ("production", ELSEWHERE, False),
        ("production", SANDBOX_URL, True),
        ("production", "http://127.0.0.1:8765", True),
        (None, ELSEWHERE, False),
        (None, SANDBOX_URL, False),
    ],
)
def test_an_address_of_another_environment_is_refused(
    environment: Any, base_url: str, is_refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"CLIENT_ID": "id", "CLIENT_SECRET": "secret", "BASE_URL": base_url, "ENVIRONMENT": environment or ""}
    for name, value in values.items():
        monkeypatch.setenv(f"ATLAS_{name}", value)
    made_here: Callable[[], AtlasRefunds] = lambda: AtlasRefunds(
        CREDENTIALS, base_url=base_url, environment=environment
    )
    for make in (made_here, AtlasRefunds.from_env):
        if is_refused:
            with pytest.raises(ConfigurationError, match="environment"):
                make()
        else:
            make()


def test_what_is_said_goes_before_the_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"CLIENT_ID": "id", "CLIENT_SECRET": "secret", "BASE_URL": ELSEWHERE, "ENVIRONMENT": "sandbox"}
    for name, value in values.items():
        monkeypatch.setenv(f"ATLAS_{name}", value)
    AtlasRefunds.from_env(environment="production")
    with pytest.raises(ConfigurationError, match="sandbox"):
        AtlasRefunds.from_env()


def test_plain_http_to_another_machine_needs_to_be_allowed_and_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ConfigurationError, match="allow_http=True"):
        AtlasRefunds(CREDENTIALS, base_url="http://simulator:8765")
    assert caplog.records == []
    AtlasRefunds(CREDENTIALS, base_url="http://simulator:8765", allow_http=True)
    AtlasRefunds(CREDENTIALS, base_url="http://127.0.0.1:8765", allow_http=True)
    (warned,) = caplog.records
    assert (warned.name, warned.levelno) == ("atlas_refunds", logging.WARNING)
    assert "simulator" in warned.getMessage()


# ---- what is accepted besides ----------------------------------------------------------------------------------------
async def test_a_refund_is_followed_by_the_text_of_its_token_and_in_seconds(
    wire: WireServer, atlas: AtlasRefunds, clock: HandClock
) -> None:
    wire.plays(answers(queried(0)), answers(queried(0)), answers(queried(2)))
    final = await atlas.wait(str(TOKEN), timeout=3600, schedule=PollSchedule.every(60.5))
    assert final.is_refunded
    assert clock.sleeps == [60.5, 60.5]
    watched = [state async for state in atlas.watch(str(TOKEN), timeout=3600)]
    assert watched == [final]


async def test_an_update_may_be_plain_or_async(wire: WireServer, atlas: AtlasRefunds) -> None:
    seen: list[RefundState] = []

    async def update(state: RefundState) -> None:
        seen.append(state)

    wire.plays(answers(queried(2)))
    await atlas.wait(TOKEN, on_update=update)
    await atlas.wait(TOKEN, on_update=seen.append)
    assert len(seen) == 2


async def test_a_handler_that_turns_out_to_be_async_is_logged_and_leaves_no_coroutine(
    wire: WireServer, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    def disguised(event: Event) -> Any:
        return handles(event)

    wire.plays(answers(queried(2)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # "never awaited"
        async with AtlasRefunds(CREDENTIALS, base_url=wire.url, clock=clock, on_event=disguised) as atlas:
            await atlas.get(ORDER, CODE)
    assert "give a plain function" in caplog.text
