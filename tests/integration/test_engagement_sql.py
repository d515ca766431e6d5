"""The lists' SQL: filters reach the cells' keys, replaced epochs count nothing, values are parameters."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from aggregators.cell_tables import ARTIFACT, CHAT, CONNECTOR, FILE, PROJECT, SESSION, CellTable
from reports.engagement.lists import read_users
from reports.engagement.query import EngagementQuery, revision_hash
from reports.engagement.summaries import read_summaries
from tests.support.table_rows import database, insert

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
ORGANIZATION, OTHER = (f"aaaaaaaa-0000-4000-8000-0000000000{number:02d}" for number in range(2))
PERSON, THING = "bbbbbbbb-0000-4000-8000-000000000000", "cccccccc-0000-4000-8000-000000000000"
DAY = date(2026, 10, 1)
QUESTION = EngagementQuery(ORGANIZATION, DAY, DAY)
MORE = {"kind": "skill", "names": [], "any_name": True, "types": [], "shared": [], "type": "x"}
MORE |= {"order_by": "web_search_count"}
CELLS: dict[CellTable, dict[str, Any]] = {
    CHAT: {"source": "tally.chat/0@0", "product": "chat", "conversation_id": THING, "project_id": THING, "messages": 1},
    FILE: {"source": "tally.chat/0@0", "product": "chat", "file_id": THING, "uploads": 1},
    PROJECT: {"source": "tally.project/0@0", "product": "chat", "project_id": THING, "used": 1},
    ARTIFACT: {"source": "tally.artifact/0@0", "product": "chat", "artifact_id": THING, "created": 1},
    CONNECTOR: {"source": "tally.connector/0@0", "product": "chat", "kind": "skill", "name": "pdf", "uses": 1},
    SESSION: {"source": "tally.session/0@0", "product": "claude_code", "session_id": THING, "tool_uses": 1},
}


@pytest.fixture
def client(clickhouse: str) -> Iterator[Client]:
    """A client of a database with a cell of each table for each of two organizations."""
    client = database(clickhouse)
    for organization in (ORGANIZATION, OTHER):
        for table, cell in CELLS.items():
            base = {"organization_id": organization, "day": str(DAY), "actor_type": "user", "actor_id": PERSON}
            insert(client, table, [base | cell])
    yield client
    client.close()


@pytest.mark.parametrize("name", ["users", "users_ranks", "projects", "extensions", "skills", "artifacts"])
def test_filters_reach_the_primary_key_of_every_table_that_is_read(client: Client, name: str) -> None:
    """Else a question about one organization's yesterday would read everybody's ninety days."""
    sql = (ROOT / "reports" / "engagement" / f"{name}.sql").read_text()
    plan = client.query(f"EXPLAIN indexes = 1 {sql}", parameters=QUESTION.parameters() | MORE).result_rows
    text = "\n".join(row[0] for row in plan)
    never = r"(?<!Filter column: 0)"  # of a table that {order_by} has no metric of, nothing is read
    reads = re.split(never + r"\n[^\n]*ReadFromMergeTree \(", text)[1:]
    cells = [read for read in reads if re.match(r"\w+\.\w+_cells\)|states\)", read)]
    assert cells, text
    for read in cells:
        assert "organization_id in [" in read or "organization_id" in read.split("PrimaryKey")[1][:200], read


def test_a_replaced_epoch_counts_nothing(client: Client) -> None:
    assert read_users(client, QUESTION)[0]["counts"]["chat_metrics.message_count"] == 1
    before = revision_hash(client, QUESTION)
    topics = sorted({str(cell["source"]).partition("/")[0] for cell in CELLS.values()})
    values = ", ".join(f"('{topic}', 1, 'replace', now64(3))" for topic in topics)
    client.command(f"INSERT INTO topic_epochs VALUES {values}")
    assert read_users(client, QUESTION) == []
    assert revision_hash(client, QUESTION) != before, "a walk that goes on would meet other rows"
    assert set(read_summaries(client, QUESTION)[0].active.values()) == {0}
    insert(client, CHAT, [{**base_of(CHAT), "source": "tally.chat/0@1", "messages": 5}])
    assert read_users(client, QUESTION)[0]["counts"]["chat_metrics.message_count"] == 5


def base_of(table: CellTable) -> dict[str, Any]:
    """A cell of ORGANIZATION."""
    base = {"organization_id": ORGANIZATION, "day": str(DAY), "actor_type": "user", "actor_id": PERSON}
    return base | CELLS[table]


def test_the_api_holds_no_sql_and_the_reports_build_none() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "api").rglob("*.py"))
    assert not re.search(r"\b(SELECT|INSERT|WHERE|FROM \w+ (FINAL|WHERE))\b", code)
    for folder in ("reports/engagement", "reports/usage", "access"):
        python = "\n".join(path.read_text() for path in (ROOT / folder).glob("*.py"))
        assert not re.search(r"\b(SELECT|WHERE)\b", python)
