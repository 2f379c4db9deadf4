"""The picture in the docs is what its command draws."""

from bench.plot import FILE, svg


def test_picture_of_the_schedule_is_up_to_date() -> None:
    assert FILE.read_text("utf-8") == svg(), "run: python -m bench.plot"
