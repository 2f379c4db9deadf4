from ..types import OpenEnum


class RefundMethod(OpenEnum):
    """The published values; an unknown value is kept, see OpenEnum. The fields of this type say what they mean."""

    CASH_BACK_TO_ORIGINAL_PAYMENT = "CashBackToOriginalPayment"
    VOUCHER = "Voucher"
