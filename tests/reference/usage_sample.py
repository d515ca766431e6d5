"""The sample of examples/bulk_import, and what it costs: each row times the price list, which is written down again."""

import csv
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

SAMPLE = Path(__file__).parents[2] / "examples/bulk_import/usage.csv"
PRICES = {  # USD per million tokens: input, read from a cache, output (pricing/prices.csv)
    "claude-opus-5-5": (Decimal(4), Decimal("0.2"), Decimal(20)),
    "claude-sonnet-5-5": (Decimal(2), Decimal("0.1"), Decimal(10)),
    "claude-haiku-5-5": (Decimal("0.1"), Decimal("0.01"), Decimal("0.5")),
}
WEB_SEARCH = Decimal("0.01")


def rows_of_the_sample() -> list[dict[str, str]]:
    """The rows of the sample, by column."""
    with SAMPLE.open() as file:
        return list(csv.DictReader(file))


def cost(row: dict[str, str]) -> Decimal:
    """What a row of the sample costs, in USD."""
    prompt, cached, output = (int(row[name]) for name in ("prompt_tokens", "cached_tokens", "completion_tokens"))
    into, read, out = PRICES[row["model"]]
    tokens = (prompt - cached) * into + cached * read + output * out
    return tokens / 1_000_000 + int(row["web_searches"]) * WEB_SEARCH


def costs_by(column: str) -> list[tuple[str, Decimal]]:
    """The sample's cost by the values of a column, highest first."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows_of_the_sample():
        sums[row[column]] += cost(row)
    return sorted(sums.items(), key=lambda each: -each[1])
