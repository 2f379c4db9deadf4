"""The orders that exist, chosen by their number as test cards are: each one plays a documented case."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from . import lifecycle as life
from .lifecycle import Lifecycle

Operation = Literal["quote", "submit", "query"]
Occasion = Operation | Literal["void"]  # "void": the submission of a void


@dataclass(frozen=True)
class Segment:
    dep_date: str
    flight_no: str
    dep_airport: str
    arr_airport: str


@dataclass(frozen=True)
class Passenger:
    last_name: str
    first_name: str
    type: Literal["ADT", "CHD"] = "ADT"


@dataclass(frozen=True)
class QuoteKind:
    quote_type: Literal["AccurateQuote", "CannotQuote"]
    method: Literal["CashBackToOriginalPayment", "Voucher"] = "CashBackToOriginalPayment"
    refundable: bool = True


ACCURATE = QuoteKind("AccurateQuote")
CANNOT_QUOTE = QuoteKind("CannotQuote")  # the amounts are placeholders, the airline decides
NOT_REFUNDABLE = QuoteKind("CannotQuote", refundable=False)  # with an offer id all the same, as in the published sample
VOUCHER = QuoteKind("AccurateQuote", "Voucher")


@dataclass(frozen=True)
class Quirk:
    """These occasions end with this code, for ever or for a window of unscaled time that the first of them opens."""

    code: int
    on: tuple[Occasion, ...]
    window: timedelta | None = None


_QUOTE_SUBMIT: tuple[Occasion, ...] = ("quote", "submit")
_SUBMIT: tuple[Occasion, ...] = ("submit",)
_ALL: tuple[Occasion, ...] = ("quote", "submit", "query")

_OUTBOUND = Segment("20300615", "U22437", "LTN", "CDG")
_INBOUND = Segment("20300622", "U22438", "CDG", "LTN")
_ADULTS = (Passenger("ZHAO", "YIER"), Passenger("QIAN", "ERER"))
_FARE = Decimal("165.48")


@dataclass(frozen=True)
class Scenario:
    """An order. Fare and penalty are totals in USD; the last lifecycle serves every further refund too."""

    order_no: str
    pnr: str
    about: str
    carrier: str = "U2"
    passengers: tuple[Passenger, ...] = _ADULTS
    segments: tuple[Segment, ...] = (_OUTBOUND,)
    fare: Decimal = _FARE
    penalty: Decimal = Decimal(0)
    quote: QuoteKind = ACCURATE
    lifecycles: tuple[Lifecycle, ...] = (life.REFUNDED,)
    quirks: tuple[Quirk, ...] = ()

    def lifecycle(self, refunds_before: int) -> Lifecycle:
        return self.lifecycles[min(refunds_before, len(self.lifecycles) - 1)]


# fmt: off
_TABLE = (
    # refunds that run to an end, or do not
    Scenario("TESTA20250512100600259", "S87579", "the order of the published samples: refunded after seven weeks",
             segments=(Segment("20250513", "U22437", "LTN", "CDG"),)),
    Scenario("SIM-REFUNDED", "SIM001", "refunded to the deposit after seven weeks"),
    Scenario("SIM-REJECTED", "SIM002", "rejected after ten days", lifecycles=(life.REJECTED,)),
    Scenario("SIM-SECOND-CHANCE", "SIM003", "the first refund is rejected, the next one refunded",
             lifecycles=(life.TRY_LATER, life.REFUNDED)),
    Scenario("SIM-VCC", "SIM004", "paid by VCC: fulfilment done after ten days", lifecycles=(life.VCC_DONE,)),
    Scenario("SIM-VCC-REJECTED", "SIM005", "paid by VCC: rejected after ten days", lifecycles=(life.VCC_REJECTED,)),
    Scenario("SIM-WITHDRAWN", "SIM006", "withdrawn in the portal after two days", lifecycles=(life.WITHDRAWN,)),
    Scenario("SIM-VOID", "SIM007", "fast confirmation: refunded after five minutes", lifecycles=(life.VOIDED,)),
    Scenario("SIM-STUCK", "SIM008", "stays with Atlas (0) for ever", lifecycles=(life.STUCK,)),
    Scenario("SIM-UNKNOWN-STATUS", "SIM009", "passes through status 7, which is in no table, then refunded",
             lifecycles=(life.UNKNOWN_STATUS,)),
    # quotes
    Scenario("SIM-PENALTY", "SIM010", "a voluntary refund costs 40 USD", penalty=Decimal(40)),
    Scenario("SIM-CANNOT-QUOTE", "SIM011", "amounts are placeholders, refundable", quote=CANNOT_QUOTE),
    Scenario("SIM-NOT-REFUNDABLE", "SIM012", "isRefundable false with an offer id; rejected if submitted all the same",
             quote=NOT_REFUNDABLE, lifecycles=(life.NON_REFUNDABLE,)),
    Scenario("SIM-VOUCHER", "SIM013", "refunded by vouchers after seven weeks", quote=VOUCHER),
    # bookings
    Scenario("SIM-AIRLINE-PNR", "S24933", "another airline, to be named by airline PNR and carrier", carrier="G9",
             segments=(Segment("20300615", "G9321", "SHJ", "CAI"),)),
    Scenario("SIM-CHILD", "SIM014", "QIAN/ERER is a child: refunding ZHAO/YIER alone is 802",
             passengers=(Passenger("ZHAO", "YIER"), Passenger("QIAN", "ERER", "CHD"))),
    Scenario("SIM-RETURN", "SIM015", "a return trip: one direction alone is 811", segments=(_OUTBOUND, _INBOUND)),
    # refusals; where the error tables list a code for submit only, the quote succeeds
    Scenario("SIM-NOT-TICKETED", "SIM016", "809 for ever", quirks=(Quirk(809, _QUOTE_SUBMIT),)),
    Scenario("SIM-TICKETED-LATER", "SIM017", "809 for 30 seconds from the first call, then as SIM-REFUNDED",
             quirks=(Quirk(809, _QUOTE_SUBMIT, timedelta(seconds=30)),)),
    Scenario("SIM-TICKET-NOT-FOUND", "SIM018", "815", quirks=(Quirk(815, _QUOTE_SUBMIT),)),
    Scenario("SIM-USED", "SIM019", "submit answers 820", quirks=(Quirk(820, _SUBMIT),)),
    Scenario("SIM-PAST-DEADLINE", "SIM020", "submit answers 821", quirks=(Quirk(821, _SUBMIT),)),
    Scenario("SIM-VOID-PAST-DEADLINE", "SIM021", "submit of a void answers 822, of a refund 0",
             quirks=(Quirk(822, ("void",)),)),
    Scenario("SIM-ANCILLARY-ORDER", "SIM022", "824", quirks=(Quirk(824, _QUOTE_SUBMIT),)),
    Scenario("SIM-PORTAL-CLAIM", "SIM023", "a claim exists in the portal: quote answers 803, submit 818",
             quirks=(Quirk(803, ("quote",)), Quirk(818, _SUBMIT))),
    Scenario("SIM-ACCESS-DENIED", "SIM024", "902", quirks=(Quirk(902, _ALL),)),
    # faults of the service; nothing was executed
    Scenario("SIM-IN-PROGRESS", "SIM025", "submit answers 814 for two minutes from the first one, then works",
             quirks=(Quirk(814, _SUBMIT, timedelta(minutes=2)),)),
    Scenario("SIM-TOO-OFTEN", "SIM026", "submit answers 905 for 30 seconds from the first one, then works",
             quirks=(Quirk(905, _SUBMIT, timedelta(seconds=30)),)),
    Scenario("SIM-SUBMIT-ERROR", "SIM027", "submit answers 2, quote and query work", quirks=(Quirk(2, _SUBMIT),)),
    Scenario("SIM-SYSTEM-ERROR", "SIM028", "every call answers 2", quirks=(Quirk(2, _ALL),)),
)
# fmt: on


def split_order_no(order_no: str) -> tuple[str, str]:
    """Scenario and fault: `SIM-REFUNDED.42` is one more order of SIM-REFUNDED, and so is `SIM-REFUNDED+lost_answer.42`,
    whose first submission meets that fault."""
    scenario, _, fault = order_no.partition(".")[0].partition("+")
    return scenario, fault


SCENARIOS: dict[str, Scenario] = {scenario.order_no: scenario for scenario in _TABLE}
