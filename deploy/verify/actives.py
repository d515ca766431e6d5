"""Who was active: recounted from cells, for a day and for the trailing 7 and 30 days."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any

from deploy.verify.recount import Recount
from deploy.verify.tables import CELL_TABLES

WIDTHS = (1, 7, 30)
COLUMNS = ("dau", "wau", "mau")
QUERY = """
SELECT toString(organization_id), toString(ends), uniqExactIf(account_id, age < 1), uniqExactIf(account_id, age < 7),
    uniqExact(account_id)
FROM (SELECT organization_id, account_id, age, day + age AS ends FROM active_users ARRAY JOIN range(30) AS age)
WHERE ends <= (SELECT max(day) FROM active_users)
GROUP BY organization_id, ends
"""

Person = tuple[str, str]
"""(organization, account)"""


def expected_actives(recount: Recount) -> dict[tuple[str, str], tuple[int, ...]]:
    """(organization, day) to the people active that day, in the 7 and in the 30 days that end with it."""
    days = _active_days(recount)
    last = max((day for active in days.values() for day in active), default=0)
    counts = [_trailing(days, width) for width in WIDTHS]
    return {
        (organization, date.fromordinal(day).isoformat()): tuple(count[organization, day] for count in counts)
        for organization, day in counts[-1]
        if day <= last
    }


def found_actives(rows: Iterable[list[Any]]) -> Iterable[tuple[tuple[str, str], tuple[int, ...]]]:
    """The rows of QUERY in the form of `expected_actives`."""
    for organization, day, *counts in rows:
        yield (organization, day), tuple(counts)


def _active_days(recount: Recount) -> dict[Person, set[int]]:
    days: dict[Person, set[int]] = defaultdict(set)
    for table in ("chat_cells", "session_cells"):
        declared = CELL_TABLES[table]
        for key, (_, *counters) in recount.cells[table].items():
            cell = dict(zip((*declared.key_columns, *declared.counters), (*key, *counters), strict=True))
            if cell["actor_type"] == "user" and _is_active(table, cell):
                days[cell["organization_id"], cell["actor_id"]].add(date.fromisoformat(cell["day"]).toordinal())
    return days


def _is_active(table: str, cell: dict[str, Any]) -> bool:
    if table == "chat_cells":
        return bool(cell["messages"])
    if cell["product"] == "claude_code":
        return bool(cell["tool_uses"] or cell["commits"] or cell["pull_requests"])
    return cell["product"] == "cowork" and bool(cell["tool_uses"] or cell["messages"])


def _trailing(days: dict[Person, set[int]], width: int) -> Counter[tuple[str, int]]:
    """For each organization and day, how many people have an active day among the `width` days that end with it."""
    counts: Counter[tuple[str, int]] = Counter()
    for (organization, _), active in days.items():
        counted_to = 0
        for day in sorted(active):
            counts.update((organization, ends) for ends in range(max(day, counted_to), day + width))
            counted_to = day + width
    return counts
