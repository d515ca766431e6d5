"""Days that are told by their sums: exact with cells in any number of parts, and with cells that move meanwhile."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from queries.sql_files import PARTS_CHANGED, fetch_rows
from tests.support.broken_view import change_days
from tests.support.table_rows import HOUR, Cell, database, insert_cells

pytestmark = pytest.mark.slow

ORGANIZATION, OTHER = (f"aaaaaaaa-0000-4000-8000-0000000000{number:02d}" for number in range(2))
PERSON = "bbbbbbbb-0000-4000-8000-000000000000"
BEGINS = datetime(2026, 10, 1, tzinfo=UTC)
DAY = timedelta(days=1)
VERSIONS = 60
SQL = """
    SELECT moment, sum(output_tokens) FROM usage_by_day(
        organization_id = {organization_id:UUID}, begins = {begins:DateTime('UTC')}, ends = {ends:DateTime('UTC')},
        asked = true)
    GROUP BY moment ORDER BY moment
"""
WINDOW = {"organization_id": ORGANIZATION, "begins": BEGINS, "ends": BEGINS + 3 * DAY}
LIST_OF_DAYS_IN_PARTS = "HAVING count() > 1"
NO_DAYS = "HAVING count() > 1000000"


@pytest.fixture
def client(clickhouse: str) -> Iterator[Client]:
    client = database(clickhouse)
    client.command("SYSTEM STOP MERGES spend_cells")
    yield client
    client.close()


def write(client: Client, tokens: int, hour: datetime = BEGINS + HOUR, organization_id: str = ORGANIZATION) -> None:
    """Write the hour's cell as a worker does: absolute, with a stamp that grows."""
    insert_cells(client, [Cell(organization_id, hour, PERSON, output_tokens=tokens, log_offset=tokens)])


def found(client: Client, **others: datetime) -> list[tuple[datetime, int]]:
    rows = client.query(SQL, parameters=WINDOW | others).result_rows
    return [(moment.replace(tzinfo=UTC), tokens) for moment, tokens in rows]


def test_a_day_of_one_part_is_one_row_and_one_of_two_parts_a_row_an_hour(client: Client) -> None:
    write(client, 5)
    write(client, 7, BEGINS + DAY + 3 * HOUR)
    assert found(client) == [(BEGINS, 5), (BEGINS + DAY, 7)]
    write(client, 6)
    write(client, 9, organization_id=OTHER)
    assert found(client) == [(BEGINS + HOUR, 6), (BEGINS + DAY, 7)], "the newer version alone"


def test_hours_of_a_day_are_told_when_only_some_are_asked_for(client: Client) -> None:
    insert_cells(client, [Cell(ORGANIZATION, BEGINS + n * HOUR, PERSON, output_tokens=1 + n) for n in range(72)])
    begins, ends = BEGINS + 22 * HOUR, BEGINS + 49 * HOUR
    hours = [(BEGINS + 22 * HOUR, 23), (BEGINS + 23 * HOUR, 24), (BEGINS + 48 * HOUR, 49)]
    assert found(client, begins=begins, ends=ends) == sorted([*hours, (BEGINS + DAY, sum(range(25, 49)))])


def test_whole_days_are_answered_by_the_projection(client: Client) -> None:
    write(client, 5)
    plan = client.query(f"EXPLAIN {SQL}", parameters=WINDOW).result_rows
    reads = re.findall(r"ReadFromMergeTree \((.*)\)", "\n".join(row[0] for row in plan))
    assert "days" in reads, plan


def test_without_the_list_of_days_in_parts_no_number_is_given(client: Client) -> None:
    """The control: two versions of a cell would count twice, and the view notices."""
    write(client, 5)
    write(client, 6)
    change_days(client, LIST_OF_DAYS_IN_PARTS, NO_DAYS)
    with pytest.raises(ClickHouseError, match="came into a second part"):
        found(client)


def test_without_the_list_and_the_look_a_cell_counts_twice(client: Client) -> None:
    """The control of the control."""
    write(client, 5)
    write(client, 6)
    change_days(client, LIST_OF_DAYS_IN_PARTS, NO_DAYS)
    change_days(client, "throwIf(parts > 1", "throwIf(parts > 1000000")
    assert found(client) == [(BEGINS, 11)]


def write_versions(client: Client) -> None:
    for number in range(VERSIONS):
        write(client, 1 + number)


def test_cells_that_are_written_meanwhile_count_once(clickhouse: str, client: Client, tmp_path: Path) -> None:
    """A worker writes versions of one cell and parts are merged, while somebody asks again and again."""
    client.command("SYSTEM START MERGES spend_cells")
    path = tmp_path / "usage.sql"
    path.write_text(SQL)
    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(write_versions, client)
        seen = []
        while not writer.done():
            seen += [tokens for _, tokens in fetch_rows(client, path, WINDOW)]
            client.command("OPTIMIZE TABLE spend_cells FINAL")
        writer.result()
    assert seen == sorted(seen)
    assert seen[-1] <= VERSIONS
    assert [tokens for _, tokens in found(client)] == [VERSIONS]


def test_what_moved_is_asked_again_until_it_stands(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "moving.sql"
    path.write_text("SELECT throwIf(sleep(0.05) = 0 AND now64(3, 'UTC') < toDateTime64({until:String}, 3, 'UTC'))")
    [(now,)] = client.query("SELECT now64(3, 'UTC')").result_rows
    assert fetch_rows(client, path, {"until": str(now + timedelta(milliseconds=200))}) == [(0,)]
    with pytest.raises(ClickHouseError) as caught:
        fetch_rows(client, path, {"until": "2099-01-01 00:00:00"})
    assert getattr(caught.value, "code", None) == PARTS_CHANGED


def test_both_halves_of_a_view_see_one_list(client: Client) -> None:
    """What usage_by_day rests on: ClickHouse answers WITH (SELECT ...) once for both sides of UNION ALL."""
    client.command("CREATE VIEW twice AS WITH (SELECT generateUUIDv4()) AS once SELECT once UNION ALL SELECT once")
    assert len(set(client.query("SELECT * FROM twice").result_rows)) == 1
