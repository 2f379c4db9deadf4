"""What becomes of a refund: the table of (offset after submission, status), per mode of payment."""

from dataclasses import dataclass, replace
from datetime import timedelta

REFUNDED_STATUS = 2
CLOSED_WITHOUT_REFUND = frozenset({4, 6})
"""Rejected and withdrawn: final for the refund code, not for the order (refundStatus table)."""
FINAL = frozenset({REFUNDED_STATUS, 5}) | CLOSED_WITHOUT_REFUND

DEPOSIT, VCC = "deposit", "VCC"


@dataclass(frozen=True)
class Lifecycle:
    payment: str
    steps: tuple[tuple[timedelta, int], ...]
    cancel_reason: str = ""
    fast: bool = False

    def status(self, elapsed: timedelta) -> int:
        """The refundStatus at so much simulated time after submission."""
        return self.steps[self.taken(elapsed) - 1][1]

    def taken(self, elapsed: timedelta) -> int:
        """How many of the steps have been taken by then; the submission is the first."""
        return sum(offset <= elapsed for offset, _ in self.steps)

    def ended(self, elapsed: timedelta, status: int) -> "Lifecycle":
        """The same so far, and then this status for ever. Raises ValueError when it has ended before."""
        if status not in FINAL:
            raise ValueError(f"a refund ends with one of: {', '.join(map(str, sorted(FINAL)))}")
        if (now := self.status(elapsed)) in FINAL:
            raise ValueError(f"the refund has ended with status {now}")
        reason = self.cancel_reason or "Ended by hand." if status in CLOSED_WITHOUT_REFUND else ""
        return replace(self, steps=(*self.steps[: self.taken(elapsed)], (elapsed, status)), cancel_reason=reason)


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
