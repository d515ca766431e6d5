"""The verdict for people: the recount, the comparison, and each difference with its details."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from verify.verdict import Difference, TableResult, Verdict

LONGEST_VALUE = 160


def show(verdict: Verdict, console: Console) -> None:
    """Print the whole verdict. Values from the log are printed as plain text, whatever markup they contain."""
    console.print(_topics(verdict), _tables(verdict))
    for table in verdict.tables:
        for line in _differences(table):
            console.print(_printable(line), markup=False, soft_wrap=True)
    for line in (*(f"not compared: {each}" for each in verdict.unfinished), *verdict.notes):
        console.print(_printable(line), markup=False, soft_wrap=True)
    console.print(_conclusion(verdict), markup=False)


def _printable(text: str) -> str:
    """Escape control characters: an event's bytes must not control a person's terminal."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _topics(verdict: Verdict) -> Table:
    table = Table("topic", title="recounted from the log", title_justify="left")
    for column in ("records", "counted", "duplicates", "dead letters"):
        table.add_column(column, justify="right")
    for each in verdict.topics:
        table.add_row(
            each.name, *(f"{count:,}" for count in (each.records, each.counted, each.duplicates, each.letters))
        )
    return table


def _tables(verdict: Verdict) -> Table:
    table = Table("table or view", title="compared with ClickHouse", title_justify="left")
    for column in ("rows compared", "left out", "different"):
        table.add_column(column, justify="right")
    for each in verdict.tables:
        style = "bold red" if each.different else None
        table.add_row(each.name, *(f"{n:,}" for n in (each.compared, each.moving, each.different)), style=style)
    return table


def _differences(table: TableResult) -> Iterator[str]:
    for difference in table.differences:
        yield f"{table.name}: {_pairs(difference.key)}"
        yield f"    expected {_pairs(difference.expected)}{_offsets(difference)}"
        yield f"    found    {_pairs(difference.found)}"
    more = table.different - len(table.differences)
    if more:
        yield f"{table.name}: {more:,} more differences"


def _pairs(values: Mapping[str, Any] | None) -> str:
    if values is None:
        return "no such row"
    return ", ".join(f"{name} {value!s:.{LONGEST_VALUE}}" for name, value in values.items())


def _offsets(difference: Difference) -> str:
    if not difference.offsets:
        return ""
    more = difference.events - len(difference.offsets)
    text = f" (offsets {', '.join(map(str, difference.offsets))}" + (f" and {more:,} more)" if more > 0 else ")")
    if difference.explaining:
        text += f"; offset {' or '.join(map(str, difference.explaining))} alone would explain it"
    return text


def _conclusion(verdict: Verdict) -> str:
    records = sum(topic.records for topic in verdict.topics)
    if verdict.equal:
        recounted = f"{records:,} {'record' if records == 1 else 'records'} recounted"
        return f"Equal everywhere: {recounted} in {verdict.seconds:.1f} s."
    if verdict.different:
        return f"NOT equal: {verdict.different:,} {'row differs' if verdict.different == 1 else 'rows differ'}."
    return "Equal as far as it was compared, which is not all: see above."
