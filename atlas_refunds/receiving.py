"""A door for Atlas' webhooks: checked at once, answered at once, worked on afterwards.

`WebhookReceiver` is an ASGI application of its own, to be mounted in any framework; `receive` is the same without ASGI,
for frameworks such as aiohttp. Nothing that comes through this door is believed: it wakes, the query decides.
Source: the call is unsigned, best effort, and from no published address (Atlas' webhook guides; captured calls).
"""

import asyncio
import hmac
import inspect
import ipaddress
import re
import time
from collections import OrderedDict
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Mapping, MutableMapping
from datetime import timedelta
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

from atlas_refunds_api.types import harmless

from .errors import ConfigurationError, NotificationError
from .events import log
from .notifications import MAX_BODY, UnverifiedNotification, parse_notification

Handle: TypeAlias = Callable[[UnverifiedNotification], Awaitable[object] | None]
Message: TypeAlias = MutableMapping[str, Any]

SECRET: Final = re.compile(r"[A-Za-z0-9_-]{22,128}")  # 22 of these are 128 bits
REMEMBERED: Final = 10_000


class WebhookReceiver:
    """Hands each event to `handle`, once, after Atlas has its answer. Use one per process, `async with` around it.

    `secret` is the last part of the address that you register with Atlas: at least 22 characters, made by
    `secrets.token_urlsafe(24)`. `networks` are the only sources to be heard ("203.0.113.0/24"); behind a proxy, let
    your server read the proxy's header first. A copy of an event is dropped for the time of `remember`, not for longer:
    a forged copy that comes first would else keep the true one out. More than `backlog` events at work are answered
    503. `handle` may be `atlas.notify`, `tracker.notify` or any function, also of coroutines; what it raises is logged
    and ends there, SystemExit too. Raises ConfigurationError.
    """

    def __init__(
        self,
        secret: str,
        handle: Handle,
        *,
        networks: Iterable[str] | None = None,
        expected_cid: str | None = None,
        remember: timedelta = timedelta(minutes=1),
        backlog: int = 1000,
        read_timeout: timedelta = timedelta(seconds=5),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if not SECRET.fullmatch(secret):
            raise ConfigurationError("webhook secret: give 22 or more of A-Z a-z 0-9 _ -, from secrets.token_urlsafe")
        try:
            self._networks = None if networks is None else [ipaddress.ip_network(network) for network in networks]
        except ValueError:
            raise ConfigurationError("webhook networks: give addresses or networks such as 203.0.113.0/24") from None
        self._secret, self._handle, self._expected_cid = secret.encode(), handle, expected_cid
        self._remember, self._backlog = remember.total_seconds(), backlog
        self._read_timeout, self._monotonic = read_timeout.total_seconds(), monotonic
        self._seen: OrderedDict[str, float] = OrderedDict()
        self._at_work: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.drain()

    async def drain(self, timeout: timedelta = timedelta(seconds=10)) -> None:  # noqa: ASYNC109  (no error at its end)
        """Wait until everything that was answered so far is worked on; cancel and log what is not after `timeout`."""
        late, seconds = set(self._at_work), timeout.total_seconds()
        if late:
            _, late = await asyncio.wait(late, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=1)  # one that does not heed it is left behind

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """The ASGI application. The secret is the last part of the path, wherever it is mounted."""
        if scope["type"] != "http":
            raise TypeError(f"the webhook receiver answers HTTP, not {scope['type']}")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        source = scope.get("client")
        status = await self.receive(
            scope["path"].rstrip("/").rpartition("/")[2],
            headers,
            body_of(receive),
            source and source[0],
            method=scope["method"],
        )
        head = [(b"content-length", b"0")]
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            head.append((b"allow", b"POST"))
        await send({"type": "http.response.start", "status": int(status), "headers": head})
        await send({"type": "http.response.body", "body": b""})

    async def receive(
        self,
        secret: str,
        headers: Mapping[str, str],
        body: AsyncIterable[bytes],
        source: str | None,
        *,
        method: str = "POST",
    ) -> HTTPStatus:
        """The HTTP status to answer with, without a body. Never raises for what was sent, and never depends on orders.

        404 for everybody who does not know the secret or comes from elsewhere, 405, 408, 413, 400 for what cannot be
        read or did not come whole, 503 when too much is at work; 200 for all else. `body` may raise what it likes.
        """
        if not hmac.compare_digest(secret.encode(errors="replace"), self._secret) or not self._is_heard(source):
            return HTTPStatus.NOT_FOUND
        if method != "POST":
            return HTTPStatus.METHOD_NOT_ALLOWED
        if len(self._at_work) >= self._backlog:
            return HTTPStatus.SERVICE_UNAVAILABLE
        try:
            async with asyncio.timeout(self._read_timeout):
                content = await read(body, next((v for k, v in headers.items() if k.lower() == "content-length"), ""))
            event = parse_notification(content, headers, expected_cid=self._expected_cid)
        except TimeoutError:
            return HTTPStatus.REQUEST_TIMEOUT
        except OverflowError:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        except NotificationError as error:
            log.warning("webhook refused: %s", error)
            return HTTPStatus.BAD_REQUEST
        except Exception as error:  # of the server: hung up, broken chunks, broken compression
            log.warning("webhook refused: its body did not come whole (%s)", type(error).__name__)
            return HTTPStatus.BAD_REQUEST
        if self._is_new(event.dedupe_key):
            task = asyncio.create_task(self._work_on(event))
            self._at_work.add(task)
            task.add_done_callback(self._at_work.discard)
        return HTTPStatus.OK

    def _is_heard(self, source: str | None) -> bool:
        if self._networks is None:
            return True
        try:
            address = ipaddress.ip_address(source or "")
        except ValueError:
            return False
        plain = getattr(address, "ipv4_mapped", None) or address  # ::ffff:203.0.113.7, as dual-stack sockets say it
        return any(plain in network for network in self._networks)

    def _is_new(self, key: str) -> bool:
        now = self._monotonic()
        while self._seen and (len(self._seen) >= REMEMBERED or next(iter(self._seen.values())) <= now - self._remember):
            self._seen.popitem(last=False)
        if key in self._seen:
            return False
        self._seen[key] = now
        return True

    async def _work_on(self, event: UnverifiedNotification) -> None:
        name, order_no = harmless(event.event), harmless(event.order_no)
        log.info("webhook received: %s, order %s", name, order_no)
        try:
            working = self._handle(event)
            if inspect.isawaitable(working):
                await working
        except asyncio.CancelledError:
            log.warning("webhook given up unfinished: %s, order %s", name, order_no)
            raise
        except KeyboardInterrupt:  # somebody at a keyboard
            raise
        except BaseException:  # SystemExit would end the server by way of the event loop
            log.exception("the handler of a webhook failed: %s, order %s", name, order_no)


async def read(body: AsyncIterable[bytes], announced: str) -> bytes:
    """The whole body. Raises OverflowError as soon as it is, or says to be, above MAX_BODY; nothing is read then."""
    if announced.isdecimal() and int(announced[:20]) > MAX_BODY:
        raise OverflowError
    content = bytearray()
    async for part in body:
        content += part
        if len(content) > MAX_BODY:
            raise OverflowError
    return bytes(content)


async def body_of(receive: Callable[[], Awaitable[Message]]) -> AsyncIterator[bytes]:
    """The parts of an ASGI body; who hangs up early has sent half a JSON."""
    while (message := await receive())["type"] == "http.request":
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return
