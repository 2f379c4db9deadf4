"""The simulator on a socket, inside the event loop of the caller."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

import uvicorn

from .app import Simulator


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
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


class _Server(uvicorn.Server):
    """Leaves the caller's signal handlers and logging alone."""

    def __init__(self, simulator: Simulator) -> None:
        super().__init__(
            uvicorn.Config(
                simulator.asgi,
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                timeout_graceful_shutdown=1,
            )
        )
        self.listening = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()
