"""The usage reports' SQL: filters reach the cells' keys, only what is asked for is read, replaced epochs are out."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from aggregators.cell_tables import MINUTE
from queries.sql_files import SETTINGS
from reports.usage.query import UsageQuery
from reports.usage.rows import read_usage, revision_hash
from tests.support.table_rows import Cell, database, insert, insert_cells

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[2] / "reports" / "usage"
ORGANIZATION, OTHER = (f"aaaaaaaa-0000-4000-8000-0000000000{number:02d}" for number in range(2))
PERSON = "bbbbbbbb-0000-4000-8000-000000000000"
BEGINS = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
QUESTION = UsageQuery(ORGANIZATION, BEGINS, BEGINS + timedelta(hours=2))


@pytest.fixture
def client(clickhouse: str) -> Iterator[Client]:
    """A client of a database with an hour and a minute of usage for each of two organizations."""
    client = database(clickhouse)
    for organization in (ORGANIZATION, OTHER):
        insert_cells(client, [Cell(organization, BEGINS, PERSON, output_tokens=7)])
        minute: dict[str, Any] = {
            "organization_id": organization,
            "minute": BEGINS.strftime("%F %T"),
            "product": "chat",
        }
        insert(client, MINUTE, [minute | {"source": "tally.token/0@0", "requests": 1, "output_tokens": 5}])
    yield client
    client.close()


@pytest.mark.parametrize("name", ["rows", "revision"])
@pytest.mark.parametrize("by_minute", [False, True])
def test_only_the_organizations_cells_are_read(client: Client, name: str, by_minute: bool) -> None:
    """Else a question about one organization's day would read everybody's, and one of hours the minutes, too."""
    question = UsageQuery(ORGANIZATION, BEGINS, QUESTION.ends, by_minute=by_minute, priced=True)
    sql = (FOLDER / f"{name}.sql").read_text()
    found = client.query(f"EXPLAIN indexes = 1 {sql}", parameters=question.parameters(), settings=SETTINGS)
    text = "\n".join(row[0] for row in found.result_rows)
    reads = [
        read for read in re.split(r"ReadFromMergeTree \(", text)[1:] if re.match(r"\w+\.(spend|minute)_cells\)", read)
    ]
    wanted = "minute_cells" if by_minute else "spend_cells"
    assert any(wanted in read and "PrimaryKey" in read for read in reads), text
    for read in reads:
        if wanted in read.partition("\n")[0] and "PrimaryKey" in read:
            assert "organization_id" in read.split("PrimaryKey")[1][:200], read
            assert ("minute" if by_minute else "hour") in read.split("PrimaryKey")[1][:400], read


@pytest.mark.parametrize("by_minute", [False, True])
@pytest.mark.parametrize("group_by", [(), ("actor",)])
def test_what_is_not_asked_for_is_not_read(client: Client, by_minute: bool, group_by: tuple[str, ...]) -> None:
    """A false flag beside the key ends a branch before it begins, whatever stands between it and the table."""
    table, column, value = "minute_cells", "model", "toString(number)"
    if by_minute:
        table, column, value = "spend_cells", "actor_id", "generateUUIDv4(number)"
    many = f"SELECT one.* REPLACE ({value} AS {column}) FROM {table} AS one, numbers(50000) AS many"
    client.command(f"INSERT INTO {table} {many}")
    question = UsageQuery(ORGANIZATION, BEGINS, QUESTION.ends, by_minute=by_minute, group_by=group_by)
    sql = (FOLDER / "rows.sql").read_text()
    found = client.query(sql, parameters=question.parameters(), settings=SETTINGS)
    assert found.row_count == 1
    assert int(found.summary["read_rows"]) < 1000


def test_a_replaced_epoch_counts_nothing(client: Client) -> None:
    assert read_usage(client, QUESTION)[0]["counts"][4] == 7
    before = revision_hash(client, QUESTION)
    client.command("INSERT INTO topic_epochs VALUES ('tally.token', 1, 'replace', now64(3))")
    assert read_usage(client, QUESTION) == []
    assert revision_hash(client, QUESTION) != before, "a walk that goes on would meet other rows"


def test_minutes_and_hours_do_not_mix(client: Client) -> None:
    minutes = UsageQuery(ORGANIZATION, BEGINS, QUESTION.ends, bucket_seconds=60, by_minute=True)
    assert [row["counts"][4] for row in read_usage(client, minutes)] == [5]
    assert [row["counts"][4] for row in read_usage(client, QUESTION)] == [7]
