"""The schema of the database: tables by number, applied once, and views, applied again whenever they change.

`schema/tables/NNN_*.sql` are applied in order and never edited once they are released: a change of a table is a new
file. `schema/views/NAME.sql` has one view and is edited in place; `{{NAME}}` in it stands for the text of
`schema/fragments/NAME.sql`, which several views share. What was applied is kept in the table `migrations`
(by number) and `applied_views` (by name), with a hash of its text.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

from clickhouse_connect.driver.client import Client

SCHEMA = Path(__file__).parent / "schema"

LEDGER = (
    """
CREATE TABLE IF NOT EXISTS migrations (
    number UInt32, name String, sha256 String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
) ENGINE = ReplacingMergeTree ORDER BY number SETTINGS fsync_after_insert = 1
""",
    """
CREATE TABLE IF NOT EXISTS applied_views (
    name String, sha256 String, applied_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
) ENGINE = ReplacingMergeTree(applied_at) ORDER BY name SETTINGS fsync_after_insert = 1
""",
)


class MigrationChanged(Exception):
    """The text of an applied migration has changed."""


@dataclass(frozen=True)
class Migration:
    """A file `NNN_name.sql` of tables."""

    number: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        """The hash of the text, as stored in the table `migrations`."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def statements(self) -> list[str]:
        """The statements; each ends with a semicolon at the end of a line."""
        return [part.strip() for part in re.split(r";\s*(?:\n|$)", _without_comments(self.text)) if part.strip()]


@dataclass(frozen=True)
class View:
    """A file `NAME.sql` with one `CREATE OR REPLACE VIEW NAME`.

    `sha256` is the hash of its text, of all views that it reads and of all migrations, because ClickHouse keeps the
    columns that a view had when it was created: `SELECT *` has none that a table got later.
    """

    name: str
    statement: str
    sha256: str


def load_migrations(folder: Path = SCHEMA) -> list[Migration]:
    """Return the migrations of `folder`/tables, by number. Raises ValueError if two have the same number."""
    found = [
        Migration(int(path.name[:3]), path.stem[4:], path.read_text())
        for path in sorted((folder / "tables").glob("[0-9][0-9][0-9]_*.sql"))
    ]
    numbers = [migration.number for migration in found]
    if len(set(numbers)) != len(numbers):
        raise ValueError(f"two migrations in {folder} have the same number: {numbers}")
    return found


def load_views(folder: Path = SCHEMA) -> list[View]:
    """Return the views of `folder`/views, each after those that its FROM and JOIN clauses name.

    Raises ValueError if a file does not define the view that it is named after, CycleError if views read each other.
    """
    texts = {path.stem: _view_text(path) for path in (folder / "views").glob("*.sql")}
    for name, text in texts.items():
        if not re.match(rf"CREATE OR REPLACE VIEW {name} AS\s", text) or text.count("CREATE OR REPLACE") != 1:
            raise ValueError(f"{name}.sql must contain one statement, CREATE OR REPLACE VIEW {name} AS")
    read = {name: sorted(_read_by(text) & (texts.keys() - {name})) for name, text in texts.items()}
    tables = [migration.sha256 for migration in load_migrations(folder)]
    views: dict[str, View] = {}
    for name in TopologicalSorter(read).static_order():
        parts = [texts[name], *(views[other].sha256 for other in read[name]), *tables]
        digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        views[name] = View(name, texts[name].removesuffix(";"), digest)
    return list(views.values())


def migrate(client: Client, folder: Path = SCHEMA) -> list[str]:
    """Apply what the database lacks, tables first, and return the names of the files that were applied.

    Every statement is `IF NOT EXISTS` or `OR REPLACE`, so a migration interrupted by a crash is simply run again. A
    view that is no longer in `folder` is dropped. In a database with migrations of a newer release the views stay as
    they are. Raises MigrationChanged if the text of a table file differs from what was applied.
    """
    for statement in LEDGER:
        client.command(statement)
    applied, migrations = applied_migrations(client), load_migrations(folder)
    fresh = _migrate_tables(client, migrations, applied)
    if applied.keys() - {migration.number for migration in migrations}:
        return fresh  # a newer release has migrated: its views are for its tables
    return [*fresh, *_migrate_views(client, load_views(folder))]


def applied_migrations(client: Client) -> dict[int, str]:
    """Return the hash of each applied migration, by number."""
    return dict(client.query("SELECT number, sha256 FROM migrations FINAL").result_rows)


def applied_views(client: Client) -> dict[str, str]:
    """Return the hash of each applied view, by name."""
    return dict(client.query("SELECT name, sha256 FROM applied_views FINAL WHERE sha256 != ''").result_rows)


def _migrate_tables(client: Client, migrations: Sequence[Migration], applied: Mapping[int, str]) -> list[str]:
    fresh = []
    for migration in migrations:
        if migration.number in applied:
            _refuse_change(migration, applied[migration.number])
            continue
        for statement in migration.statements:
            client.command(statement)
        row = [migration.number, migration.name, migration.sha256]
        client.insert("migrations", [row], column_names=["number", "name", "sha256"])
        fresh.append(f"tables/{migration.number:03d}_{migration.name}.sql")
    return fresh


def _migrate_views(client: Client, views: Sequence[View]) -> list[str]:
    applied = applied_views(client)
    changed = {view.name: view for view in views if applied.get(view.name) != view.sha256}
    gone = applied.keys() - {view.name for view in views}
    for view in changed.values():
        client.command(view.statement)
    for name in gone:
        client.command("DROP VIEW IF EXISTS {name:Identifier}", parameters={"name": name})
    rows = [[name, view.sha256] for name, view in changed.items()] + [[name, ""] for name in gone]
    if rows:  # once for all: what a crash leaves unrecorded is applied again
        client.insert("applied_views", rows, column_names=["name", "sha256"])
    return [f"views/{name}.sql" for name in changed]


def _refuse_change(migration: Migration, applied_sha256: str) -> None:
    if migration.sha256 != applied_sha256:
        raise MigrationChanged(
            f"the text of migration {migration.number:03d}_{migration.name}.sql has changed since it was applied "
            f"(sha256 {applied_sha256[:12]}, now {migration.sha256[:12]}): restore it and put the change in a new file"
        )


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))


def _view_text(path: Path) -> str:
    """Return a view's text with its fragments put in. Raises FileNotFoundError if a fragment has no file."""

    def fragment(found: re.Match[str]) -> str:
        return _sql(path.parent.parent / "fragments" / f"{found[1]}.sql")

    return re.sub(r"\{\{(\w+)\}\}", fragment, _sql(path))


def _sql(path: Path) -> str:
    return _without_comments(path.read_text()).strip()


def _read_by(text: str) -> set[str]:
    """Return the tables and views that a statement names after FROM or JOIN."""
    return set(re.findall(r"\b(?:FROM|JOIN)\s+(\w+)", text))
