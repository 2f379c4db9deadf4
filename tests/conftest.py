"""Everything that the whole suite logs is searched for what must never be logged; and which event loop tests run on."""

import asyncio
import logging
import os
from collections.abc import Callable, Iterator, Mapping

import pytest

pytest_plugins = ["atlas_refunds.pytest_plugin"]

if "PYTEST_XDIST_WORKER" in os.environ:  # coverage measures the workers of `make test`, not what tests start
    os.environ.pop("COVERAGE_PROCESS_CONFIG", None)

NEVER_LOGGED = ("ZHAO", "YIER", "QIAN", "ERER", "CANARY", "simulator-secret", "secret-0815")


class Leaks(logging.Handler):
    """Keeps the records that name somebody or hold a credential, and counts the others."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.clean = 0
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)  # with the traceback, if there is one
        if any(word in line for word in NEVER_LOGGED):
            self.found.append(line)
        else:
            self.clean += 1


@pytest.fixture(scope="session", autouse=True)
def nothing_leaks_into_a_log() -> Iterator[Leaks]:
    leaks, ours = Leaks(), logging.getLogger("atlas_refunds")
    logging.getLogger().addHandler(leaks)
    ours.setLevel(logging.DEBUG)
    yield leaks
    logging.getLogger().removeHandler(leaks)
    assert not leaks.found


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """asyncio's own, or with ATLAS_TEST_LOOP=uvloop that one (`make uvloop`)."""
    if os.environ.get("ATLAS_TEST_LOOP", "asyncio") == "asyncio":
        return {"asyncio": asyncio.new_event_loop}
    import uvloop

    return {"uvloop": uvloop.new_event_loop}
