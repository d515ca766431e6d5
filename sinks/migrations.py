"""Numbered migrations of the schema, with a ledger: re-running is harmless, a changed old migration is refused."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from clickhouse_connect.driver.client import Client

SCHEMA = Path(__file__).parent / "schema"

LEDGER = """
CREATE TABLE IF NOT EXISTS migrations (
    number UInt32, name String, sha256 String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
) ENGINE = ReplacingMergeTree ORDER BY number SETTINGS fsync_after_insert = 1
"""


class MigrationChanged(Exception):
    """The text of an applied migration has changed."""


@dataclass(frozen=True)
class Migration:
    """A file `NNN_name.sql`."""

    number: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        """The hash of the text, as stored in the ledger."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def statements(self) -> list[str]:
        """The statements; each ends with a semicolon at the end of a line."""
        bare = "\n".join(line for line in self.text.splitlines() if not line.lstrip().startswith("--"))
        return [part.strip() for part in re.split(r";\s*(?:\n|$)", bare) if part.strip()]


def load_migrations(folder: Path = SCHEMA) -> list[Migration]:
    """Return all migrations of `folder`, by number. Raises ValueError if two have the same number."""
    found = [
        Migration(int(path.name[:3]), path.stem[4:], path.read_text())
        for path in sorted(folder.glob("[0-9][0-9][0-9]_*.sql"))
    ]
    numbers = [migration.number for migration in found]
    if len(set(numbers)) != len(numbers):
        raise ValueError(f"two migrations in {folder} have the same number: {numbers}")
    return found


def migrate(client: Client, folder: Path = SCHEMA) -> list[Migration]:
    """Apply the migrations that are missing from the ledger, in order, and return them.

    Every statement is `IF NOT EXISTS` or `OR REPLACE`, so a migration interrupted by a crash is simply run again.
    Raises MigrationChanged if the text of an applied file differs from the ledger's.
    """
    client.command(LEDGER)
    applied = dict(client.query("SELECT number, sha256 FROM migrations FINAL").result_rows)
    fresh: list[Migration] = []
    for migration in load_migrations(folder):
        if migration.number in applied:
            _refuse_change(migration, applied[migration.number])
            continue
        for statement in migration.statements:
            client.command(statement)
        client.insert(
            "migrations",
            [[migration.number, migration.name, migration.sha256]],
            column_names=["number", "name", "sha256"],
        )
        fresh.append(migration)
    return fresh


def _refuse_change(migration: Migration, applied_sha256: str) -> None:
    if migration.sha256 != applied_sha256:
        raise MigrationChanged(
            f"the text of migration {migration.number:03d}_{migration.name}.sql has changed since it was applied "
            f"(sha256 {applied_sha256[:12]}, now {migration.sha256[:12]}): restore it and put the change in a new file"
        )
