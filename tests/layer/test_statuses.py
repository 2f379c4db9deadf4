"""Which statuses end a refund, by how the order was paid; from the refundStatus table of February 2025."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas_refunds import PaymentMode, RefundStatus, is_final, is_refunded
from atlas_refunds.results import RefundState

from .conftest import ORDER

FINAL = {
    PaymentMode.DEPOSIT: {2, 4},
    PaymentMode.VCC: {4, 5, 6},
    None: {2, 4, 5, 6},
}
MODES = list(FINAL)


@pytest.mark.parametrize("mode", MODES)
def test_the_final_statuses(mode: PaymentMode | None) -> None:
    assert {status.value for status in RefundStatus if is_final(status, mode)} == FINAL[mode]


def test_the_statuses_that_end_with_money() -> None:
    assert {status.value for status in RefundStatus if is_refunded(status)} == {2, 5}


@given(st.one_of(st.integers(-(2**63) + 1, 2**63 - 1).filter(lambda n: not 0 <= n <= 6), st.text(), st.just(True)))
def test_an_unknown_status_is_never_final(value: object) -> None:
    status = RefundStatus.read(value)
    if status.is_known:
        assert str(value).strip() in "0123456"
        return
    assert not any(is_final(status, mode) for mode in MODES)
    assert not is_refunded(status)


@pytest.mark.parametrize("mode", MODES)
def test_a_missing_status_is_never_final(mode: PaymentMode | None) -> None:
    assert not is_final(None, mode)
    assert not is_refunded(None)


@pytest.mark.parametrize(
    ("sent", "final", "refunded"),
    [
        *[(0, False, False), (1, False, False), (2, True, True), ("2", True, True), (3, False, False)],
        *[(4, True, False), (5, True, True), (6, True, False), (7, False, False), ("ok", False, False)],
        (None, False, False),
    ],
)
def test_a_state_says_the_same_of_itself(sent: object, final: bool, refunded: bool) -> None:
    state = RefundState.from_dict({"refundStatus": sent}, order=ORDER)
    assert (state.is_final, state.is_refunded) == (final, refunded)
