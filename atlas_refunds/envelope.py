"""What an HTTP answer says, decided without I/O: the body of a success, or the error that it is.

`status` in the body decides, never `msg` and never the presence of an offer id; without it the HTTP status does.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
from atlas_refunds_api.types import Model, WireError, expect_object, get, integer, loads

from .codes import CODES, CONTRADICTION, HTTP, ON_SUBMIT, SUCCESS, UNLISTED, Code, http_code
from .errors import AlreadySubmittedError, ApiError, AtlasRefundsError, BadResponseError

BOM = b"\xef\xbb\xbf"
SAYS_SUCCESS = re.compile(
    rb'"refundCode\\*"\s*:\s*\\*"[^"\\]|"status\\*"\s*:\s*\\*"?0\\*"?\s*[,}]|"refundOrders\\*"\s*:\s*\[\s*\{',
    re.IGNORECASE,
)
"""Members that only an executed submit has, wherever they stand, in text within text too."""
REQUEST_ID = ("requestId", "uuid"), ("x-request-id", "x-atlas-request-id")


@attrs.frozen(eq=False, repr=False)
class Answer(Model):
    """One whole HTTP answer, content decoded as its Content-Encoding says; header names in lower case."""

    http_status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    content: bytes = attrs.field(repr=False)


def settle(
    answer: Answer, operation: str, now: datetime, *, strict: bool = False, submits: bool = False
) -> dict[str, Any]:
    """The decoded body of a success (status 0).

    Raises ApiError (by the tables in codes.py) or BadResponseError; `now` is for a Retry-After that is a date.
    `strict` refuses a member that stands twice, for then an answer says two things. For what `submits`, a refusal has
    to be nothing else than that.
    """
    http_ok = answer.http_status // 100 == 2
    body: dict[str, Any] = {}
    code = problem = None
    try:
        body = expect_object(loads(answer.content.removeprefix(BOM), unique=strict))
        code = envelope_code(body)
        if http_ok and code is None:
            raise WireError("a status code", "none", "status")
    except WireError as error:
        problem = str(error)
    refused: AtlasRefundsError
    if http_ok and code == SUCCESS and problem is None:
        return body
    echo = code == answer.http_status and code not in CODES  # gateways write their HTTP status there: no Atlas code
    if http_ok and problem is not None:
        refused = BadResponseError(problem, http_status=answer.http_status, content=answer.content)
    elif submits and says_two_things(answer, problem, code):
        refused = refusal(answer, body, operation, None, CONTRADICTION, now)
    elif code in (None, SUCCESS) or echo:
        refused = refusal(answer, body, operation, None, http_code(answer.http_status), now)
    else:
        known = (submits and ON_SUBMIT.get(code)) or CODES.get(code, UNLISTED)
        refused = refusal(answer, body, operation, code, known, now)
    del body  # no frame of the traceback may hold what Atlas wrote: error trackers send locals
    raise refused


def says_two_things(answer: Answer, problem: str | None, code: int | None) -> bool:
    """Whether what refuses a submit may not be all that Atlas had to say: HTTP speaks of something else than a refusal,
    the body is cut off, or it names a refund, which is no wonder where one exists already."""
    if code is not None and answer.http_status != 200 and answer.http_status not in HTTP:
        return True
    is_cut = problem is not None and answer.content.lstrip()[:1] in (b"{", b"[")
    is_known = code is not None and CODES.get(code, UNLISTED).error is AlreadySubmittedError
    return is_cut or (not is_known and SAYS_SUCCESS.search(answer.content) is not None)


def envelope_code(body: Mapping[str, Any]) -> int | None:
    """The code in a body: `status`, or `code` in the shape that request limits use."""
    other_shape = "status" not in body and ("retryAfter" in body or "limitType" in body)
    code = get(body, "code" if other_shape else "status", integer)
    return None if other_shape and code == SUCCESS else code  # only `status` says success


def refusal(
    answer: Answer, body: Mapping[str, Any], operation: str, code: int | None, known: Code, now: datetime
) -> ApiError:
    request_id = request_id_of(body, answer.headers)
    words = body.get("msg") or body.get("message")
    label = f"HTTP {answer.http_status}" if code is None else f"code {code}"
    text = f"{operation} refused, {label}: {known.meaning} ({known.advice.value})"
    return known.error(
        f"{text}, request id {request_id}" if request_id else text,
        advice=known.advice,
        code=code,
        message=words if isinstance(words, str) else None,
        http_status=answer.http_status,
        request_id=request_id,
        retry_after=retry_after(body.get("retryAfter"), answer.headers.get("retry-after"), now),
        raw=body,
    )


def request_id_of(body: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    in_body, in_headers = REQUEST_ID
    candidates = [*(body.get(name) for name in in_body), *(headers.get(name) for name in in_headers)]
    return next((c for c in candidates if isinstance(c, str) and re.fullmatch(r"[\w.:-]{1,100}", c, re.ASCII)), None)


def retry_after(in_body: Any, in_header: str | None, now: datetime) -> timedelta | None:
    """The longer of the body's `retryAfter` (seconds) and the header (seconds or a date); None when neither is read."""
    in_body = str(in_body) if isinstance(in_body, int | str | float | Decimal) else ""
    in_header = (in_header or "")[:100]
    waits = (seconds(in_body), seconds(in_header), until(in_header, now))
    return max((wait for wait in waits if wait is not None), default=None)


def seconds(text: str) -> timedelta | None:
    return timedelta(seconds=float(text)) if re.fullmatch(r"\s*\d{1,9}(\.\d{1,9})?\s*", text, re.ASCII) else None


def until(text: str, now: datetime) -> timedelta | None:
    from email.utils import parsedate_to_datetime  # rarely needed, and it brings half of `email` along

    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(timedelta(), (date if date.tzinfo else date.replace(tzinfo=UTC)) - now)


def readable_refund_code(content: bytes) -> str | None:
    """The refund code in an answer that cannot be read as a whole."""
    found = re.search(rb'"refundCode"\s*:\s*"([\w-]{1,64})"', content)
    return found and found[1].decode()
