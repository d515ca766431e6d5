"""Sets as bits say what Python's own sets say."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from queries.paging import AfterRow, Ranking
from reports.presence.bitsets import bits_of, count, counts, matrix, numbers_of, times_met, trailing, union
from reports.presence.emails import put_in_order

SIZE = 150
WORDS = 3
PEOPLE = st.sets(st.integers(0, SIZE - 1))
DAYS = st.lists(PEOPLE, min_size=1, max_size=40)


def made(people: set[int], size: int = SIZE) -> np.ndarray:
    return bits_of(np.array(sorted(people), np.int64), size)


def rows_of(days: list[set[int]]) -> np.ndarray:
    return matrix([[made(people)] for people in days], WORDS)


@given(PEOPLE)
def test_a_set_holds_what_was_put_in(people: set[int]) -> None:
    assert set(numbers_of(made(people)).tolist()) == people
    assert count(made(people)) == len(people)


@given(DAYS, st.integers(1, 45))
def test_a_trailing_window_is_the_union_of_its_days(days: list[set[int]], width: int) -> None:
    wanted = [len(set().union(*days[max(0, last - width + 1) : last + 1])) for last in range(len(days))]
    assert counts(trailing(rows_of(days), width)) == wanted


@given(DAYS)
def test_the_union_of_days_and_how_often_people_were_met(days: list[set[int]]) -> None:
    assert set(numbers_of(union(rows_of(days))).tolist()) == set().union(*days)
    often = [sum(person in day for day in days) for person in range(SIZE)]
    assert times_met(rows_of(days)) == [often.count(times) for times in range(1, len(days) + 1)]


@given(PEOPLE, st.sets(st.integers(0, 20)))
def test_a_set_from_when_there_were_fewer_people_counts_the_same(people: set[int], early: set[int]) -> None:
    [row] = matrix([[made(people), made(early, size=21)]], WORDS)
    assert set(numbers_of(row).tolist()) == people | early


EMAILS = st.dictionaries(
    st.sampled_from([f"id-{number:02d}" for number in range(30)]), st.sampled_from("aab\u00e9"), max_size=20
)


@given(EMAILS, st.sets(st.integers(0, 29)), st.booleans(), st.integers(1, 7))
def test_pages_have_everybody_once_in_order(
    emails: dict[str, str], people: set[int], descending: bool, limit: int
) -> None:
    accounts = [f"id-{number * 7 % 30:02d}" for number in range(30)]
    order = put_in_order(emails, accounts, descending)
    found: list[tuple[str, str]] = []
    ranking = Ranking("", descending, limit=limit)
    while page := order.page(made(people), ranking):
        found += page
        ranking = replace(ranking, after=AfterRow((page[-1][1],), page[-1][0]))
    wanted = sorted((accounts[number], emails.get(accounts[number], "")) for number in people)
    assert found == sorted(wanted, key=lambda row: row[1], reverse=descending)
