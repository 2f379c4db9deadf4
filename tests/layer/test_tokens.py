"""A token is a line of text that outlives the process."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas_refunds import AirlinePnr, AtlasRefunds, InvalidRequestError, OrderNo, RefundToken

from .conftest import CODE, ORDER, START, SUBMITTED
from .wire_server import WireServer, answers

ORDERS = st.one_of(
    st.from_regex(r"[!-~]{1,64}", fullmatch=True).map(OrderNo),
    st.builds(
        AirlinePnr,
        st.from_regex(r"[A-Z0-9]{4,12}", fullmatch=True),
        carrier=st.from_regex(r"[A-Z0-9]{2}", fullmatch=True),
    ),
)
ZONES = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=ZONES)
TOKENS = st.builds(RefundToken, order=ORDERS, refund_code=st.none() | st.text(), submitted=st.none() | MOMENTS)
TOKEN = RefundToken(order=ORDER, refund_code=CODE, submitted=START)


@pytest.mark.parametrize("answered", ["ZHAO YIER", "x" * 65, "\n"])
async def test_an_odd_order_number_in_the_answer_does_not_stop_the_token(
    answered: str, wire: WireServer, atlas: AtlasRefunds
) -> None:
    wire.plays(answers({**SUBMITTED, "orderNo": answered}))
    asked = AirlinePnr("S24933", carrier="G9")
    refund = await atlas.submit(asked, offer_id="q_1")
    assert refund.token == RefundToken(order=asked, refund_code=CODE, submitted=refund.submitted)


@given(TOKENS)
def test_a_token_survives_as_one_line_of_ascii(token: RefundToken) -> None:
    text = str(token)
    assert text.isascii()
    assert text.isprintable()
    assert RefundToken.parse(text) == token


def test_the_text_of_a_token() -> None:
    assert json.loads(str(TOKEN)) == {
        "v": 1,
        "order_no": "TESTA20250512100600259",
        "refund_code": "202505-0012",
        "submitted": "2025-05-12T10:06:00+00:00",
    }


def test_a_moment_is_kept_as_utc() -> None:
    singapore = datetime(2025, 5, 12, 18, 6, tzinfo=timezone(timedelta(hours=8)))
    text = str(RefundToken(order=ORDER, refund_code=CODE, submitted=singapore))
    assert "2025-05-12T10:06:00+00:00" in text
    assert RefundToken.parse(text).submitted == START
    assert RefundToken.parse(text) == TOKEN


def changed(**members: Any) -> str:
    return json.dumps({**json.loads(str(TOKEN)), **members})


def without(name: str) -> str:
    return json.dumps({key: value for key, value in json.loads(str(TOKEN)).items() if key != name})


WRONG_KINDS: list[Any] = [5, True, [], {}]
DAMAGED: list[Any] = [
    *["", "{", "null", "1", "[]", "[[1, 2]]", '"v"', "202505-0012", str(TOKEN)[:-1], str(TOKEN)[1:], None, 5],
    *["[" * 100_000, b"\xff\xfe"],
    *[without(name) for name in ("v", "order_no", "refund_code", "submitted")],
    *[changed(order_no=value) for value in (None, "", 5, "a b", ["X1"])],
    *[changed(refund_code=value) for value in WRONG_KINDS],
    *[changed(submitted=value) for value in ("", "soon", 0, False, *WRONG_KINDS, "2025-13-01T00:00:00+00:00")],
    *[changed(submitted=value) for value in ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59")],
    *[changed(airline_pnr="S24933"), changed(airline_pnr="S24933", carrier="G9"), changed(surprise=1)],
]


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_text_is_no_token(text: Any) -> None:
    with pytest.raises(InvalidRequestError, match="refund token"):
        RefundToken.parse(text)


@pytest.mark.parametrize("version", [2, 99, 0, -1, "1", None, [1]])
def test_another_version_says_so(version: object) -> None:
    with pytest.raises(InvalidRequestError, match="this release reads 1"):
        RefundToken.parse(changed(v=version))


@given(st.one_of(st.text(), st.binary(), st.recursive(st.none() | st.integers(), st.lists).map(json.dumps)))
def test_any_other_text_is_an_error_of_ours(text: Any) -> None:
    with pytest.raises(InvalidRequestError):
        RefundToken.parse(text)


@given(st.data())
def test_a_token_with_a_damaged_place_is_read_or_refused(data: st.DataObject) -> None:
    text = str(TOKEN)
    place = data.draw(st.integers(0, len(text) - 1))
    damaged = text[:place] + data.draw(st.characters(max_codepoint=127)) + text[place + 1 :]
    try:
        token = RefundToken.parse(damaged)
    except InvalidRequestError:
        return
    assert RefundToken.parse(str(token)) == token


async def test_after_the_submit_the_order_number_takes_the_place_of_the_pnr(
    wire: WireServer, atlas: AtlasRefunds
) -> None:
    wire.plays(answers(SUBMITTED))
    refund = await atlas.submit(AirlinePnr("S24933", carrier="G9"), offer_id="q_1")
    assert refund.token == RefundToken(order=ORDER, refund_code=CODE, submitted=START)
    assert "S24933" not in str(refund.token)


async def test_without_an_order_number_in_the_answer_the_pnr_stays(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(answers({**SUBMITTED, "orderNo": None}))
    order = AirlinePnr("S24933", carrier="G9")
    token = (await atlas.submit(order, offer_id="q_1")).token
    assert RefundToken.parse(str(token)).order == order


async def test_another_order_number_in_the_answer_does_not_change_the_order(
    wire: WireServer, atlas: AtlasRefunds
) -> None:
    """As in the published sample, where request and answer differ."""
    wire.plays(answers({**SUBMITTED, "orderNo": "X2"}))
    assert (await atlas.submit(OrderNo("X1"), offer_id="q_1")).token.order == OrderNo("X1")


def test_a_moment_without_a_zone_is_no_moment() -> None:
    with pytest.raises(InvalidRequestError):
        RefundToken.parse(changed(submitted="2025-05-12T10:06:00"))
    assert RefundToken.parse(changed(submitted=None)).submitted is None
    assert RefundToken.parse(changed(submitted="2025-05-12T10:06:00Z")).submitted == datetime(
        2025, 5, 12, 10, 6, tzinfo=UTC
    )
    with pytest.raises(InvalidRequestError, match="zone"):
        RefundToken(order=ORDER, refund_code=CODE, submitted=datetime(2025, 5, 12))
