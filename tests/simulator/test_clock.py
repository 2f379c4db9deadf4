from datetime import UTC, datetime, timedelta

import pytest

from atlas_refunds.simulator.clock import START, Clock, scale_for

from .conftest import Ticker


def test_a_day_passes_in_a_second_but_uptime_does_not_hurry(ticker: Ticker) -> None:
    clock = Clock(scale=scale_for(1.0), monotonic=ticker)
    ticker.seconds += 49
    assert clock.now() - START == timedelta(days=49)
    assert clock.uptime() == timedelta(seconds=49)


def test_a_step_moves_a_frozen_clock_by_exactly_the_step(ticker: Ticker) -> None:
    clock = Clock(scale=0, monotonic=ticker)
    ticker.seconds += 100
    clock.advance(timedelta(hours=4))
    assert clock.now() - START == timedelta(hours=4)
    assert clock.uptime() == timedelta(hours=4, seconds=100)


def test_a_new_scale_holds_from_now_on(ticker: Ticker) -> None:
    clock = Clock(scale=0, monotonic=ticker)
    ticker.seconds += 5
    clock.scale = 60
    assert clock.now() == START
    ticker.seconds += 5
    clock.scale = 0
    ticker.seconds += 5
    assert clock.now() - START == timedelta(minutes=5)
    assert clock.uptime() == timedelta(seconds=15)


def test_reset_goes_back_to_the_start_and_the_first_scale(ticker: Ticker) -> None:
    clock = Clock(scale=2, monotonic=ticker)
    ticker.seconds += 5
    clock.advance(timedelta(days=1))
    clock.scale = 0
    clock.reset()
    assert (clock.now(), clock.uptime(), clock.scale) == (START, timedelta(0), 2)


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="backwards"):
        Clock().advance(timedelta(seconds=-1))


def test_the_end_of_time_is_a_standstill_not_an_overflow(ticker: Ticker) -> None:
    clock = Clock(scale=scale_for(0.001), start=datetime(2040, 1, 1, tzinfo=UTC), monotonic=ticker)
    clock.advance(timedelta.max)
    clock.advance(timedelta.max)
    ticker.seconds += 1e9
    assert clock.now().year == 9990
    clock.uptime()


@pytest.mark.parametrize("seconds", [-1, 1e-9, float("nan"), float("inf")])
def test_a_day_that_cannot_be_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="a simulated day"):
        scale_for(seconds)


def test_a_day_of_no_seconds_freezes() -> None:
    assert scale_for(0) == 0
