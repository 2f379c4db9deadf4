"""One service in two frameworks: the client lives as long as the application; `/thread` may be its first call."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypedDict

import anyio.from_thread
import fastapi
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from atlas_refunds import AtlasRefunds
from atlas_refunds.receiving import WebhookReceiver

from .journey import SECRET, ZHAO, an_order, calls, tracking, webhook

Answer = dict[str, Any]
STEPS = {step.__name__: step for step in (calls, webhook, tracking)}


class State(TypedDict):
    atlas: AtlasRefunds


async def take(step: str, atlas: AtlasRefunds) -> Answer:
    await STEPS[step](atlas)
    return {"worker": os.getpid(), "loop": type(asyncio.get_running_loop()).__module__}


def from_thread(atlas: AtlasRefunds) -> Answer:
    quote = anyio.from_thread.run(atlas.quote, an_order(), [ZHAO])
    loop = anyio.from_thread.run_sync(asyncio.get_running_loop)
    return {"worker": os.getpid(), "loop": type(loop).__module__, "refundable": quote.is_refundable}


# ---- FastAPI ---------------------------------------------------------------------------------------------------------
def fastapi_app() -> fastapi.FastAPI:
    @asynccontextmanager
    async def lifespan(app: fastapi.FastAPI) -> AsyncIterator[State]:
        async with AtlasRefunds.from_env() as atlas, WebhookReceiver(SECRET, atlas.notify) as hooks:
            app.mount("/hooks/atlas", hooks)
            yield {"atlas": atlas}

    app = fastapi.FastAPI(lifespan=lifespan)

    @app.get("/thread")
    def thread(request: fastapi.Request) -> Answer:
        return from_thread(request.state.atlas)

    @app.get("/steps/{step}")
    async def go(step: str, request: fastapi.Request) -> Answer:
        return await take(step, request.state.atlas)

    return app


# ---- Starlette -------------------------------------------------------------------------------------------------------
def starlette_app() -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[State]:
        async with AtlasRefunds.from_env() as atlas, WebhookReceiver(SECRET, atlas.notify) as hooks:
            app.router.routes.append(Mount("/hooks/atlas", hooks))
            yield {"atlas": atlas}

    async def thread(request: Request) -> JSONResponse:
        return JSONResponse(await run_in_threadpool(from_thread, request.state.atlas))

    async def go(request: Request) -> JSONResponse:
        return JSONResponse(await take(request.path_params["step"], request.state.atlas))

    return Starlette(routes=[Route("/thread", thread), Route("/steps/{step}", go)], lifespan=lifespan)
