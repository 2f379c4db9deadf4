"""Atlas' own words in an error text: what is wrong with the request, and nothing of anybody."""

import json

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas_refunds import AirlinePnr, ApiError, AtlasRefunds
from atlas_refunds.words import is_harmless

from .conftest import ORDER, ZHAO
from .wire_server import WireServer, answers, refuses

LEE = attrs.evolve(ZHAO, last_name="Li", first_name="Anna Maria")
BY_PNR = AirlinePnr("S24933", carrier="G9")


@pytest.mark.parametrize("code", [100, 810, 901])
@pytest.mark.parametrize(
    "words",
    [
        "refundRequestList is required",
        "Invalid parameter: depDate must have the format yyyyMMdd",
        "reason 7 is unknown",
    ],
)
async def test_the_parameter_that_is_wrong_is_told(
    code: int, words: str, wire: WireServer, atlas: AtlasRefunds
) -> None:
    wire.plays(refuses(code, msg=words, requestId="r-1"))
    for call in (atlas.quote(ORDER, [LEE]), atlas.submit(ORDER, passengers=[LEE])):
        with pytest.raises(ApiError) as caught:
            await call
        assert str(caught.value).endswith(f'request id r-1; Atlas says "{words}"')
        assert caught.value.message == words


@pytest.mark.parametrize(
    "words",
    [
        *["passenger Li is unknown", "passenger anna is unknown", "no ticket of (maria)", "PASSENGER IS UNKNOWN"],
        *["passenger WANG", "locator s24933 is unknown", "locator ABC123", "ticket 7812345678901", "phone +49 30"],
        *["<b>no</b>", "two\nlines", "schlüssel", "x" * 121, "", "mail to somebody@example.com"],
    ],
)
async def test_words_that_may_be_about_somebody_are_not_shown(
    words: str, wire: WireServer, atlas: AtlasRefunds
) -> None:
    wire.plays(refuses(810, msg=words))
    with pytest.raises(ApiError) as caught:
        await atlas.quote(BY_PNR, [LEE])
    assert str(caught.value) == "quote refused, code 810: invalid parameter (change the request)"


async def test_words_of_other_codes_are_not_shown(wire: WireServer, atlas: AtlasRefunds) -> None:
    wire.plays(refuses(807, msg="is unknown"))
    with pytest.raises(ApiError) as caught:
        await atlas.quote(ORDER, [ZHAO])
    assert "is unknown" not in str(caught.value)


NAMES = st.text(st.characters(codec="ascii", categories=["L"]), min_size=2, max_size=12)


@given(
    name=NAMES, before=st.sampled_from(["", "passenger ", "the name: "]), after=st.sampled_from(["", " is wrong", "."])
)
def test_no_name_of_the_request_is_ever_harmless(name: str, before: str, after: str) -> None:
    sent = json.dumps({"refundRequestList": [{"lastName": name, "firstName": "X"}]}).encode()
    assert not is_harmless(f"{before}{name}{after}", sent)


@pytest.mark.parametrize(("status", "words"), [(404, "base_url"), (301, "base_url"), (308, "redirect")])
async def test_a_wrong_address_is_called_by_its_name(
    status: int, words: str, wire: WireServer, atlas: AtlasRefunds
) -> None:
    wire.plays(answers(b"<html>", status))
    with pytest.raises(ApiError, match=words):
        await atlas.query(ORDER, None)
