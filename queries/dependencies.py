"""The tables that cached results depend on, and the kinds of rows that an SQL file reads, so that its result is dropped
only when one of those changes."""

import re
from functools import cache
from pathlib import Path

from aggregators.cell_tables import CELL_TABLES
from queries.sql_files import load_sql

CELLS = {table.name.removesuffix("_cells"): table for table in CELL_TABLES if table.window != "minute"}
"""The tables of cells by their kind. No result that depends on minutes is cached."""

WATCHED = (*(table.name for table in CELLS.values()), "directory", "profiles", "price_lists", "topic_epochs")
"""Every table that results are read from."""

USAGE = frozenset({"spend", "terms", "prices"})
TABLES_BY_VIEW = {
    **{f"{table.name}_current": frozenset({kind}) for kind, table in CELLS.items()},
    "spend_by_day": USAGE,
    "spend": USAGE,
    "directory_changes": frozenset({"directory"}),
    "seats_by_day": frozenset({"directory"}),
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
