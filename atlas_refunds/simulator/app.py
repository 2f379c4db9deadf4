"""HTTP around the service: three endpoints that answer with HTTP 200 and an integer status, whatever they are sent."""

import json
from collections.abc import Awaitable, Callable
from functools import cached_property

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from . import control, courier, money, page
from .faultplan import FaultPlan
from .network import Network
from .scenarios import Operation
from .service import Service
from .webhooks import Webhooks

PATHS: dict[str, Operation] = {
    "/refundQuotation.do": "quote",
    "/refund.do": "submit",
    "/queryRefundOrders.do": "query",
}


class Simulator(Service):
    """A local Atlas. `asgi` is the application, for `httpx.ASGITransport` or for `serve`; `faults` is the network,
    `webhooks` is what it announces."""

    @cached_property
    def faults(self) -> FaultPlan:
        return FaultPlan()

    @cached_property
    def webhooks(self) -> Webhooks:
        return Webhooks(self.clock, lambda: self.ledger.all_refunds())

    def reset(self) -> None:
        super().reset()
        self.faults.reset()
        self.webhooks.reset()

    async def deliver(self) -> None:
        """Bring the webhooks that are due, and wait for the answers; `serve` does it all the time by itself."""
        async with courier.client() as http:
            await courier.deliver(self.webhooks, http)

    @cached_property
    def asgi(self) -> ASGIApp:
        service = Starlette(
            routes=[
                *(Route(path, _endpoint(self, operation), methods=["POST"]) for path, operation in PATHS.items()),
                Mount("/_simulator", routes=control.routes(self, self.faults, self.webhooks)),
                *page.routes(self, self.faults, self.webhooks),
            ],
            # Atlas compresses when asked to, but not its small bodies.
            middleware=[Middleware(GZipMiddleware)],
        )
        return Network(service, self.faults, PATHS)


def _endpoint(service: Service, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        credentials = (request.headers.get("x-atlas-client-id"), request.headers.get("x-atlas-client-secret"))
        body = service.answer(operation, credentials, await request.body())
        text = json.dumps(body, default=money.json_number)
        return Response(text, media_type="application/json;charset=UTF-8")

    return endpoint
