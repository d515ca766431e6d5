"""Cells in memory: absolute rows out, nothing counted twice, nothing let go that ClickHouse does not have."""

from typing import Any

import pytest

from aggregators.cell_rows import CellKey, PageKey
from aggregators.cell_tables import CELL_TABLES, FILE, PROJECT, CellTable
from aggregators.increments import Amounts
from aggregators.page_cache import PageCache
from aggregators.windows import WINDOW_TEXT, parse_day
from tally_client.events.envelope import MAX_COUNT
from tests.support.fold_records import ORGANIZATION, PERSON, uuid

DAY = parse_day("2026-03-01")
PAGE = (ORGANIZATION, DAY)
KEY = ("user", PERSON, "chat", uuid(1))
OTHER_KEY = ("user", PERSON, "cowork", uuid(1))
CREATED, USED = (0, 1, 0), (0, 0, 1)


def project_table(first_unwritten: int = 0) -> PageCache:
    table = PageCache(PROJECT, first_unwritten)
    table.open(PAGE)
    return table


def row(key: tuple[Any, ...], offset: int, created: int, used: int, day: str = "2026-03-01") -> list[Any]:
    return ["s", ORGANIZATION, day, *key, offset, created, used]


def add(table: PageCache, page_key: PageKey, key: CellKey, offset: int, amounts: Amounts) -> None:
    """A batch of one event."""
    table.fold([offset], [(table.declaration, page_key, key, amounts)])


def flush(table: PageCache) -> list[list[Any]]:
    """One whole flush: taken, written, landed."""
    rows, flight = table.take_dirty_rows("s")
    table.mark_flushed(flight)
    return list(rows)


# -- counting ----------------------------------------------------------------------------------------------


def test_increments_become_one_absolute_row_stamped_with_the_last_offset() -> None:
    table = project_table()
    for offset, amounts in ((0, CREATED), (3, USED), (7, USED)):
        add(table, PAGE, KEY, offset, amounts)
    assert flush(table) == [row(KEY, 7, 1, 2)]


def test_only_what_changed_is_written_again_and_in_full() -> None:
    table = project_table()
    add(table, PAGE, KEY, 0, CREATED)
    add(table, PAGE, OTHER_KEY, 1, CREATED)
    flush(table)
    add(table, PAGE, KEY, 2, USED)
    assert flush(table) == [row(KEY, 2, 1, 1)]
    assert flush(table) == []


def test_rows_that_were_taken_do_not_change_when_folding_goes_on() -> None:
    table = project_table()
    add(table, PAGE, KEY, 0, CREATED)
    rows, _ = table.take_dirty_rows("s")
    add(table, PAGE, KEY, 1, USED)
    assert list(rows) == [row(KEY, 0, 1, 0)]


def test_an_offset_at_or_below_a_cells_stamp_is_already_in_that_cell_alone() -> None:
    table = project_table()
    add(table, PAGE, KEY, 5, CREATED)
    flush(table)
    for offset in (5, 4):
        add(table, PAGE, KEY, offset, USED)
        add(table, PAGE, OTHER_KEY, offset + 1, USED)
    assert flush(table) == [row(OTHER_KEY, 6, 0, 1)]
    assert table.unflushed == 0


def test_offset_zero_counts_in_a_new_cell() -> None:
    table = project_table()
    add(table, PAGE, KEY, 0, USED)
    assert flush(table) == [row(KEY, 0, 0, 1)]


def test_the_largest_counts_add_up_exactly_past_what_a_float_or_32_bits_hold() -> None:
    table = project_table()
    for offset in range(20_000):
        add(table, PAGE, KEY, offset, (0, MAX_COUNT, 1))
    [written] = flush(table)
    assert written == row(KEY, 19_999, 20_000 * MAX_COUNT, 20_000)
    assert all(type(counter) is int for counter in written[-3:])
    assert 20_000 * MAX_COUNT > 2**43
    assert 2**64 // MAX_COUNT > 18 * 10**9, "so many events of the largest count fit a cell"


def test_a_page_that_is_not_open_is_the_callers_bug() -> None:
    with pytest.raises(KeyError):
        add(project_table(), (ORGANIZATION, DAY + 1), KEY, 0, CREATED)


@pytest.mark.parametrize("declaration", CELL_TABLES, ids=lambda declaration: declaration.name)
def test_rows_follow_the_declarations_columns(declaration: CellTable) -> None:
    table = PageCache(declaration, 0)
    window = 739_000 * 1440
    table.open((ORGANIZATION, window if declaration.window == "minute" else 739_000))
    [page_key] = table.pages
    key = tuple(f"the {column}" for column in declaration.key)
    add(table, page_key, key, 9, (0, *range(1, len(declaration.counters) + 1)))
    [written] = flush(table)
    named = dict(zip(declaration.columns, written, strict=True))
    assert named["source"] == "s"
    assert named["organization_id"] == ORGANIZATION
    assert named[declaration.window] == WINDOW_TEXT[declaration.window](page_key[1])
    assert named["log_offset"] == 9
    assert [named[column] for column in declaration.key] == list(key)
    assert [named[counter] for counter in declaration.counters] == list(range(1, len(declaration.counters) + 1))


def test_a_batch_of_nothing_changes_nothing() -> None:
    table = project_table()
    table.fold([], [])
    assert (table.unflushed, flush(table)) == (0, [])


def test_one_batch_adds_to_a_cell_as_often_as_it_names_it_and_skips_what_is_in_it() -> None:
    table = PageCache(PROJECT, DAY + 1)
    table.load([PAGE], [(ORGANIZATION, "2026-03-01", *KEY, 5, 10, 20)])
    keys = (KEY, OTHER_KEY, KEY, KEY, OTHER_KEY)
    table.fold([3, 4, 5, 6, 9], [(PROJECT, PAGE, key, USED) for key in keys])
    assert sorted(flush(table)) == sorted([row(KEY, 6, 10, 21), row(OTHER_KEY, 9, 0, 2)])


def test_many_cells_outgrow_the_first_rows_and_let_go_ones_are_used_again() -> None:
    table = PageCache(PROJECT, 0)
    for day in range(3):
        page = (ORGANIZATION, DAY + day)
        table.open(page)
        keys = [("user", PERSON, "chat", uuid(number)) for number in range(100)]
        table.fold([1000 * day + number for number in range(100)], [(PROJECT, page, key, USED) for key in keys])
        text = WINDOW_TEXT["day"](DAY + day)
        assert sorted(flush(table)) == [row(key, 1000 * day + at, 0, 1, text) for at, key in enumerate(keys)]
        table.open((ORGANIZATION, DAY + 9))
        assert table.evict(0, keep=[(ORGANIZATION, DAY + 9)]) == 1
    assert table.open_cells == 0
    assert len(table._counts) == 128, "the rows of a page that is let go are another's"


# -- reading back ------------------------------------------------------------------------------------------


def test_a_page_that_clickhouse_may_have_is_not_opened_empty() -> None:
    table = PageCache(PROJECT, DAY + 1)
    assert not table.open(PAGE)
    assert table.open((ORGANIZATION, DAY + 1))
    assert list(table.pages) == [(ORGANIZATION, DAY + 1)]


def test_what_is_read_back_is_counted_on_from_its_stamp() -> None:
    table = PageCache(PROJECT, DAY + 1)
    table.load([PAGE], [(ORGANIZATION, "2026-03-01", *KEY, 5, 10, 20)])
    assert table.open(PAGE)
    add(table, PAGE, KEY, 5, USED)
    add(table, PAGE, KEY, 6, USED)
    assert flush(table) == [row(KEY, 6, 10, 21)]


def test_a_page_of_which_clickhouse_has_nothing_is_opened_empty() -> None:
    table = PageCache(FILE, DAY + 1)
    table.load([PAGE], [])
    add(table, PAGE, KEY, 0, (0, 1))
    assert flush(table) == [["s", ORGANIZATION, "2026-03-01", *KEY, 0, 1]]


def test_reading_back_does_not_touch_cells_that_are_newer_in_memory() -> None:
    table = project_table()
    add(table, PAGE, KEY, 6, USED)
    table.load([PAGE], [(ORGANIZATION, "2026-03-01", *KEY, 5, 10, 20)])
    assert flush(table) == [row(KEY, 6, 0, 1)]


# -- letting go --------------------------------------------------------------------------------------------


def test_a_page_is_let_go_after_so_many_idle_flushes_and_read_back_from_then_on() -> None:
    table = project_table()
    add(table, PAGE, KEY, 0, CREATED)
    flush(table)
    assert table.evict(2) == 0
    flush(table)
    assert table.evict(2) == 1
    assert table.open_cells == 0
    assert not table.open(PAGE)
    assert not table.open((ORGANIZATION, DAY - 1))
    assert table.open((ORGANIZATION, DAY + 1))


def test_a_change_makes_a_page_young_again() -> None:
    table = project_table()
    for offset in range(3):
        add(table, PAGE, KEY, offset, USED)
        flush(table)
    assert table.evict(2) == 0


def test_a_page_with_changes_stays() -> None:
    table = project_table()
    add(table, PAGE, KEY, 0, CREATED)
    assert table.evict(0) == 0


def test_a_page_in_flight_stays_until_every_flight_has_landed() -> None:
    table = project_table()
    add(table, PAGE, KEY, 0, CREATED)
    _, first = table.take_dirty_rows("s")
    add(table, PAGE, KEY, 1, USED)
    _, second = table.take_dirty_rows("s")
    table.mark_flushed(first)
    assert table.evict(0) == 0
    table.mark_flushed(second)
    assert table.evict(0) == 1


def test_a_page_of_a_waiting_batch_stays() -> None:
    table = project_table()
    assert table.evict(0, keep=[PAGE]) == 0
    assert table.evict(0) == 1


def test_an_older_page_let_go_later_does_not_make_newer_windows_unwritten() -> None:
    table = project_table()
    older = (ORGANIZATION, DAY - 5)
    table.open(older)
    table.evict(0, keep=[older])
    table.evict(0)
    assert not table.open(PAGE)


# -- bounds ------------------------------------------------------------------------------------------------


def test_unflushed_counts_changed_cells_once_and_open_cells_all() -> None:
    table = project_table()
    for offset in range(4):
        add(table, PAGE, KEY, offset, USED)
    add(table, PAGE, OTHER_KEY, 4, USED)
    assert (table.unflushed, table.open_cells) == (2, 2)
    _, flight = table.take_dirty_rows("s")
    assert (table.unflushed, table.open_cells) == (0, 2)
    add(table, PAGE, KEY, 5, USED)
    table.mark_flushed(flight)
    assert (table.unflushed, table.open_cells) == (1, 2)
