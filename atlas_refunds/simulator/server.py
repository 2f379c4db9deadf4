"""The simulator on a socket, inside the event loop of the caller."""

import asyncio
import socket
import struct
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from .app import Simulator
from .courier import delivering

_LINGER_NOT = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


@asynccontextmanager
async def serve(simulator: Simulator, port: int = 0) -> AsyncGenerator[str, None]:
    """Listens on 127.0.0.1 for the time of the block and yields the base URL; port 0 takes a free one."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        # Inherited by connections. asyncio sets it only where the protocol is named, which create_server does not do;
        # without it every call waits 40 ms for a delayed acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = _Server(simulator)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await server.listening.wait()
            async with delivering(simulator.webhooks):
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


class _Connection(H11Protocol):
    """Lets the application end its connection: the state of a request holds `hang_up`."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, {**app_state, "hang_up": self._hang_up}, _loop)

    def _hang_up(self, reset: bool) -> None:
        if reset and not self.transport.is_closing():
            # Closed without lingering, a socket sends RST instead of FIN.
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
            self.transport.abort()
        else:
            self.transport.close()


class _Server(uvicorn.Server):
    """Leaves the caller's signal handlers and logging alone."""

    def __init__(self, simulator: Simulator) -> None:
        super().__init__(
            uvicorn.Config(
                simulator.asgi,
                http=_Connection,
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                timeout_graceful_shutdown=1,
            )
        )
        self.listening = asyncio.Event()
        self._stopping = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.lifespan.state["pause"] = self._pause
        await super().startup(sockets)
        self.listening.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping.set()
        await super().shutdown(sockets)

    async def _pause(self, seconds: float) -> None:
        """Ends early with the server, which would wait for it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
