"""The books notice what they are there for."""

from typing import Any

import pytest

from .books import Books, compare

JOB = "ORDER1 ZHAO"
Line = dict[str, Any]


def received(at: float, **more: object) -> Line:
    return {"what": "received", "at": at, "job": JOB, "when": "", "says": "", "sends": "", **more}


def executed(at: float, **more: object) -> Line:
    return {
        "what": "executed",
        "at": at + 9,
        "received": at,
        "job": JOB,
        "order": "1",
        "offer_of": "1",
        "code": "c1",
        **more,
    }


def wrote(at: float, step: str, **more: object) -> Line:
    return {"at": at, "step": step, "job": JOB, **more}


def of_life(step: str, **more: object) -> Line:
    return {"at": 0, "step": step, "way": "own", "descriptors": [], "tasks": [], **more}


GOOD = (
    [received(1.1), received(3.1), executed(3.1)],
    [
        of_life("started"),
        wrote(1, "intent"),
        wrote(2, "open"),
        wrote(2.5, "not executed", verdict=True),
        wrote(3, "intent"),
        wrote(4, "executed", code="c1"),
        of_life("ended"),
    ],
)


def test_a_good_campaign_is_clean() -> None:
    books = compare(GOOD[0], [GOOD[1]])
    assert books.clean, str(books)
    assert (books.attempts, books.received, books.executed, books.open) == (2, 2, 1, [])
    assert books.verdicts == {"not executed": 1}


PLANTED: dict[str, tuple[list[Line], list[Line], set[str]]] = {
    "a double": ([executed(1.1)], [], {"executed twice", "executed but believed not"}),
    "one submit that came twice": ([received(3.2), executed(3.1)], [], {"sent twice", "executed twice"}),
    "a loss that nobody repaired": ([], [wrote(5, "not executed")], {"executed but believed not"}),
    "another's code": ([], [wrote(5, "executed", code="c2")], {"believed under another's code"}),
    "an offer of another order": ([executed(3.2, offer_of="2", code="c2")], [], {"of another order"}),
    "a submit before any intent": ([received(0.5)], [], {"of another order"}),
    "a refund that is none": ([], [wrote(5, "executed", job="ORDER2 ZHAO")], {"believed executed but not"}),
    "an untyped error": ([], [of_life("untyped", what="KeyError")], {"untyped"}),
    "a call that hangs": ([], [of_life("hung", what=["quote"])], {"hung"}),
    "a descriptor": ([], [of_life("ended", descriptors=["7 socket"])], {"left behind"}),
    "a descriptor of httpx": ([], [of_life("ended", way="httpx over TLS", descriptors=["7 socket"])], set()),
    "a task": ([], [of_life("ended", tasks=["<Task>"])], {"left behind"}),
    "what Python prints": ([], [of_life("complaint", what="never retrieved")], {"complaints"}),
    "an end that the guard did not hear of": ([], [of_life("guard not told")], {"not told"}),
}


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_found_and_nothing_else(name: str) -> None:
    at_the_server, in_the_journal, finds = PLANTED[name]
    books = compare([*GOOD[0], *at_the_server], [[*GOOD[1], *in_the_journal]])
    assert {finding for finding, found in books.findings.items() if found} == finds
    assert books.clean == (not finds)


def test_a_leak_in_the_logs_is_found() -> None:
    assert not compare(GOOD[0], [GOOD[1]], {"leaked": ["client secret-0815"]}).clean


def test_a_refund_that_stays_open_is_shown_and_no_broken_promise() -> None:
    books: Books = compare([executed(1.1)], [[wrote(1, "intent"), wrote(2, "open", verdict=True)]])
    assert books.clean
    assert len(books.open) == 1
