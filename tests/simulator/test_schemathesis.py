"""schemathesis drives the simulator from the corrected specification, and finds no answer outside it."""

from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis.config import CoveragePhaseConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from atlas_refunds.simulator import SCENARIOS, Clock, Simulator

from .conftest import HEADERS, OPENAPI, PATHS, QIAN, ZHAO, Api, Body

CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
REPEATABLE = settings(derandomize=True, deadline=None, database=None)
UNKNOWN_STATUS = "SIM-UNKNOWN-STATUS"

SPEC = schemathesis.openapi.from_path(OPENAPI / "corrected.json")
SPEC.config.generation.with_security_parameters = False  # right ones are added to every call
SPEC.config.phases.coverage = CoveragePhaseConfig(unexpected_methods=set())

SIMULATOR = Simulator(clock=Clock(scale=0), query_without_code="list")


def answered(case: schemathesis.Case[Any]) -> Body:
    response = case.call_and_validate(base_url="http://atlas", app=SIMULATOR.asgi, headers=HEADERS, checks=CHECKS)
    body: Body = response.json()
    return body


@SPEC.parametrize()
@settings(REPEATABLE, max_examples=20)
def test_whatever_is_generated(case: schemathesis.Case[Any]) -> None:
    SIMULATOR.reset()
    answered(case)


def asked(operation: str, body: Body) -> Body:
    return answered(SPEC[PATHS[operation]]["POST"].Case(body=body, media_type="application/json"))


def story(order_no: str, people: list[Body], currency: str | None, days: int) -> list[Body]:
    """One refund with all that the service says about it."""
    SIMULATOR.reset()
    order = {"orderNo": order_no, "airlinePNR": None, "carrier": None, "displayCurrency": currency}
    listed = {"refundOfferId": None, "refundRequestList": people}
    quote = asked("quote", order | {"refundRequestList": people})
    offered = {"refundOfferId": quote.get("refundOfferId"), "refundRequestList": None}
    submitted = asked("submit", order | (offered if quote["status"] == 0 else listed))
    again = asked("submit", order | listed)
    SIMULATOR.clock.advance(timedelta(days=days))
    return [quote, submitted, again, asked("query", order | {"refundCode": submitted.get("refundCode")})]


@given(
    order_no=st.sampled_from([order_no for order_no in SCENARIOS if order_no != UNKNOWN_STATUS]),
    names=st.sampled_from([(ZHAO, QIAN), (ZHAO,), (QIAN,)]),
    reason=st.sampled_from("014"),
    currency=st.sampled_from([None, "EUR", "JPY"]),
    days=st.sampled_from([0, 5, 20, 60]),
)
@settings(REPEATABLE, max_examples=60)
def test_refunds_of_every_kind(
    order_no: str, names: tuple[tuple[str, str], ...], reason: str, currency: str | None, days: int
) -> None:
    story(order_no, Api.people(order_no, *names, refundReason=reason), currency, days)


@pytest.mark.parametrize("order_no", SCENARIOS)
def test_every_scenario(order_no: str) -> None:
    story(order_no, Api.people(order_no), "EUR", 60)


def test_the_story_is_one_of_success() -> None:
    answers = story("SIM-REFUNDED", Api.people("SIM-REFUNDED"), "EUR", 60)
    assert [answer["status"] for answer in answers] == [0, 0, 803, 0]
    assert answers[-1]["refundOrders"][0]["refundStatus"] == 2


def test_an_answer_outside_is_found() -> None:
    """As that scenario promises, and so that silence elsewhere means something."""
    people = Api.people(UNKNOWN_STATUS)
    assert story(UNKNOWN_STATUS, people, None, 5)[-1]["refundOrders"][0]["refundStatus"] == 1
    with pytest.raises(FailureGroup, match="7 is not one of"):
        story(UNKNOWN_STATUS, people, None, 20)
