"""Fixtures for the tests of users: `pytest_plugins = ["atlas_refunds.simulator.pytest_plugin"]`."""

from collections.abc import Iterator

import pytest
from anyio.from_thread import start_blocking_portal

from . import Clock, Simulator, serve


@pytest.fixture
def atlas_simulator() -> Simulator:
    """Fresh, with a clock that stands still: `atlas_simulator.clock.advance(timedelta(days=10))`."""
    return Simulator(clock=Clock(scale=0))


@pytest.fixture
def atlas_simulator_url(atlas_simulator: Simulator) -> Iterator[str]:
    """`atlas_simulator` on a real socket, in a thread of its own: for sync and async tests alike."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(serve(atlas_simulator)) as url:
        yield url
