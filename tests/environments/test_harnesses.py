"""Fresh processes, each with another way to run asyncio: see harnesses.py. They run at the same time."""

import asyncio

import pytest

from .conftest import Atlas

ONE_LOOP = ["asyncio_itself", "uvloop_itself", "anyio_on_asyncio", "anyio_on_uvloop"]
MORE_LOOPS = ["two_loops_in_turn", "four_threads", "forked_child", "forked_while_running"]


@pytest.mark.parametrize("harnesses", [ONE_LOOP, MORE_LOOPS], ids=["one loop", "more than one"])
async def test_a_refund_from_quote_to_end(harnesses: list[str], atlas: Atlas) -> None:
    ended = await asyncio.gather(*(atlas.run("-m", "tests.environments.harnesses", name) for name in harnesses))
    assert ended == [(0, "")] * len(harnesses), "\n".join(output for _, output in ended)


async def test_elsewhere_one_error_says_what_is_needed(atlas: Atlas) -> None:
    names = ["trio_loop", "no_loop"]
    ended = await asyncio.gather(*(atlas.run("-m", "tests.environments.harnesses", name) for name in names))
    for status, output in ended:
        assert status == 0, output
        assert output.startswith("ConfigurationError: "), output
        assert "asyncio" in output
        assert output.count("\n") == 1, output
