"""Contains all the data models used in inputs/outputs"""

from .eligible_passenger import EligiblePassenger
from .fast_confirmation import FastConfirmation
from .passenger_type import PassengerType
from .penalty_percent_base import PenaltyPercentBase
from .query_refund_orders_request import QueryRefundOrdersRequest
from .query_refund_orders_response import QueryRefundOrdersResponse
from .quote_type import QuoteType
from .refund_completed_event import RefundCompletedEvent
from .refund_completed_notification import RefundCompletedNotification
from .refund_fare_amount import RefundFareAmount
from .refund_method import RefundMethod
from .refund_order import RefundOrder
from .refund_passenger import RefundPassenger
from .refund_post_ticketing_service_amount import RefundPostTicketingServiceAmount
from .refund_quotation_request import RefundQuotationRequest
from .refund_quotation_response import RefundQuotationResponse
from .refund_reason import RefundReason
from .refund_request import RefundRequest
from .refund_response import RefundResponse
from .refund_rule import RefundRule
from .refund_segment import RefundSegment
from .refund_status import RefundStatus
from .refund_ticket import RefundTicket
from .refund_voucher import RefundVoucher
from .refundable_ancillary import RefundableAncillary
from .rule_type import RuleType
from .service_fee import ServiceFee

__all__ = (
    "EligiblePassenger",
    "FastConfirmation",
    "PassengerType",
    "PenaltyPercentBase",
    "QueryRefundOrdersRequest",
    "QueryRefundOrdersResponse",
    "QuoteType",
    "RefundableAncillary",
    "RefundCompletedEvent",
    "RefundCompletedNotification",
    "RefundFareAmount",
    "RefundMethod",
    "RefundOrder",
    "RefundPassenger",
    "RefundPostTicketingServiceAmount",
    "RefundQuotationRequest",
    "RefundQuotationResponse",
    "RefundReason",
    "RefundRequest",
    "RefundResponse",
    "RefundRule",
    "RefundSegment",
    "RefundStatus",
    "RefundTicket",
    "RefundVoucher",
    "RuleType",
    "ServiceFee",
)
