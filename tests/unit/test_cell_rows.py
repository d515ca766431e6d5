"""Cells on their way: what is a column to a flush is a row to whoever asks for one."""

import numpy as np

from aggregators.cell_rows import CellRows, concat_rows
from aggregators.cell_tables import PROJECT
from aggregators.windows import parse_day
from tests.support.fold_records import ORGANIZATION, PERSON, uuid

DAY = parse_day("2028-02-29")


def rows(source: str, *numbers: int) -> CellRows:
    keys = [("user", PERSON, "chat", uuid(number)) for number in numbers]
    counts = np.array([[number, 1, number * 10] for number in numbers], np.int64)
    return CellRows(PROJECT, [source] * len(keys), [(ORGANIZATION, DAY)] * len(keys), keys, counts)


def test_a_row_has_the_tables_columns_in_order() -> None:
    assert list(rows("s", 4)) == [["s", ORGANIZATION, "2028-02-29", "user", PERSON, "chat", uuid(4), 4, 1, 40]]
    assert all(type(count) is int for count in rows("s", 4)[0][-3:]), "as JSON wants them"


def test_a_part_of_the_rows_is_rows() -> None:
    some = rows("s", 1, 2, 3)[1:]
    assert isinstance(some, CellRows)
    assert (len(some), some) == (2, rows("s", 2, 3))


def test_rows_are_equal_when_their_values_are() -> None:
    assert rows("s", 1, 2) == list(rows("s", 1, 2))
    assert rows("s", 1, 2) != rows("s", 1, 3)
    assert rows("s", 1) != rows("t", 1)
    assert rows("s") == []
    assert rows("s") != 0


def test_rows_of_several_sources_become_one() -> None:
    joined = concat_rows([rows("s", 1), rows("t", 2, 3)])
    assert isinstance(joined, CellRows)
    assert joined == [*rows("s", 1), *rows("t", 2, 3)]
    assert concat_rows([[(1, 2)], [(3, 4)]]) == [(1, 2), (3, 4)]
