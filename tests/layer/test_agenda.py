"""The agenda against the plainest thing that does the same: a dictionary that is searched."""

import math

from hypothesis import given
from hypothesis import strategies as st

from atlas_refunds.agenda import Agenda, rounded

moments = st.one_of(st.sampled_from([0.0, 1.0, 2.0]), st.floats(0, 1e9))


class Person:
    due = math.nan


@given(st.lists(st.one_of(st.tuples(st.integers(0, 4), moments), st.none()), max_size=60))
def test_somebody_who_is_due_first_is_taken_and_nobody_twice(steps: list[tuple[int, float] | None]) -> None:
    agenda, model = Agenda[Person](), dict[Person, float]()
    people = [Person() for _ in range(5)]
    for step in [*steps, *[None] * 10]:
        if step is not None:
            person, due = people[step[0]], step[1]
            agenda.plan(person, due)
            model[person] = due
            continue
        first = min(model.values(), default=None)
        assert agenda.next_due() == first
        if first is not None:
            assert model.pop(agenda.take()) == first
    assert agenda.next_due() is None


@given(st.floats(0, 1e9), st.floats(1e-3, 1e7))
def test_rounding_is_up_and_less_than_a_hundredth_of_the_wait(moment: float, wait: float) -> None:
    assert -1e-6 <= rounded(moment, wait) - moment <= wait / 100 + 1e-6


@given(st.floats(0, 1e6), st.floats(1, 1e6))
def test_who_waits_as_long_shares_times(moment: float, wait: float) -> None:
    assert len({rounded(moment + wait * part / 10_000, wait) for part in range(100)}) <= 7
