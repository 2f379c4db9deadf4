"""The kill campaign, small and seeded; `make tracking-chaos` runs the large ones."""

import pytest

from .campaign import campaign
from .postgres import NONE_FOUND, own_cluster


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_no_refund_is_submitted_twice_or_lost(database: str) -> None:
    if database == "postgresql":
        with own_cluster() as found:
            if found is None:
                pytest.skip(NONE_FOUND)
    books = await campaign(database=database, refunds=24, kills=3, seed=7, day=0.1, hold=2)
    print(books)
    assert books.clean, str(books)
    assert books.kills == 3
