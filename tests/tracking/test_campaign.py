"""The kill campaign, small and seeded; `make tracking-chaos` runs the large ones."""

import pytest

from .campaign import campaign
from .postgres import NONE_FOUND, installed


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_no_refund_is_submitted_twice_or_lost(database: str) -> None:
    if database == "postgresql" and installed() is None:
        pytest.skip(NONE_FOUND)
    books = await campaign(database=database, refunds=12, kills=2, seed=7, day=0.05, hold=1.5)
    print(books)
    assert books.clean, str(books)
    assert books.kills == 2
