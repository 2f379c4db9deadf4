"""What networks and gateways do to a call: the table of faults, and how the network module is to play each."""

import json
from dataclasses import dataclass
from typing import Literal

from .codes import MESSAGES

Delivery = Literal["whole", "nothing", "half_then_reset", "cut_short", "dripping"]
"""How the answer comes back: `cut_short` is complete for HTTP, but half of the JSON is missing."""

JSON = "application/json;charset=UTF-8"


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True)
class Fault:
    """The call arrives at the service so many times, each one executed; then `answer`, or else the service's own last
    one, is delivered. The pause, if any, comes before the arrivals or after them."""

    name: str
    about: str
    arrivals: int = 1
    pause: Literal["before", "after"] | None = None
    answer: Answer | None = None
    delivery: Delivery = "whole"

    @property
    def executed(self) -> bool:
        return self.arrivals > 0


def _html(status: int, title: str) -> Answer:
    page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body><h1>{title}</h1></body>\r\n</html>\r\n"
    return Answer(status, "text/html", page.encode())


def _json(status: int, body: object) -> Answer:
    return Answer(status, JSON, json.dumps(body).encode())


_TOO_MANY = {
    "code": 429,
    "message": "Too many requests, please try again later",
    "limitType": "minute",
    "limit": 60,
    "retryAfter": 1,
}

# fmt: off
_TABLE = (
    # connections
    Fault("lost_answer", "executed, then the connection is closed without a byte of answer", delivery="nothing"),
    Fault("refused", "the request is read, then the connection is closed: not executed",
          arrivals=0, delivery="nothing"),
    Fault("delayed", "executed at once, the answer comes after the delay", pause="after"),
    Fault("late", "executed only after the delay, whether or not the caller is still there; answered if it is",
          pause="before"),
    Fault("reset_mid_body", "executed, then status line, headers, half of the body, and the connection is reset",
          delivery="half_then_reset"),
    Fault("duplicate", "the request arrives twice: executed twice in a row, answered with the second answer",
          arrivals=2),
    Fault("slow_loris", "executed, then the body drips byte by byte, spread over the delay",
          delivery="dripping"),
    # gateways
    Fault("html_200", "executed, answered by a page of HTML with HTTP 200", answer=_html(200, "Please wait")),
    Fault("bad_gateway", "executed, answered by a gateway's page with HTTP 502", answer=_html(502, "502 Bad Gateway")),
    Fault("gateway_refusal", "answered by a gateway's page with HTTP 503: not executed",
          arrivals=0, answer=_html(503, "503 Service Temporarily Unavailable")),
    Fault("http_522", "the gateway could not connect to the service, HTTP 522: not executed",
          arrivals=0, answer=Answer(522, "text/plain; charset=UTF-8", b"error code: 522")),
    Fault("too_many_requests", "HTTP 429, the body has `code` and `retryAfter` but no `status`: not executed",
          arrivals=0, answer=_json(429, _TOO_MANY)),
    # contents, all with HTTP 200
    Fault("truncated_json", "executed, half of the JSON is missing though HTTP is content", delivery="cut_short"),
    Fault("not_json", "executed, answered by a text that calls itself JSON",
          answer=Answer(200, JSON, b"The service is busy, please try again later")),
    Fault("system_error", "executed, answered by status 2 all the same",
          answer=_json(200, {"status": 2, "msg": MESSAGES[2]})),
    Fault("empty", "executed, answered without a body", answer=Answer(200, JSON, b"")),
)
# fmt: on

FAULTS: dict[str, Fault] = {fault.name: fault for fault in _TABLE}


def fault_named(name: str) -> Fault:
    if name not in FAULTS:
        raise ValueError(f"unknown fault: {name}; known are {', '.join(FAULTS)}")
    return FAULTS[name]
