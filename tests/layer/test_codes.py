"""From an answer to an error: the published codes, HTTP statuses, and everything in between."""

import json
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas_refunds import (
    Advice,
    AlreadySubmittedError,
    ApiError,
    AtlasRefunds,
    AtlasRefundsError,
    AuthenticationError,
    BadResponseError,
    InvalidRequestRejected,
    NotReadyError,
    NotRefundableError,
    QuoteExpiredError,
    RateLimitedError,
    ServerError,
    SubmissionInProgressError,
)
from atlas_refunds.codes import CODES
from atlas_refunds.envelope import Answer, retry_after, settle

from .conftest import ORDER, START, ZHAO, HandClock
from .wire_server import WireServer, answers, answers_html, refuses

CLASSES: dict[type[ApiError], tuple[Advice, bool, list[int]]] = {
    ServerError: (Advice.TEMPORARY, True, [2, -1, 9999, 813]),
    InvalidRequestRejected: (
        Advice.FIX,
        False,
        [100, 901, 107, 801, 802, 804, 8041, 807, 812, 810, 811, 815, 823, 824],
    ),
    AlreadySubmittedError: (Advice.DUPLICATE, False, [803, 816, 817, 818]),
    QuoteExpiredError: (Advice.REQUOTE, False, [805]),
    NotRefundableError: (Advice.NO, False, [806, 808, 820, 821, 822, 841, 843]),
    NotReadyError: (Advice.WAIT, True, [809]),
    SubmissionInProgressError: (Advice.WAIT, True, [814]),
    AuthenticationError: (Advice.AUTH, False, [900, 902]),
    RateLimitedError: (Advice.RATE, True, [905, 429]),
}
TABLE = [(code, kind, advice, again) for kind, (advice, again, codes) in CLASSES.items() for code in codes]
BUSY = {"code": 429, "message": "Slow", "limitType": "QPM", "limit": 60, "retryAfter": 30}


async def refused(atlas: AtlasRefunds) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await atlas.quote(ORDER, [ZHAO])
    return caught.value


def test_the_layer_knows_the_codes_of_this_table_and_no_other() -> None:
    assert sorted(CODES) == sorted(code for code, *_ in TABLE)


@pytest.mark.parametrize(("code", "kind", "advice", "again"), TABLE)
async def test_a_published_code(
    code: int, kind: type[ApiError], advice: Advice, again: bool, wire: WireServer, atlas_once: AtlasRefunds
) -> None:
    wire.plays(refuses(code))
    error = await refused(atlas_once)
    assert (type(error), error.advice, error.retryable) == (kind, advice, again)
    assert (error.code, error.http_status, error.message, error.raw) == (code, 200, None, {"status": code, "msg": None})
    assert f"code {code}" in str(error)


@pytest.mark.parametrize("code", [1, 701, 777, 844, 10**12, -2])
async def test_an_unknown_code_is_shown_and_not_guessed(code: int, wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(refuses(code))
    error = await refused(atlas)
    assert (type(error), error.advice, error.retryable, error.code) == (ApiError, Advice.UNKNOWN, False, code)
    assert len(wire.calls) == 1


HTTP_STATUSES = [
    (301, ApiError, False),
    (400, InvalidRequestRejected, False),
    (401, AuthenticationError, False),
    (403, AuthenticationError, False),
    (404, InvalidRequestRejected, False),
    (429, RateLimitedError, True),
    *[(status, ServerError, True) for status in (500, 502, 503, 504, 520, 522)],
]


@pytest.mark.parametrize(("status", "kind", "again"), HTTP_STATUSES)
@pytest.mark.parametrize("body", ["html", "nothing", "success", "other json", "list", "an echo of the HTTP status"])
async def test_an_http_status_outside_200_decides_where_the_body_has_no_code(
    status: int, kind: type[ApiError], again: bool, body: str, wire: WireServer, atlas_once: AtlasRefunds
) -> None:
    acts = {
        "html": answers_html(status),
        "nothing": answers(b"", status),
        "success": answers({"status": 0, "refundOfferId": "q_1"}, status),
        "other json": answers({"error": "Bad Gateway"}, status),
        "list": answers([1, 2], status),
        "an echo of the HTTP status": answers({"status": status, "error": "Bad Gateway", "path": "/"}, status),
    }
    wire.plays(acts[body])
    error = await refused(atlas_once)
    assert (type(error), error.retryable, error.http_status) == (kind, again, status)


async def test_a_published_code_counts_for_more_than_the_http_status(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers({"status": 801, "msg": None}, 500))
    error = await refused(atlas)
    assert (type(error), error.code, error.http_status) == (InvalidRequestRejected, 801, 500)
    assert len(wire.calls) == 1


@pytest.mark.parametrize("status", [200, 429])
async def test_the_other_shape_of_a_request_limit(status: int, wire: WireServer, atlas_once: AtlasRefunds) -> None:
    wire.plays(answers(BUSY, status))
    error = await refused(atlas_once)
    assert (type(error), error.code, error.message) == (RateLimitedError, 429, "Slow")
    assert error.retry_after == timedelta(seconds=30)
    assert error.http_status == status


@pytest.mark.parametrize("status", ["0", 0, 0.0, " 0 "])
async def test_success_may_be_written_as_text(status: object, wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers({"status": status, "isRefundable": True}))
    assert (await atlas.quote(ORDER, [ZHAO])).is_refundable is True


async def test_a_code_may_be_written_as_text(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(refuses("801"))
    assert (await refused(atlas)).code == 801


UNREADABLE: list[object] = [None, True, False, [], [0], {}, "", "ok", "0x0", 0.5, "zero"]


@pytest.mark.parametrize("status", UNREADABLE)
async def test_a_status_that_is_no_number_is_not_a_success(
    status: object, wire: WireServer, atlas: AtlasRefunds
) -> None:
    wire.plays(answers({"status": status, "isRefundable": True, "refundOfferId": "q_1"}))
    with pytest.raises(BadResponseError, match="status"):
        await atlas.quote(ORDER, [ZHAO])
    assert len(wire.calls) == 1


@pytest.mark.parametrize(
    "content", [b"", b"null", b"[]", b"0", b'"ok"', b"{", b'{"status": NaN}', b'{"status": 0} {}', b"<html/>", b"\xff"]
)
async def test_an_answer_that_is_no_object_with_a_status_cannot_be_read(
    content: bytes, wire: WireServer, atlas: AtlasRefunds
) -> None:
    wire.plays(answers(content))
    with pytest.raises(BadResponseError) as caught:
        await atlas.query(ORDER, None)
    assert (caught.value.content, caught.value.http_status) == (content, 200)


async def test_a_byte_order_mark_is_not_in_the_way(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers(b'\xef\xbb\xbf{"status": 0, "refundOrders": []}'))
    assert await atlas.query(ORDER, None) == []


@pytest.mark.parametrize("words", ["success", "SUCCESS", None, "", 5, ["a"], {"a": 1}])
async def test_the_message_decides_nothing(words: object, wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers({"status": 801, "msg": words}), answers({"status": 0, "msg": "System error"}))
    error = await refused(atlas)
    assert type(error) is InvalidRequestRejected
    assert error.message == (words if words and isinstance(words, str) else None)
    await atlas.quote(ORDER, [ZHAO])


async def test_an_offer_id_beside_an_error_code_is_still_an_error(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(refuses(801, refundOfferId="q_1", isRefundable=True))
    error = await refused(atlas)
    assert (error.code, error.raw["refundOfferId"]) == (801, "q_1")


@pytest.mark.parametrize(
    ("body", "headers", "found"),
    [
        ({"requestId": "r-1", "uuid": "u-1"}, {"X_Request_ID": "h-1"}, "r-1"),
        ({"requestId": None, "uuid": "u-1"}, {"X_Request_ID": "h-1"}, "u-1"),
        ({"requestId": None, "clientRequestId": None}, {"X_Request_ID": "h-1", "X_Atlas_Request_ID": "a-1"}, "h-1"),
        ({}, {"x_atlas_request_id": "a-1"}, "a-1"),
        ({"requestId": 5}, {}, None),
        ({"requestId": "two words"}, {}, None),
        ({"requestId": "x" * 101}, {}, None),
        ({}, {}, None),
    ],
)
async def test_the_request_id(
    body: dict[str, object], headers: dict[str, str], found: str | None, wire: WireServer, atlas: AtlasRefunds
) -> None:
    wire.plays(answers({"status": 801, **body}, **headers))
    error = await refused(atlas)
    assert error.request_id == found
    assert ("request id" in str(error)) == (found is not None)


# ---- Retry-After -----------------------------------------------------------------------------------------------------
IN_A_MINUTE = format_datetime(START + timedelta(minutes=1), usegmt=True)


@pytest.mark.parametrize(
    ("in_body", "in_header", "seconds"),
    [
        (None, None, None),
        (None, "7", 7),
        (None, IN_A_MINUTE, 60),
        (None, IN_A_MINUTE.replace("GMT", "-0000"), 60),
        (None, format_datetime(START - timedelta(days=1)), 0),
        (30, None, 30),
        (30, "7", 30),
        (5, "7", 7),
        (5, IN_A_MINUTE, 60),
        ("30", None, 30),
        (1.5, None, 1.5),
        (-1, "-1", None),
        (True, "soon", None),
        ([], "", None),
        ("1e9", "10000000000", None),
    ],
)
def test_the_longer_wait_wins(in_body: object, in_header: str | None, seconds: float | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert retry_after(in_body, in_header, START) == expected


@given(st.one_of(st.none(), st.text(), st.integers(), st.floats()), st.one_of(st.none(), st.text()))
def test_a_wait_is_never_negative_and_reading_it_never_fails(in_body: object, in_header: str | None) -> None:
    wait = retry_after(in_body, in_header, START)
    assert wait is None or wait >= timedelta()


DATE_PARTS = st.sampled_from(["Mon", ",", "1", "99", "Jan", "0000", "9999", "12:00:00", "25:61:61", "GMT", "+9999", ""])


@given(st.lists(DATE_PARTS, max_size=8).map(" ".join))
def test_a_strange_date_never_fails(in_header: str) -> None:
    wait = retry_after(None, in_header, START)
    assert wait is None or wait >= timedelta()


@pytest.mark.parametrize(("header", "waits"), [("7", 7), (IN_A_MINUTE, 60)])
async def test_the_wait_that_is_asked_for_is_kept(
    header: str, waits: float, wire: WireServer, atlas: AtlasRefunds, clock: HandClock
) -> None:
    wire.plays(answers(b"busy", 503, Retry_After=header), answers({"status": 0}))
    await atlas.quote(ORDER, [ZHAO])
    assert clock.sleeps == [waits]


# ---- whatever comes --------------------------------------------------------------------------------------------------
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ENVELOPES = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("status", "msg", "code", "retryAfter", "requestId", "limitType"), JSON_VALUES)
)


@given(ENVELOPES, st.sampled_from([200, 204, 301, 400, 404, 429, 500, 503, 599, 999]))
def test_any_object_is_a_success_by_status_zero_or_an_error_of_ours(body: dict[str, Any], http_status: int) -> None:
    answer = Answer(http_status, {}, json.dumps(body).encode())
    try:
        settle(answer, "quote", START)
    except (ApiError, BadResponseError):
        return
    assert http_status < 300
    assert float(body["status"]) == 0


@given(st.binary())
def test_any_bytes_are_an_error_of_ours(content: bytes) -> None:
    with pytest.raises(AtlasRefundsError):
        settle(Answer(200, {}, content), "query", START)
