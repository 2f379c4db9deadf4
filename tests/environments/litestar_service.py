"""The service of service.py in Litestar, whose threads are not anyio's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
import litestar
from litestar.connection import Request
from litestar.handlers import asgi

from atlas_refunds import AtlasRefunds
from atlas_refunds.receiving import WebhookReceiver

from .journey import SECRET
from .service import Answer, from_thread, take


def litestar_app() -> litestar.Litestar:
    @asynccontextmanager
    async def lifespan(app: litestar.Litestar) -> AsyncIterator[None]:
        async with AtlasRefunds.from_env() as atlas, WebhookReceiver(SECRET, atlas.notify) as hooks:
            app.state.atlas, app.state.hooks = atlas, hooks
            yield

    @asgi("/hooks/atlas", is_mount=True, copy_scope=True)
    async def hook(scope: Any, receive: Any, send: Any) -> None:
        await scope["app"].state.hooks(scope, receive, send)

    @litestar.get("/thread")
    async def thread(request: "Request[Any, Any, Any]") -> Answer:
        return await anyio.to_thread.run_sync(from_thread, request.app.state.atlas)

    @litestar.get("/steps/{step:str}")
    async def go(request: "Request[Any, Any, Any]") -> Answer:
        return await take(request.path_params["step"], request.app.state.atlas)

    return litestar.Litestar([hook, thread, go], lifespan=[lifespan])
