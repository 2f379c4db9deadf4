"""The web service: FastAPI around the table and the client. `create` is the factory for uvicorn."""

import asyncio
import json
import logging
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import FastAPI, Header, HTTPException, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel
from starlette.middleware.base import RequestResponseEndpoint
from starlette.routing import Route

from atlas_refunds import (
    ApiError,
    AtlasRefunds,
    AtlasRefundsError,
    InvalidRequestError,
    OrderNo,
    OutcomeUnknownError,
    QuoteExpiredError,
    RateLimit,
    Timeouts,
)
from atlas_refunds.receiving import WebhookReceiver

from . import logs
from .database import connect
from .following import Follower
from .people import passengers_from
from .quoting import RefundRequest, offered, quote
from .settings import Settings
from .store import Step, Store, Stored
from .submitting import AlreadyOnItsWay, Intents

log = logging.getLogger("refund_service")

HEARTBEAT: Final = 15.0
Key = Annotated[str, Header(alias="Idempotency-Key", pattern=r"^[A-Za-z0-9._-]{1,64}$", description="One per refund.")]


class RefundView(BaseModel):
    """Where a refund stands."""

    key: str
    order_no: str
    step: Step
    amount: str
    currency: str
    fee: str
    refund_status: str
    note: str

    @classmethod
    def of(cls, row: Stored) -> "RefundView":
        return cls(
            key=row.key,
            order_no=row.order_no,
            step=row.step,
            amount=row.amount,
            currency=row.currency,
            fee=row.fee,
            refund_status=row.status,
            note=row.note,
        )


def create() -> FastAPI:
    logs.start()
    settings = Settings.from_env()
    store = Store(connect(settings.database_url))
    atlas = AtlasRefunds.from_env(
        timeouts=Timeouts(submit=settings.submit_timeout),
        limit=RateLimit(per_second=settings.rate, burst=math.ceil(settings.rate)),
        guard=Intents(store, settings.submit_timeout + settings.lease),
    )
    follower = Follower(atlas, store, settings)
    receiver = WebhookReceiver(settings.webhook_secret, follower.hear, remember=settings.wake_interval)
    following: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with atlas, receiver:
            following.append(asyncio.create_task(follower.run()))
            yield
            following[0].cancel()
            with suppress(asyncio.CancelledError):
                await following[0]
        await store.close()

    app = FastAPI(title="Refund service", lifespan=lifespan)
    # An ASGI application as a route, past FastAPI's reading of bodies; not in the OpenAPI page.
    app.router.routes.append(Route("/hooks/atlas/{secret}", receiver))

    @app.post("/refunds", responses={202: {"model": RefundView}, 409: {}, 502: {}, 503: {}})
    async def refund(wanted: RefundRequest, key: Key, response: Response) -> RefundView:
        """Quote; and when the accepted amount is named, submit. May be repeated with the same key and body."""
        row = await store.find(key) or await quote(atlas, store, key, wanted)
        if row.request != wanted.fingerprint():
            raise HTTPException(422, "this key belongs to another request")
        if wanted.accepted_amount is not None and row.step is Step.QUOTED:
            if wanted.accepted_amount != Decimal(row.amount):
                raise HTTPException(409, f"the quote is {row.amount} {row.currency}")
            row = await submit(row)
        response.status_code = 202 if row.step in (Step.SUBMITTING, Step.UNCLEAR) else 200
        return RefundView.of(row)

    async def submit(row: Stored) -> Stored:
        try:
            await atlas.submit(OrderNo(row.order_no), offer_id=row.offer)
        except QuoteExpiredError:
            offer = await offered(atlas, row.order_no, passengers_from(row.passengers))
            await store.move(row.key, [Step.QUOTED], Step.QUOTED, **offer)
            raise HTTPException(
                409, f"the quote had expired, now it is {offer['amount']} {offer['currency']}"
            ) from None
        except (AlreadyOnItsWay, OutcomeUnknownError, ApiError):
            pass  # the guard has written down what became of it
        follower.wake()
        return await store.find(row.key) or row

    @app.get("/refunds/{key}")
    async def look(key: str) -> RefundView:
        """Where it stands, from the table; Atlas is not asked."""
        return RefundView.of(await known(key))

    @app.get("/refunds/{key}/events", response_class=StreamingResponse)
    async def events(key: str, last_event_id: Annotated[int, Header()] = 0) -> StreamingResponse:
        """Server-sent events: each change so far (after Last-Event-ID) and to come, until the last one."""
        await known(key)
        return StreamingResponse(changes(key, last_event_id), media_type="text/event-stream")

    async def changes(key: str, seen: int) -> AsyncIterator[str]:
        quiet = time.monotonic()
        while True:
            row = await known(key)
            for change in row.changes[seen:]:
                seen, quiet = seen + 1, time.monotonic()
                yield f"id: {seen}\nevent: change\ndata: {json.dumps(change)}\n\n"
            if row.step.is_last:
                return
            if time.monotonic() - quiet > HEARTBEAT:
                yield ":\n\n"
                quiet = time.monotonic()
            await asyncio.sleep(settings.tick)

    async def known(key: str) -> Stored:
        if (row := await store.find(key)) is None:
            raise HTTPException(404, "no refund has this key")
        return row

    @app.get("/health")
    async def health() -> dict[str, str]:
        """The process lives."""
        return {"status": "ok"}

    @app.get("/ready")
    async def ready() -> dict[str, str]:
        """It can do its work: the database answers, refunds are followed."""
        try:
            await store.answers()
        except Exception as error:
            raise HTTPException(503, "the database does not answer") from error
        if not following or following[0].done():
            raise HTTPException(503, "refunds are not followed")
        return {"status": "ready"}

    @app.exception_handler(AtlasRefundsError)
    async def failed(_: Request, error: AtlasRefundsError) -> JSONResponse:
        status, code = status_of(error), error.code if isinstance(error, ApiError) else None
        return JSONResponse({"detail": type(error).__name__, "code": code}, status)

    @app.middleware("http")
    async def note(request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Who called what: the route, never the path, which holds the secret of the webhook."""
        began = time.monotonic()
        response = await call_next(request)
        endpoint = request.scope.get("endpoint")
        route = getattr(request.scope.get("route"), "path", None) or (endpoint and type(endpoint).__name__)
        facts = {"route": route, "status": response.status_code, "seconds": round(time.monotonic() - began, 4)}
        log.info("request", extra={"facts": {"method": request.method, **facts}})
        return response

    return app


def status_of(error: AtlasRefundsError) -> HTTPStatus:
    """Whose fault it is, in the terms of HTTP."""
    if isinstance(error, InvalidRequestError):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    if isinstance(error, ApiError) and not error.retryable:
        return HTTPStatus.CONFLICT
    return HTTPStatus.SERVICE_UNAVAILABLE
