"""What becomes of a refund: the table of (offset after submission, status), per mode of payment."""

from dataclasses import dataclass
from datetime import timedelta

REFUNDED_STATUS = 2
CLOSED_WITHOUT_REFUND = frozenset({4, 6})
"""Rejected and withdrawn: final for the refund code, not for the order (refundStatus table)."""

DEPOSIT, VCC = "deposit", "VCC"


@dataclass(frozen=True)
class Lifecycle:
    payment: str
    steps: tuple[tuple[timedelta, int], ...]
    cancel_reason: str = ""
    fast: bool = False

    def status(self, elapsed: timedelta) -> int:
        """The refundStatus at so much simulated time after submission."""
        return [status for offset, status in self.steps if offset <= elapsed][-1]


def _life(payment: str, *steps: tuple[timedelta, int], reason: str = "", fast: bool = False) -> Lifecycle:
    return Lifecycle(payment, ((timedelta(0), 0), *steps), reason, fast)


_TO_AIRLINE = (timedelta(hours=4), 1)  # "normally passed to the airline within 4 hours"
_CONFIRMED = timedelta(days=10)
_PAID = timedelta(days=49)

REFUNDED = _life(DEPOSIT, _TO_AIRLINE, (_CONFIRMED, 3), (_PAID, 2))
REJECTED = _life(DEPOSIT, _TO_AIRLINE, (_CONFIRMED, 4), reason="Does not match airline policy.")
NON_REFUNDABLE = _life(DEPOSIT, _TO_AIRLINE, (_CONFIRMED, 4), reason="Voluntary Cancellation - Non-Refundable")
TRY_LATER = _life(
    DEPOSIT, _TO_AIRLINE, (_CONFIRMED, 4), reason="Refund not yet received from the airline. Please try again later."
)
VOIDED = _life(DEPOSIT, (timedelta(minutes=1), 1), (timedelta(minutes=5), 2), fast=True)
STUCK = _life(DEPOSIT)  # what the vendor's sandbox does
UNKNOWN_STATUS = _life(DEPOSIT, _TO_AIRLINE, (_CONFIRMED, 7), (_PAID, 2))  # 7 is in no table
VCC_DONE = _life(VCC, _TO_AIRLINE, (_CONFIRMED, 5))
VCC_REJECTED = _life(
    VCC, _TO_AIRLINE, (_CONFIRMED, 4), reason="The order is paid by your VCC. please refund by yourself"
)
WITHDRAWN = _life(VCC, (timedelta(days=2), 6), reason="Refund request cancelled by the user")  # a portal claim
