"""A small, seeded campaign of what `make chaos` does at length."""

from .campaign import campaign


async def test_nothing_is_executed_twice_and_nothing_is_lost() -> None:
    books = await campaign(refunds=80, processes=4, kills=3, seed=7, query_without_code="list", naive=False)
    assert books.clean, str(books)
    assert books.kills == 3
    assert sum(books.verdicts.values()) > 0, "no outcome was unclear: the campaign proves nothing"


async def test_campaign_finds_out_a_caller_who_repeats() -> None:
    books = await campaign(refunds=40, processes=2, kills=0, seed=7, query_without_code="list", naive=True)
    assert books.twice
