"""Active people, recounted from cells: on a day, and in the trailing 7 and 30 days."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

WIDTHS = (1, 7, 30)
COLUMNS = ("dau", "wau", "mau")
QUERY = """
SELECT toString(organization_id), toString(ends), uniqExactIf(account_id, age < 1), uniqExactIf(account_id, age < 7),
    uniqExact(account_id)
FROM (SELECT organization_id, account_id, age, day + age AS ends FROM active_users ARRAY JOIN range(30) AS age)
WHERE ends <= (SELECT max(day) FROM active_users)
GROUP BY organization_id, ends
"""


def expected_actives(active: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str], tuple[int, ...]]:
    """Return, by (organization, day), the people active that day, and in the 7 and the 30 days that end with it.

    `active` has the (organization, account, day) of all active days, in order.
    """
    counts: dict[int, Counter[tuple[str, int]]] = {width: Counter() for width in WIDTHS}
    last = 0
    for (organization, _), of_person in groupby(active, itemgetter(0, 1)):
        days = [date.fromisoformat(day).toordinal() for _, _, day in of_person]
        last = max(last, days[-1])
        for width, count in counts.items():
            count.update((organization, ends) for ends in _trailing(days, width))
    return {
        (organization, date.fromordinal(day).isoformat()): tuple(count[organization, day] for count in counts.values())
        for organization, day in counts[WIDTHS[-1]]
        if day <= last
    }


def found_actives(rows: Iterable[list[Any]]) -> Iterable[tuple[tuple[str, str], tuple[int, ...]]]:
    """Yield the rows of QUERY in the form of `expected_actives`."""
    for organization, day, *counts in rows:
        yield (organization, day), tuple(counts)


def _trailing(days: Iterable[int], width: int) -> Iterator[int]:
    """Yield the days whose window of `width` days contains an active day; `days` are one person's, in order."""
    counted_to = 0
    for day in days:
        yield from range(max(day, counted_to), day + width)
        counted_to = day + width
