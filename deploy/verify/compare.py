"""Compares what the log says with what a table holds, row by row, in the memory of the former."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from deploy.verify.verdict import Difference, TableResult

Key = tuple[Any, ...]
Row = Sequence[Any]


def compare(
    name: str,
    key_columns: Sequence[str],
    value_columns: Sequence[str],
    expected: Mapping[Key, Row],
    found: Iterable[tuple[Key, Row]],
    *,
    show: int = 20,
    is_moving: Callable[[Key, Row], bool] = lambda _key, _row: False,
) -> TableResult:
    """The differences between `expected` and `found`; at most `show` of them are kept with their rows.

    A found row that `is_moving` holds records beyond those that were recounted: it is left out, and so is the row
    that is expected in its place. A key that is found twice is a difference.
    """
    result = TableResult(name)
    seen: set[Key] = set()

    def differ(key: Key, wanted: Row | None, row: Row | None) -> None:
        result.different += 1
        if len(result.differences) < show:
            named = dict(zip(key_columns, key, strict=True))
            result.differences.append(Difference(named, *_unequal(value_columns, wanted, row)))

    for key, row in found:
        wanted = expected.get(key)
        if is_moving(key, row):
            result.moving += 1
        else:
            result.compared += 1
            if wanted is None or key in seen or tuple(row) != tuple(wanted):
                differ(key, wanted, row)
        seen.add(key)
    for key in expected.keys() - seen:
        result.compared += 1
        differ(key, expected[key], None)
    return result


def _unequal(
    columns: Sequence[str], wanted: Row | None, row: Row | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Both rows by column, where both are there only the columns in which they differ."""
    left = dict(zip(columns, wanted, strict=True)) if wanted is not None else None
    right = dict(zip(columns, row, strict=True)) if row is not None else None
    if left is None or right is None:
        return left, right
    unlike = [column for column in columns if left[column] != right[column]]
    if not unlike:
        return left, right
    return {column: left[column] for column in unlike}, {column: right[column] for column in unlike}
