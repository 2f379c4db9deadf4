"""A small, seeded campaign of what `make chaos` does at length."""

import subprocess
import sys


def campaign(*options: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "tests.chaos.campaign", *options)
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_no_promise_is_broken() -> None:
    ended = campaign("--refunds", "84", "--kills", "4", "--seed", "9", "--life", "1.5", "--speed", "200")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert not ended.stderr


def test_a_caller_who_repeats_after_an_unclear_outcome_is_found_out() -> None:
    ended = campaign("--refunds", "20", "--kills", "0", "--seed", "7", "--rate", "0.6", "--naive")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "executed twice: 0" not in ended.stdout
