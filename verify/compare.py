"""Row-by-row comparison of the recount with a table: both sides are streams in the order of their keys."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any

from verify.verdict import Difference, TableResult

Key = tuple[Any, ...]
Row = Sequence[Any]
Pair = tuple[Key, Row | None, list[Row]]
"""(key, the expected row, the rows found)"""

_BY_KEY = itemgetter(0)


def paired(expected: Iterable[tuple[Key, Row]], found: Iterable[tuple[Key, Row]]) -> Iterator[Pair]:
    """Yield each key of either side once, with its rows. A row out of order is not lost but makes its own pair."""
    left = ((key, True, row) for key, row in expected)
    right = ((key, False, row) for key, row in found)
    for key, of_key in groupby(merge(left, right, key=_BY_KEY), _BY_KEY):
        rows = list(of_key)
        wanted = [row for _, is_expected, row in rows if is_expected]
        yield key, wanted[0] if wanted else None, [row for _, is_expected, row in rows if not is_expected]


def compare(
    name: str,
    key_columns: Sequence[str],
    value_columns: Sequence[str],
    pairs: Iterable[Pair],
    *,
    show: int = 20,
    is_moving: Callable[[Key, Row], bool] = lambda _key, _row: False,
) -> TableResult:
    """Return the pairs that differ; at most `show` of them keep their rows.

    A found row for which `is_moving` is true includes records past the recounted ones: it is ignored, and so is the row
    expected in its place. A key that is found twice is a difference.
    """
    result = TableResult(name)

    def differ(key: Key, wanted: Row | None, row: Row | None) -> None:
        result.different += 1
        if len(result.differences) < show:
            named = dict(zip(key_columns, key, strict=True))
            result.differences.append(Difference(named, *_unequal(value_columns, wanted, row)))

    for key, wanted, rows in pairs:
        settled = [row for row in rows if not is_moving(key, row)]
        result.moving += len(rows) - len(settled)
        result.compared += len(settled) or not rows
        for number, row in enumerate(settled):
            if wanted is None or number or tuple(row) != tuple(wanted):
                differ(key, wanted, row)
        if not rows:
            differ(key, wanted, None)
    return result


def _unequal(
    columns: Sequence[str], wanted: Row | None, row: Row | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Return both rows by column; if both exist, only the columns in which they differ."""
    left = dict(zip(columns, wanted, strict=True)) if wanted is not None else None
    right = dict(zip(columns, row, strict=True)) if row is not None else None
    if left is None or right is None:
        return left, right
    unlike = [column for column in columns if left[column] != right[column]]
    if not unlike:
        return left, right
    return {column: left[column] for column in unlike}, {column: right[column] for column in unlike}
