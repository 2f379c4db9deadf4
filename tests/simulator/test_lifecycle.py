"""What becomes of a refund, through the whole service: submit, step the clock, query."""

from datetime import timedelta

import pytest

from atlas_refunds.simulator import SCENARIOS, Simulator
from atlas_refunds.simulator.lifecycle import DEPOSIT, VCC

from .conftest import QIAN, TEN_DAYS, ZHAO, Api

HOURS_4, DAYS_10, DAYS_49 = timedelta(hours=4), TEN_DAYS, timedelta(days=49)

TIMES = [
    ("SIM-REFUNDED", [(HOURS_4, 1), (DAYS_10, 3), (DAYS_49, 2)]),
    ("TESTA20250512100600259", [(HOURS_4, 1), (DAYS_10, 3), (DAYS_49, 2)]),
    ("SIM-REJECTED", [(HOURS_4, 1), (DAYS_10, 4)]),
    ("SIM-VCC", [(HOURS_4, 1), (DAYS_10, 5)]),
    ("SIM-VCC-REJECTED", [(HOURS_4, 1), (DAYS_10, 4)]),
    ("SIM-WITHDRAWN", [(timedelta(days=2), 6)]),
    ("SIM-VOID", [(timedelta(minutes=1), 1), (timedelta(minutes=5), 2)]),
    ("SIM-UNKNOWN-STATUS", [(HOURS_4, 1), (DAYS_10, 7), (DAYS_49, 2)]),
    ("SIM-NOT-REFUNDABLE", [(HOURS_4, 1), (DAYS_10, 4)]),
    ("SIM-STUCK", [(timedelta(days=3650), 0)]),
]


@pytest.mark.parametrize(("order_no", "changes"), TIMES, ids=[order_no for order_no, _ in TIMES])
async def test_each_status_begins_on_time_and_not_before(
    order_no: str, changes: list[tuple[timedelta, int]], simulator: Simulator, api: Api
) -> None:
    simulator.clock.advance(timedelta(hours=7))  # the offsets count from submission, not from the start
    submitted = await api.submit(order_no)
    assert submitted["refundStatus"] == 0

    tick = timedelta(microseconds=1)
    elapsed, before = timedelta(0), 0
    for offset, status in changes:
        simulator.clock.advance(offset - elapsed - tick)
        assert (await api.refund_order(order_no, submitted["refundCode"]))["refundStatus"] == before
        simulator.clock.advance(tick)
        assert (await api.refund_order(order_no, submitted["refundCode"]))["refundStatus"] == status
        elapsed, before = offset, status


def test_a_lifecycle_has_only_statuses_of_its_mode_of_payment() -> None:
    allowed = {DEPOSIT: {0, 1, 2, 3, 4, 7}, VCC: {0, 1, 4, 5, 6}}
    for scenario in SCENARIOS.values():
        for lifecycle in scenario.lifecycles:
            offsets = [offset for offset, _ in lifecycle.steps]
            assert offsets == sorted(offsets)
            assert {status for _, status in lifecycle.steps} <= allowed[lifecycle.payment]


async def test_a_rejection_names_a_reason_and_expects_nothing_more(simulator: Simulator, api: Api) -> None:
    code = (await api.submit("SIM-REJECTED"))["refundCode"]
    opened = await api.refund_order("SIM-REJECTED", code)
    assert opened["cancelReason"] == ""
    assert opened["expectedRefundDate"] == "20250701"
    simulator.clock.advance(DAYS_10)
    rejected = await api.refund_order("SIM-REJECTED", code)
    assert rejected["cancelReason"] == "Does not match airline policy."
    assert rejected["expectedConfirmationDate"] is rejected["expectedRefundDate"] is None


@pytest.mark.parametrize("order_no", ["SIM-REJECTED", "SIM-WITHDRAWN"])
async def test_a_refund_that_came_to_nothing_makes_way_for_the_next(
    order_no: str, simulator: Simulator, api: Api
) -> None:
    offer = (await api.quote(order_no))["refundOfferId"]
    first = await api.submit(order_no, refundOfferId=offer)
    simulator.clock.advance(DAYS_10)
    assert (await api.submit(order_no, refundOfferId=offer))["status"] == 816  # but not with the same offer
    second = await api.submit(order_no)
    assert second["status"] == 0
    assert second["refundCode"] != first["refundCode"]
    assert (await api.refund_order(order_no, first["refundCode"]))["refundStatus"] in {4, 6}
    assert (await api.refund_order(order_no, second["refundCode"]))["refundStatus"] == 0


async def test_the_second_chance_is_refunded(simulator: Simulator, api: Api) -> None:
    first = (await api.submit("SIM-SECOND-CHANCE"))["refundCode"]
    simulator.clock.advance(DAYS_10)
    second = (await api.submit("SIM-SECOND-CHANCE"))["refundCode"]
    simulator.clock.advance(DAYS_49)
    statuses = [(await api.refund_order("SIM-SECOND-CHANCE", code))["refundStatus"] for code in (first, second)]
    assert statuses == [4, 2]


@pytest.mark.parametrize("order_no", ["SIM-REFUNDED", "SIM-VCC"])
async def test_a_completed_refund_still_blocks(order_no: str, simulator: Simulator, api: Api) -> None:
    await api.submit(order_no)
    simulator.clock.advance(DAYS_49)
    assert (await api.submit(order_no))["status"] == 803
    assert (await api.quote(order_no))["status"] == 803


async def test_passengers_are_refunded_one_after_the_other(api: Api) -> None:
    first = await api.submit("SIM-REFUNDED", ZHAO)
    assert (await api.submit("SIM-REFUNDED", ZHAO, QIAN))["status"] == 803
    second = await api.submit("SIM-REFUNDED", QIAN)
    assert (first["status"], second["status"]) == (0, 0)
    assert [ticket["lastName"] for ticket in second["refundTickets"]] == ["QIAN"]


async def test_a_scenario_has_as_many_orders_as_wanted(api: Api) -> None:
    first, second = await api.submit("SIM-REFUNDED.1"), await api.submit("SIM-REFUNDED.2")
    assert (first["orderNo"], second["orderNo"]) == ("SIM-REFUNDED.1", "SIM-REFUNDED.2")
    assert (await api.query("SIM-REFUNDED.2", first["refundCode"]))["refundOrders"] == []
    assert (await api.quote("SIM-REFUNDED"))["status"] == 0
