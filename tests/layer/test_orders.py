"""Exactly one form names an order."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas_refunds import (
    AirlinePnr,
    AtlasRefunds,
    BadResponseError,
    InvalidOrderRef,
    OrderNo,
    OrderRef,
    RefundToken,
    order_ref,
)
from atlas_refunds.orders import wire_keys

from .conftest import CODE, ORDER, queried
from .wire_server import WireServer, answers

UNUSED = st.sampled_from([None, ""])
ORDER_NOS = st.from_regex(r"[!-~]{1,64}", fullmatch=True)
PNRS = st.from_regex(r"[A-Z0-9]{4,12}", fullmatch=True)
CARRIERS = st.from_regex(r"[A-Z0-9]{2}", fullmatch=True)
OTHER = st.one_of(st.text(), st.integers(), st.booleans(), st.binary(), st.lists(st.text()), st.floats(), st.just(b""))


@given(ORDER_NOS, UNUSED, UNUSED)
def test_an_order_number_alone_names_an_order(order_no: str, pnr: str | None, carrier: str | None) -> None:
    assert order_ref(order_no=order_no, airline_pnr=pnr, carrier=carrier) == OrderNo(order_no)


@given(UNUSED, PNRS, CARRIERS)
def test_a_pnr_with_its_carrier_names_an_order(order_no: str | None, pnr: str, carrier: str) -> None:
    assert order_ref(order_no=order_no, airline_pnr=pnr, carrier=carrier) == AirlinePnr(pnr, carrier=carrier)


def one_form(order_no: object, pnr: object, carrier: object) -> OrderRef | None:
    """The rule once more, written down as the facts have it."""

    def unused(value: object) -> bool:
        return value is None or value == ""

    def fits(form: str, value: object) -> bool:
        return isinstance(value, str) and re.fullmatch(form, value) is not None

    if unused(pnr) and unused(carrier) and fits("[!-~]{1,64}", order_no):
        return OrderNo(str(order_no))
    if unused(order_no) and fits("[A-Z0-9]{4,12}", pnr) and fits("[A-Z0-9]{2}", carrier):
        return AirlinePnr(str(pnr), carrier=str(carrier))
    return None


@given(*[st.one_of(UNUSED, form, OTHER) for form in (ORDER_NOS, PNRS, CARRIERS)])
def test_every_other_mixture_is_an_invalid_reference_and_nothing_else(order_no: Any, pnr: Any, carrier: Any) -> None:
    expected = one_form(order_no, pnr, carrier)
    try:
        assert order_ref(order_no=order_no, airline_pnr=pnr, carrier=carrier) == expected
    except InvalidOrderRef:
        assert expected is None


@pytest.mark.parametrize("unused", [0, False, b"", [], 0.0])
def test_only_none_and_the_empty_text_stand_for_unused(unused: Any) -> None:
    with pytest.raises(InvalidOrderRef):
        order_ref(order_no="X1", airline_pnr=unused)
    with pytest.raises(InvalidOrderRef):
        order_ref(order_no=unused, airline_pnr="S24933", carrier="G9")


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({}, "neither form was given"),
        ({"order_no": "", "airline_pnr": None, "carrier": ""}, "neither form was given"),
        ({"order_no": "X1", "airline_pnr": "S24933", "carrier": "G9"}, "both forms were given"),
        ({"order_no": "X1", "carrier": "G9"}, "both forms"),
        ({"airline_pnr": "S24933"}, "give carrier too"),
        ({"carrier": "G9"}, "give airline_pnr too"),
        ({"airline_pnr": "S24933", "carrier": "G9X"}, "2-character"),
        ({"airline_pnr": "s24933", "carrier": "G9"}, "capital letters"),
        ({"airline_pnr": "S24933\n", "carrier": "G9"}, "capital letters"),
        ({"airline_pnr": "S24933", "carrier": "g9"}, "2-character"),
        ({"order_no": "A B"}, "without spaces"),
        ({"order_no": "A\n"}, "without spaces"),
        ({"order_no": "A" * 65}, "1 to 64"),
        ({"order_no": " "}, "without spaces"),
    ],
)
def test_the_text_says_what_is_wrong(keys: dict[str, str], problem: str) -> None:
    with pytest.raises(InvalidOrderRef, match=problem):
        order_ref(**keys)


@pytest.mark.parametrize("wrong", [None, "TESTA20250512100600259", 5, ("S24933", "G9"), object()])
def test_what_is_no_reference_names_its_type_and_not_its_value(wrong: Any) -> None:
    with pytest.raises(InvalidOrderRef, match=f"not {type(wrong).__name__}$"):
        wire_keys(wrong)


def test_the_classes_check_themselves() -> None:
    with pytest.raises(InvalidOrderRef):
        OrderNo("")
    with pytest.raises(InvalidOrderRef):
        AirlinePnr("", carrier="G9")
    with pytest.raises(InvalidOrderRef):
        AirlinePnr("S24933", carrier="")


async def test_refund_of_another_order_is_not_passed_off_as_one_of_this(atlas: AtlasRefunds, wire: WireServer) -> None:
    wire.plays(answers(queried(2, orderNo="ANOTHER")))
    (listed,) = await atlas.query(ORDER, None)
    assert listed.token == RefundToken(order=OrderNo("ANOTHER"), refund_code=CODE)
    for code in (CODE, None):
        with pytest.raises(BadResponseError, match="0 of them fit"):
            await atlas.get(ORDER, code)
    wire.plays(answers(queried(2, orderNo="an other")))
    with pytest.raises(BadResponseError, match="orderNo"):
        await atlas.query(ORDER, None)


def test_a_repr_does_not_show_the_pnr() -> None:
    assert repr(AirlinePnr("S24933", carrier="G9")) == "AirlinePnr(carrier='G9')"
