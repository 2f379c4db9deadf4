"""Three refunds from quote to end, through the real client, a real socket and a local Atlas. `make demo` runs it."""

import asyncio
import sys
from datetime import date, timedelta

from atlas_refunds import (
    AtlasRefunds,
    Credentials,
    Event,
    OrderNo,
    Pause,
    RefundPassenger,
    RefundQuote,
    RefundReason,
    RefundSegment,
    RefundState,
)
from atlas_refunds.simulator import CLIENT_ID, CLIENT_SECRET, SCENARIOS, Clock, Simulator, SteppedTime, serve

FLIGHT = RefundSegment(dep_date=date(2030, 6, 15), flight_no="U22437", dep_airport="LTN", arr_airport="CDG")
PASSENGERS = [
    RefundPassenger(last_name=last, first_name=first, refund_reason=RefundReason.VOLUNTARY, segments=[FLIGHT])
    for last, first in (("ZHAO", "YIER"), ("QIAN", "ERER"))
]
ORDERS = ("SIM-PENALTY", "SIM-REJECTED", "SIM-VOUCHER")


async def main() -> None:
    simulator = Simulator(clock=Clock(scale=0))
    time = SteppedTime(simulator.clock, pace=0.03)  # each wait of the client steps the simulated calendar
    async with serve(simulator) as url:
        print(f"A local Atlas listens on {url}; its calendar runs, the poll schedule is the default one.")
        credentials, watching = Credentials(CLIENT_ID, CLIENT_SECRET), progress if sys.stdout.isatty() else None
        async with AtlasRefunds(credentials, base_url=url, clock=time, on_event=watching) as atlas:
            for order_no in ORDERS:
                await refund_one(atlas, order_no, time)
    print("\nThe local Atlas has stopped.")


async def refund_one(atlas: AtlasRefunds, order_no: str, time: SteppedTime) -> None:
    print(f"\n{order_no}: {SCENARIOS[order_no].about}")
    quote = await atlas.quote(OrderNo(order_no), PASSENGERS)
    show_quote(quote)
    refund = await atlas.submit(quote)
    line("submitted", f"refund {refund.refund_code} on {refund.submitted:%Y-%m-%d}")

    def show(state: RefundState) -> None:
        reason = f": {state.cancel_reason}" if state.cancel_reason else ""
        line(f"{time.now():%Y-%m-%d}", f"{state.refund_status} {name(state.refund_status)}{reason}")

    final = await atlas.wait(refund, on_update=show)
    line("final", f"{name(final.refund_status)} after {(time.now() - refund.submitted).days} days")


def show_quote(quote: RefundQuote) -> None:
    if fare := quote.refund_fare_amount:
        line("quote", f"{fare.estimated_refund_amount} of {fare.original_fare_amount} {fare.currency}")
    for voucher in quote.refund_vouchers:
        line("quote", f"a voucher of {voucher.estimated_refund_amount} {voucher.currency}")
    if fee := quote.service_fee:
        line("fee", f"{fee.transaction_fee} {fee.currency}")
    for rule in quote.refund_rules:
        line("rule", f"{rule.airline}, {name(rule.rule_type)}: penalty {rule.penalty_amount}, fee {rule.airline_fee}")
    line("expected", f"confirmation {quote.expected_confirmation_date}, money {quote.expected_refund_date}")


def name(code: object) -> str:
    return str(getattr(code, "name", code)).lower().replace("_", " ")


def line(label: str, text: str) -> None:
    print(f"{CLEARED}  {label:<12}{text}", flush=True)


CLEARED = "\r\x1b[K" if sys.stdout.isatty() else ""


def progress(event: Event) -> None:
    """On a terminal, the last line tells when Atlas is asked again."""
    if isinstance(event, Pause) and event.reason == "poll":
        print(f"{CLEARED}  {'':<12}asks again in {timedelta(seconds=round(event.seconds))}", end="", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
