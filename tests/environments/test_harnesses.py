"""Fresh processes, each with another way to run asyncio: see harnesses.py. They run at the same time."""

import asyncio

import pytest

from .conftest import Atlas

ONE_LOOP = ["asyncio_itself", "uvloop_itself", "anyio_on_asyncio", "anyio_on_uvloop"]
MORE_LOOPS = ["two_loops_in_turn four_threads", "forked_child forked_while_running"]


@pytest.mark.parametrize("processes", [ONE_LOOP, MORE_LOOPS], ids=["one loop", "more than one"])
async def test_a_refund_from_quote_to_end(processes: list[str], atlas: Atlas) -> None:
    ended = await asyncio.gather(*(atlas.run("-m", "tests.environments.harnesses", *p.split()) for p in processes))
    assert ended == [(0, "")] * len(processes), "\n".join(output for _, output in ended)


async def test_elsewhere_one_error_says_what_is_needed(atlas: Atlas) -> None:
    status, output = await atlas.run("-m", "tests.environments.harnesses", "trio_loop", "no_loop")
    assert status == 0, output
    lines = output.splitlines()
    assert len(lines) == 2, output
    for line in lines:
        assert line.startswith("ConfigurationError: ")
        assert "asyncio" in line
