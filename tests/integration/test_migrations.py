"""The schema: tables are applied once and never edited, views whenever they change, in the order of what they read."""

import shutil
from collections.abc import Iterator
from graphlib import CycleError
from pathlib import Path
from uuid import uuid4

import pytest
from clickhouse_connect.driver.client import Client

from sinks.client import connect, create_database
from sinks.migrations import (
    SCHEMA,
    MigrationChanged,
    applied_migrations,
    applied_views,
    load_migrations,
    load_views,
    migrate,
)

SMALL = {
    "tables/001_cells.sql": "-- Cells.\nCREATE TABLE IF NOT EXISTS cells (a UInt8) ENGINE = MergeTree ORDER BY a;\n",
    "views/upper.sql": "CREATE OR REPLACE VIEW upper AS\nSELECT * FROM lower;\n",
    "views/lower.sql": "-- The cells.\nCREATE OR REPLACE VIEW lower AS\nSELECT * FROM cells;\n",
    "views/other.sql": "CREATE OR REPLACE VIEW other AS\nSELECT 1 AS one;\n",
}
ALL = ["tables/001_cells.sql", "views/lower.sql", "views/other.sql", "views/upper.sql"]


@pytest.fixture
def client(clickhouse: str) -> Iterator[Client]:
    name = f"m_{uuid4().hex}"
    create_database(clickhouse, "default", "", name)
    client = connect(clickhouse, database=name)
    yield client
    client.close()


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    for name, text in SMALL.items():
        write(tmp_path, name, text)
    return tmp_path


def write(schema: Path, name: str, text: str) -> None:
    path = schema / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def columns(client: Client, view: str) -> list[str]:
    return [row[0] for row in client.query(f"DESCRIBE {view}").result_rows]


def test_the_whole_schema_is_applied_once(client: Client) -> None:
    applied = migrate(client)
    assert len(applied) == len(load_migrations()) + len(load_views())
    assert migrate(client) == []
    assert applied_migrations(client) == {each.number: each.sha256 for each in load_migrations()}
    assert applied_views(client) == {view.name: view.sha256 for view in load_views()}
    shipped = [*(SCHEMA / "tables").iterdir(), *(SCHEMA / "views").iterdir()]
    assert sorted(applied) == sorted(f"{path.parent.name}/{path.name}" for path in shipped)


def test_every_view_can_be_read_after_those_below_it_alone(client: Client) -> None:
    names = [view.name for view in load_views()]
    assert names.index("spend_cells_current") < names.index("spend")
    assert (
        names.index("directory_history")
        < names.index("directory_changes")
        < names.index("terms")
        < names.index("spend")
    )


def test_a_view_that_changes_is_applied_again_with_those_that_read_it(client: Client, schema: Path) -> None:
    assert sorted(migrate(client, schema)) == ALL
    write(schema, "views/lower.sql", "CREATE OR REPLACE VIEW lower AS\nSELECT a, a + 1 AS b FROM cells;\n")
    assert migrate(client, schema) == ["views/lower.sql", "views/upper.sql"]
    assert columns(client, "upper") == ["a", "b"]
    assert migrate(client, schema) == []


def test_a_fragment_that_changes_changes_the_views_that_have_it(client: Client, schema: Path) -> None:
    write(schema, "fragments/sums.sql", "-- All sums.\nsum(a) AS total\n")
    write(schema, "views/other.sql", "CREATE OR REPLACE VIEW other AS\nSELECT {{sums}} FROM cells;\n")
    assert sorted(migrate(client, schema)) == ALL
    write(schema, "fragments/sums.sql", "sum(a) AS total, max(a) AS greatest\n")
    assert migrate(client, schema) == ["views/other.sql"]
    assert columns(client, "other") == ["total", "greatest"]


def test_a_fragment_without_a_file_is_refused(schema: Path) -> None:
    write(schema, "views/other.sql", "CREATE OR REPLACE VIEW other AS\nSELECT {{sums}} FROM cells;\n")
    with pytest.raises(FileNotFoundError, match=r"fragments/sums\.sql"):
        load_views(schema)


def test_a_comment_is_no_change_of_a_view(client: Client, schema: Path) -> None:
    migrate(client, schema)
    write(schema, "views/lower.sql", SMALL["views/lower.sql"].replace("The cells.", "All of the cells."))
    assert migrate(client, schema) == []


def test_a_new_column_of_a_table_is_in_views_of_all_columns(client: Client, schema: Path) -> None:
    migrate(client, schema)
    write(schema, "tables/002_more.sql", "ALTER TABLE cells ADD COLUMN IF NOT EXISTS b UInt8;\n")
    assert migrate(client, schema)[0] == "tables/002_more.sql"
    assert columns(client, "upper") == ["a", "b"]


def test_a_view_without_a_file_is_dropped(client: Client, schema: Path) -> None:
    migrate(client, schema)
    (schema / "views" / "other.sql").unlink()
    assert migrate(client, schema) == []
    assert client.query("EXISTS other").result_rows == [(0,)]
    assert "other" not in applied_views(client)
    write(schema, "views/other.sql", SMALL["views/other.sql"])
    assert migrate(client, schema) == ["views/other.sql"]


def test_tables_that_were_applied_are_not_edited(client: Client, schema: Path) -> None:
    migrate(client, schema)
    write(schema, "tables/001_cells.sql", SMALL["tables/001_cells.sql"].replace("Cells.", "Cells"))
    with pytest.raises(MigrationChanged, match=r"001_cells\.sql has changed"):
        migrate(client, schema)


def test_a_migration_that_was_cut_short_is_run_again(client: Client, schema: Path) -> None:
    second = "CREATE TABLE IF NOT EXISTS more (a UInt8) ENGINE = MergeTree ORDER BY a;\nSELECT throwIf(1);\n"
    write(schema, "tables/002_more.sql", second)
    with pytest.raises(Exception, match="throwIf"):
        migrate(client, schema)
    write(schema, "tables/002_more.sql", second.replace("throwIf(1)", "1"))
    assert migrate(client, schema)[0] == "tables/002_more.sql"


def test_views_of_a_newer_release_stay(client: Client, schema: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    older = tmp_path_factory.mktemp("older") / "schema"
    shutil.copytree(schema, older)
    write(schema, "tables/002_more.sql", "ALTER TABLE cells ADD COLUMN IF NOT EXISTS b UInt8;\n")
    write(schema, "views/other.sql", "CREATE OR REPLACE VIEW other AS\nSELECT b FROM cells;\n")
    migrate(client, schema)
    assert migrate(client, older) == []
    assert columns(client, "other") == ["b"]


@pytest.mark.parametrize(
    "text",
    [
        "CREATE OR REPLACE VIEW another AS\nSELECT 1;\n",
        "SELECT 1;\n",
        "CREATE OR REPLACE VIEW other AS\nSELECT 1;\nCREATE OR REPLACE VIEW more AS\nSELECT 1;\n",
    ],
)
def test_a_file_of_a_view_defines_that_view_alone(text: str, schema: Path) -> None:
    write(schema, "views/other.sql", text)
    with pytest.raises(ValueError, match=r"other\.sql must contain one statement"):
        load_views(schema)


def test_views_that_read_each_other_are_refused(schema: Path) -> None:
    write(schema, "views/lower.sql", "CREATE OR REPLACE VIEW lower AS\nSELECT * FROM upper;\n")
    with pytest.raises(CycleError):
        load_views(schema)


def test_two_migrations_of_one_number_are_refused(schema: Path) -> None:
    write(schema, "tables/001_again.sql", SMALL["tables/001_cells.sql"])
    with pytest.raises(ValueError, match="the same number"):
        load_migrations(schema)
