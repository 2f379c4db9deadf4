"""The suite-wide search of logs (tests/conftest.py) sees what is logged, and what a traceback shows of our frames."""

import logging
import os
import traceback
from collections.abc import Iterator

import pytest

from atlas_refunds import AtlasRefunds, AtlasRefundsError
from tests.conftest import Leaks

from .conftest import ORDER, QIAN, ZHAO, sample_bytes
from .test_hostile import UNREADABLE
from .wire_server import Act, WireServer, answers, refuses


async def test_search_finds_names_and_counts_the_rest() -> None:
    leaks = Leaks()
    for message in ("refund of ZHAO/YIER", "refund 202505-0012"):
        leaks.handle(logging.LogRecord("atlas_refunds", logging.INFO, __file__, 1, message, None, None))
    assert (leaks.found, leaks.clean) == (["atlas_refunds: refund of ZHAO/YIER"], 1)


NAMED = sample_bytes("reference-2025.quote.response.json")
FAULTS: dict[str, Act] = {
    "refused": refuses(812, msg="passenger ZHAO/YIER", refundTickets=[{"lastName": "ZHAO"}]),
    "unreadable member": answers(NAMED.replace(b"165.48", b'"many"')),
    "cut off": answers(NAMED[:-20]),
    "html": UNREADABLE["html"],
}


@pytest.mark.parametrize("act", FAULTS.values(), ids=FAULTS)
async def test_traceback_with_locals_names_nobody_in_our_frames(
    atlas_once: AtlasRefunds, wire: WireServer, act: Act
) -> None:
    """What error trackers show: the locals of each frame, causes and contexts included."""
    for call in (
        lambda: atlas_once.quote(ORDER, [ZHAO, QIAN]),
        lambda: atlas_once.submit(ORDER, passengers=[ZHAO, QIAN]),
    ):
        wire.plays(act)
        with pytest.raises(AtlasRefundsError) as caught:
            await call()
        for name, value in our_locals(caught.value):
            for word in ("ZHAO", "YIER", "QIAN", "ERER", "secret-0815"):
                assert word not in repr(value), name


def our_locals(error: BaseException | None) -> Iterator[tuple[str, object]]:
    """Of every frame of the package, in the traceback of the error and of those behind it."""
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            code = frame.f_code
            if f"{os.sep}atlas_refunds" in code.co_filename:
                yield from ((f"{code.co_name}: {name}", value) for name, value in frame.f_locals.items())
        error = error.__cause__ or error.__context__
