"""The kinds of rows that an SQL file reads, so that its cached result is dropped only when one of those changes."""

import re
from functools import cache
from pathlib import Path

from queries.sql_files import load_sql

USAGE = frozenset({"spend", "terms", "prices"})
TABLES_BY_VIEW = {
    "chat_cells_current": frozenset({"chat"}),
    "project_cells_current": frozenset({"project"}),
    "artifact_cells_current": frozenset({"artifact"}),
    "connector_cells_current": frozenset({"connector"}),
    "session_cells_current": frozenset({"session"}),
    "spend_cells_current": frozenset({"spend"}),
    "spend_by_day": USAGE,
    "spend": USAGE,
    "directory_changes": frozenset({"directory"}),
    "invites_pending": frozenset({"directory"}),
    "seats_held": frozenset({"directory"}),
    "models": frozenset({"models"}),
    "people_of": frozenset({"profiles", "directory"}),
    "numbers": frozenset[str](),
}
"""The kinds (queries/data_version.sql) that a view or table consists of. Every view also depends on the epochs."""


@cache
def tables_read(path: Path) -> frozenset[str] | None:
    """Return the kinds of rows that the file reads, or None for "every kind".

    None is returned if the file reads a table that is not listed here or joins tables with a comma.
    """
    text = re.sub(r"--.*", "", load_sql(path))
    read = set(re.findall(r"\b(?:FROM|JOIN)\s+(\w+)", text)) - set(re.findall(r"\b(\w+) AS \(\s*SELECT", text))
    if not read <= set(TABLES_BY_VIEW) or re.search(r"\bFROM\s+\w+(\s+AS\s+\w+)?\s*,", text):
        return None
    return frozenset({"epochs"}).union(*(TABLES_BY_VIEW[name] for name in read))
