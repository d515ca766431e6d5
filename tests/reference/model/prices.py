"""Prices in force, from the price list's lines. The rules are the list's own comments (pricing/prices.csv) and
docs/metrics.md, "Spend"."""

import csv
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from math import prod
from pathlib import Path

from tests.reference.model.events import parse_moment
from tests.reference.model.money import units
from tests.reference.model.usage import TOKENS, Usage

SHIPPED = Path(__file__).parents[3] / "pricing/prices.csv"


@dataclass(frozen=True, eq=False)
class Line:
    """A line of the list: from when on it holds, and its cells by column."""

    effective_from: datetime
    cells: Mapping[str, str]

    def number(self, column: str) -> Fraction:
        """Return the number in a column."""
        return Fraction(self.cells[column])


class Prices:
    """A price list: what its lines make of usage, in units of money."""

    def __init__(self, path: Path = SHIPPED) -> None:
        self._lines: dict[str, list[Line]] = defaultdict(list)
        for cells in read_cells(path):
            line = Line(parse_moment(cells["effective_from"]), cells)
            for model in (cells["model"], *cells["aliases"].split()):
                self._lines[model].append(line)

    def parts(self, used: Usage) -> tuple[int, ...] | None:
        """Return what each of the counts costs at list price. None if anything that was used has no known price."""
        tokens: tuple[int, ...] | None = (0,) * len(TOKENS)
        if used.model:
            line = self._line(used.model, used.hour)
            tokens = token_prices(line, *used.priced_by) if line else None
        tools = self._line("", used.hour)
        if tokens is None or (tools is None and any(used.counts[len(TOKENS) :])):
            return None
        prices = (*tokens, *(tool_prices(tools) if tools else (0, 0)))
        return tuple(count * price for count, price in zip(used.counts, prices, strict=True))

    def cost(self, used: Usage) -> int | None:
        """Return the list price of usage, None if it is not known."""
        parts = self.parts(used)
        return None if parts is None else sum(parts)

    def family(self, model: str) -> str:
        """Return the family of a model, "" for one that the list does not have."""
        line = self._line(model, datetime.max.replace(tzinfo=UTC)) if model else None
        return line.cells["family"] if line else ""

    def _line(self, model: str, hour: datetime) -> Line | None:
        """The newest line that has begun."""
        begun = [line for line in self._lines[undated(model)] if line.effective_from <= hour]
        return max(begun, key=lambda line: line.effective_from, default=None)


def read_cells(path: Path) -> list[dict[str, str]]:
    """Return the cells of each line, by column; comments are none."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def undated(model: str) -> str:
    """Return the id without its date: it prices the ids with one, too."""
    return re.sub(r"-(20\d{6}|latest)\Z", "", model)


@cache
def token_prices(line: Line, tier: str, window: str, geography: str, speed: str) -> tuple[int, ...] | None:
    """Return the price of a token of each class. None if the line states none for such a request: a tier, speed or
    window whose column is empty."""
    tier_column = "priority" if tier == "priority_on_demand" else tier
    times = {tier_column: tier != "standard", "us": geography == "us", "fast": speed == "fast"}
    columns = [column for column, applies in times.items() if applies]
    is_long = window == "200k-1M"
    if not all(line.cells[column] for column in [*columns, *(["long_input"] if is_long else [])]):
        return None
    factor = prod(map(line.number, columns), start=Fraction(1, 1_000_000))
    is_dearer = is_long and speed != "fast"  # fast has one price in both windows
    given = factor * line.number("input") * (line.number("long_input") if is_dearer else 1)
    written = factor * line.number("output") * (line.number("long_output") if is_dearer else 1)
    cached = [given * line.number(column) for column in ("cache_read", "cache_write_5m", "cache_write_1h")]
    return tuple(map(units, (given, *cached, written)))


@cache
def tool_prices(line: Line) -> tuple[int, int]:
    """Return the price of a web search and of a millisecond of code execution."""
    return units(line.number("web_search")), units(line.number("execution_ms"))
