"""The default poll schedule as a picture: python -m bench.plot writes docs/images/schedule.svg."""

import math
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from atlas_refunds import OrderNo, PollSchedule, RefundState, RefundStatus

from .samples import ROOT

FILE: Final = ROOT / "docs/images/schedule.svg"
SUBMITTED: Final = datetime(2025, 5, 12, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CONFIRMED, PAID, ENDED = 10 * DAY, 30 * DAY, 49 * DAY

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 470, 84, 16, 64, 118
AGES = (MINUTE, 60 * DAY)
WAITS = (MINUTE, 4 * DAY)
AGE_TICKS = {"1 min": MINUTE, "10 min": 10 * MINUTE, "1 h": HOUR, "12 h": 12 * HOUR, "2 d": 2 * DAY, "7 d": 7 * DAY}
AGE_TICKS |= {"30 d": 30 * DAY}
WAIT_TICKS = {
    "1 min": MINUTE,
    "2 min": 2 * MINUTE,
    "20 min": 20 * MINUTE,
    "1 h": HOUR,
    "3 h": 3 * HOUR,
    "8 h": 8 * HOUR,
}
WAIT_TICKS |= {"1 d": DAY, "2 d": 2 * DAY}
SCHEDULE = PollSchedule()


class Curve(NamedTuple):
    title: str
    color: str
    dash: str
    fast: bool = False
    has_dates: bool = False


CURVES = [
    Curve("default", "#1f4e9c", ""),
    Curve("fast confirmation announced", "#b3541e", "7 3", fast=True),
    Curve("confirmation expected on day 10, money on day 30", "#2e7d32", "2 3", has_dates=True),
]


def wait(curve: Curve, age: timedelta, roll: float = 0.0) -> timedelta:
    """What the schedule says at that age of a refund that is not paid yet."""
    confirmed, paid = (SUBMITTED + CONFIRMED).date(), (SUBMITTED + PAID).date()
    state = RefundState(
        order=OrderNo("TESTA1"),
        refund_status=RefundStatus.AIRLINE_PROCESSING,
        expected_confirmation_date=confirmed if curve.has_dates else None,
        expected_refund_date=paid if curve.has_dates else None,
    )
    return SCHEDULE.wait(age, roll, state=state, now=SUBMITTED + age, fast=curve.fast)


def polls(curve: Curve, end: timedelta) -> Iterator[timedelta]:
    """The ages at which a refund is asked about, with the middle of the jitter."""
    age = timedelta()
    while age < end:
        yield age
        age += wait(curve, age, 0.5)
    yield age


# ---- drawing ---------------------------------------------------------------------------------------------------------
def scaled(value: timedelta, within: tuple[timedelta, timedelta]) -> float:
    """0 to 1 on a logarithmic scale."""
    low, high = (math.log(bound.total_seconds()) for bound in within)
    return (math.log(max(value, within[0]).total_seconds()) - low) / (high - low)


def across(age: timedelta) -> float:
    return LEFT + scaled(age, AGES) * (WIDTH - LEFT - RIGHT)


def up(interval: timedelta) -> float:
    return HEIGHT - BOTTOM - scaled(interval, WAITS) * (HEIGHT - TOP - BOTTOM)


def stairs(curve: Curve) -> str:
    """The line of a curve: level until the wait changes, then straight up or down."""
    factor = (AGES[1] / AGES[0]) ** (1 / 2000)
    ages = [AGES[0] * factor**step for step in range(2001)]
    points = [(ages[0], wait(curve, ages[0]))]
    for age in ages[1:]:
        if (now := wait(curve, age)) != points[-1][1]:
            points += [(age, points[-1][1]), (age, now)]
    points.append((ages[-1], points[-1][1]))
    return " ".join(f"{across(age):.1f},{up(interval):.1f}" for age, interval in points)


def text(x: float, y: float, words: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}"{more}>{words}</text>'


def line(x1: float, y1: float, x2: float, y2: float, color: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}"/>'


def elements() -> Iterable[str]:
    right, floor = WIDTH - RIGHT, HEIGHT - BOTTOM
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    for words, value in AGE_TICKS.items():
        yield line(across(value), TOP, across(value), floor, "#ddd")
        yield text(across(value), floor + 18, words, ' text-anchor="middle"')
    for words, value in WAIT_TICKS.items():
        yield line(LEFT, up(value), right, up(value), "#ddd")
        yield text(LEFT - 8, up(value) + 4, words, ' text-anchor="end"')
    yield text(LEFT, TOP - 10, "time until the next poll", ' fill="#555"')
    yield text(right, floor + 36, "age of the refund", ' text-anchor="end" fill="#555"')
    yield text(LEFT, floor + 36, "polls of a refund that ends after 49 days", ' fill="#555"')
    for number, curve in enumerate(CURVES):
        style = f'fill="none" stroke="{curve.color}" stroke-width="2.5" stroke-dasharray="{curve.dash}"'
        yield f'<polyline points="{stairs(curve)}" {style}/>'
        x, y = LEFT + (0, 110, 370)[number], 24
        yield f'<polyline points="{x},{y - 4} {x + 28},{y - 4}" {style}/>'
        yield text(x + 34, y, curve.title)
        asked, y = list(polls(curve, ENDED)), floor + 56 + 18 * number
        yield text(LEFT - 8, y + 4, f"{len(asked)} polls", ' text-anchor="end"')
        for age in asked:
            yield f'<circle cx="{across(age):.1f}" cy="{y}" r="3" fill="{curve.color}"/>'


def svg() -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        ' font-family="sans-serif" font-size="13" role="img">'
    )
    title = "<title>Default poll schedule: waits by age, and the polls of a refund that ends after 49 days</title>"
    return "\n".join([head, title, *elements(), "</svg>", ""])


if __name__ == "__main__":
    FILE.write_text(svg(), "utf-8")
    print(f"wrote {FILE.relative_to(ROOT)}")
