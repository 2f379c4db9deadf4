"""Every action of the overlays is needed, and a test shows it; `x-proof: text` marks those for which none can."""

import pytest

from scripts import overlay
from scripts.errors import SpecError

from .evidence import ACTIONS, corrected, corrected_by, violations


def first_failure_without(index: int) -> str | None:
    try:
        spec = overlay.apply(corrected_by(index), ACTIONS[index + 1 :])
    except SpecError as misfit:
        return misfit.problems[0]
    return next(violations(spec), None)


def test_all_actions_together_fail_nothing() -> None:
    assert list(violations(corrected())) == []


@pytest.mark.parametrize("index", range(len(ACTIONS)), ids=[action.where for action in ACTIONS])
def test_needed(index: int) -> None:
    failure = first_failure_without(index)
    if ACTIONS[index].data.get("x-proof") == "text":
        assert failure is None, "x-proof: text says that nothing fails without this action"
    else:
        assert failure is not None, "nothing fails without this action: drop it, or mark it x-proof: text"


def test_the_only_mark_is_text() -> None:
    assert {action.data.get("x-proof") for action in ACTIONS} == {None, "text"}
