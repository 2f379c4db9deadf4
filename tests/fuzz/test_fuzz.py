"""A small campaign; `make fuzz` is the long one, and measures time."""

from tests.fuzz.campaign import run


def test_no_mutated_body_is_misread_or_raises_anything_else() -> None:
    report = run(2_000, seed=1, timed=False)
    assert report.wrong == []
    assert report.seen["answer, amounts"] > 200  # else nothing was looked at
    assert report.seen["webhook, amounts"] > 200
