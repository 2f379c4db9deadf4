"""The page to look at: refunds with their timelines, webhooks, faults, orders; and buttons that need no script."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from .clock import DAY, Clock
from .faultplan import FaultPlan
from .layout import PAGE, Html, alert, button, details, items, table
from .ledger import Refund
from .lifecycle import FINAL
from .service import Service
from .webhooks import Sent, Webhooks

NAMES = {
    0: "with Atlas",
    1: "sent to the airline",
    2: "refunded",
    3: "airline pays back",
    4: "rejected",
    5: "fulfilment done",
    6: "withdrawn",
}
STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
NEWEST = 200
"""Rows of a table; the JSON under /_simulator has all."""

Act = Callable[[Service, Webhooks, str], object]
ACTS: dict[str, Act] = {
    "step": lambda service, _, value: service.clock.advance(STEPS[value]),
    "finish": lambda service, _, value: service.ledger.end(value, 2, service.clock.now()),
    "reject": lambda service, _, value: service.ledger.end(value, 4, service.clock.now()),
    "resend": lambda _, webhooks, value: webhooks.resend(int(value)),
}


def routes(service: Service, faults: FaultPlan, webhooks: Webhooks) -> list[Route]:
    async def look(request: Request) -> Response:
        return HTMLResponse(render(service, faults, webhooks, live=live(request)))

    async def press(request: Request) -> Response:
        form = parse_qs((await request.body()).decode("latin-1"))
        try:
            ACTS[request.path_params["act"]](service, webhooks, form["value"][0])
        except (KeyError, ValueError) as wrong:  # an old page, or a button pressed twice
            problem = f"Nothing was done: {wrong}."
            return HTMLResponse(render(service, faults, webhooks, live=live(request), problem=problem), 400)
        return RedirectResponse("/?live" if live(request) else "/", status_code=303)

    return [Route("/", look, methods=["GET"]), Route("/_page/{act}", press, methods=["POST"])]


def live(request: Request) -> bool:
    return "live" in request.query_params


def render(service: Service, faults: FaultPlan, webhooks: Webhooks, *, live: bool, problem: str = "") -> str:
    """The whole page as it is now."""
    now, refunds = service.clock.now(), service.ledger.all_refunds()
    query = "?live" if live else ""
    url = webhooks.settings.url or "nobody, no address is set"
    return PAGE.substitute(
        live="true" if live else "false",
        refresh='<noscript><meta http-equiv="refresh" content="2"></noscript>' if live else "",
        switch='<a href="/">Stop updating</a>' if live else '<a href="/?live">Update every 2 seconds</a>',
        steps="".join(button(f"/_page/step{query}", f"Step one {name}", value=name) for name in STEPS),
        summary=f"{pace(service.clock)} {len(refunds)} refunds, {len(webhooks.log)} webhooks.",
        problem=alert(problem) if problem else "",
        refunds=table(
            newest(refunds),
            ("Refund", "Order", "Status", "Timeline", "Act"),
            [refund_row(refund, now, query) for refund in refunds[: -NEWEST - 1 : -1]],
        ),
        webhooks=table(
            f"To {url}. {newest(webhooks.log)}",
            ("Number", "Order", "Status", "Shape", "What", "Answer", "Body", "Act"),
            [webhook_row(sent, query) for sent in webhooks.log[: -NEWEST - 1 : -1]],
        ),
        faults=table(
            "Played so far",
            ("Fault", "Call", "Times"),
            [(name, call, str(times)) for call, names in faults.played.items() for name, times in names.items()],
        ),
        orders=table(
            "Each plays a case; SIM-REFUNDED.1 is one more of SIM-REFUNDED.",
            ("Order", "PNR", "Carrier", "What it plays"),
            [(order.order_no, order.pnr, order.carrier, order.about) for order in service.scenarios.values()],
        ),
    )


def refund_row(refund: Refund, now: datetime, query: str) -> Sequence[str]:
    status = refund.status(now)
    acts = (
        ""
        if status in FINAL
        else "".join(
            button(f"/_page/{act}{query}", act.capitalize(), f"refund {refund.code}", value=refund.code)
            for act in ("finish", "reject")
        )
    )
    steps = [(refund.submitted_at + offset, reached) for offset, reached in refund.lifecycle.steps]
    timeline = items(
        ("past", f"{moment:%Y-%m-%d %H:%M} {named(reached)}")
        if moment <= now
        else ("later", f"{moment:%Y-%m-%d %H:%M} to come: {named(reached)}")
        for moment, reached in steps
    )
    return refund.code, refund.offer.scenario.order_no, named(status), timeline, Html(acts)


def webhook_row(sent: Sent, query: str) -> Sequence[str]:
    number = str(sent.number)
    body = details(f"body-{number}", f"Body of {number}", sent.body.decode())
    resend = button(f"/_page/resend{query}", "Resend", f"webhook {number}", value=number)
    return number, sent.order_no, named(sent.status), sent.shape, sent.about, sent.answer, body, resend


def named(status: int) -> str:
    return f"{status} {NAMES.get(status, 'in no table')}"


def newest(rows: Sequence[object]) -> str:
    return f"The newest {NEWEST} of {len(rows)}." if len(rows) > NEWEST else "Newest first."


def pace(clock: Clock) -> str:
    passing = f"a day lasts {DAY / clock.scale:g} s" if clock.scale else "time stands still until it is stepped"
    return f"It is {clock.now():%Y-%m-%d %H:%M} UTC, {passing}."
