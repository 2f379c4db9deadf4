"""The harness measures everybody and shows every row; how long things take is not for tests."""

import sys
from pathlib import Path

import pytest

from bench.__main__ import BOUNDS, Plan, compare
from bench.follow import MEASUREMENTS, Size
from bench.peers import PEERS, Peer, Unavailable

TINY = Plan(rounds=1, seconds=0.01, imports=1, in_flight=(1, 2))
PLAIN = {"raw_httpx", "raw_aiohttp", "ours", "ours_injected", "ours_aiohttp"}


def here(peer: Peer) -> Path:
    """This environment, for those who need nothing else."""
    if peer.name not in PLAIN:
        raise Unavailable("not made for a test")
    return Path(sys.executable)


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return list(compare(TINY, here))


def rows(lines: list[str], title: str) -> list[list[str]]:
    below = lines[lines.index(title) + 4 :]
    end = below.index("") if "" in below else len(below)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in below[:end]]


@pytest.mark.parametrize(
    "title",
    ["### Query calls, each client's own pool", "### Decode one order, import, construct a client (CPU)"],
)
def test_each_client_has_a_row_or_a_reason(title: str, lines: list[str]) -> None:
    found = {row[0]: row[1:] for row in rows(lines, title)}
    assert found.keys() == {peer.title for peer in PEERS}
    for peer in PEERS:
        if peer.name in PLAIN:
            assert float(found[peer.title][0]) > 0
        else:
            assert found[peer.title][0] == "left out: not made for a test"


def test_no_call_fails_and_raw_httpx_is_the_measure(lines: list[str]) -> None:
    table = rows(lines, "### Query calls, each client's own pool")
    assert [row[-1] for row in table if "left out" not in row[1]] == ["0"] * len(PLAIN)
    assert next(row for row in table if row[0] == "raw httpx + json")[1:-1] == ["1.00"] * 4


def test_each_bound_is_shown_with_what_was_found(lines: list[str]) -> None:
    verdicts = {row[0]: row[2:] for row in rows(lines, "### Ours against the bounds")}
    assert verdicts.keys() == BOUNDS.keys()
    for figure, (found, verdict) in verdicts.items():
        measured = not figure.endswith(("32 in flight", "256 in flight"))  # see TINY
        assert (verdict in ("met", "missed"), found != "–") == (measured, measured), figure


FEW = Size(refunds=100, resumed=300, followed_for_days=70, seconds=0.05)


@pytest.mark.parametrize("name", MEASUREMENTS)
async def test_each_measurement_of_following_tells_its_figure(name: str) -> None:
    words, measure = MEASUREMENTS[name]
    assert any(character.isdecimal() for character in words + await measure(FEW))


async def test_tokens_that_are_resumed_at_once_are_all_asked_within_the_bound() -> None:
    told = await MEASUREMENTS["resumed"][1](FEW)
    assert "300 asked, 0 failed" in told
    assert "server saw 300 requests" in told
    assert int(told.split(" at a time at most")[0].rpartition(" ")[2]) <= 64


async def test_no_refund_takes_sixty_polls_in_fifty_days() -> None:
    told = await MEASUREMENTS["days"][1](FEW)
    assert int(told.rpartition(" ")[2]) < 60
