"""A walk over the pages of a list sees every row once, in the order of ranks and keys."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.paging import AfterRow, Ranking, cut_page
from queries.sql_files import Row

ROWS = st.dictionaries(st.sampled_from("abcdefghij"), st.sampled_from("123"), max_size=10)


def read(rows: dict[str, str], ranking: Ranking) -> list[Row]:
    """The rows that a query with this ranking returns."""
    ordered = sorted(sorted(rows.items()), key=lambda row: row[1], reverse=ranking.descending)
    beyond = [(key, rank) for key, rank in ordered if ranking.is_beyond(AfterRow((rank,), key))]
    return [{"key": key, "rank": rank} for key, rank in beyond[: ranking.limit]]


@given(ROWS, st.booleans(), st.integers(1, 4))
def test_a_walk_sees_every_row_once(rows: dict[str, str], descending: bool, length: int) -> None:
    ranking, seen = Ranking("metric", descending), list[str]()
    while True:
        page = cut_page(read(rows, ranking.of_page(length)), length, ("rank",))
        assert len(page.rows) == length or page.end is None
        seen += [row["key"] for row in page.rows]
        if page.end is None:
            break
        ranking = replace(ranking, after=page.end)
    assert seen == [row["key"] for row in read(rows, Ranking("metric", descending))]


def test_the_end_of_a_page_is_in_the_parameters_of_the_next() -> None:
    end = cut_page([{"key": "k", "first_rank": "1.5", "second_rank": "0"}] * 2, 1, ("first_rank", "second_rank")).end
    assert end == AfterRow(("1.5", "0"), "k")
    parameters = Ranking(after=end).of_page(20).parameters(("first_rank", "second_rank"), lowest="0")
    assert (parameters["after_first"], parameters["after_second"], parameters["after_key"]) == ("1.5", "0", "k")
    assert parameters["limit"] == 21


@pytest.mark.parametrize("ranks", [(), ("rank",), ("first_rank", "second_rank")])
def test_page_1_begins_at_the_lowest_rank(ranks: tuple[str, ...]) -> None:
    parameters = Ranking("metric").parameters(ranks, lowest="0")
    assert [parameters[f"after_{name.removesuffix('_rank')}"] for name in ranks] == ["0"] * len(ranks)
    assert parameters["after_key"] == ""


def test_a_list_that_ends_with_the_page_has_no_next_one() -> None:
    assert cut_page([{"key": "k", "rank": ""}], 1, ("rank",)).end is None
    assert cut_page([], 1).end is None
