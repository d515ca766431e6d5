"""A price list for the simulated world: a model has no price, another and web searches cost more from an hour on."""

import csv
from pathlib import Path

from pricing.price_table import DEFAULT_PRICE_LIST

UNPRICED = "claude-opus-4-6"
DEARER = "claude-sonnet-5"
DEARER_FROM = "2026-11-10T07:00Z"
SEARCHES_DEARER_FROM = "2026-11-09T11:00Z"


def write_prices(folder: Path, unpriced: str | None = UNPRICED) -> Path:
    """The shipped list, changed, and without the model `unpriced`."""
    with DEFAULT_PRICE_LIST.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(line for line in file if not line.startswith("#")))
    kept = [line for line in lines if line["model"] != unpriced]
    dearer = next(line for line in reversed(lines) if line["model"] == DEARER)
    tools = next(line for line in reversed(lines) if not line["model"])
    kept.append(dearer | {"effective_from": DEARER_FROM, "input": "3.04", "output": "15.2"})
    kept.append(tools | {"effective_from": SEARCHES_DEARER_FROM, "web_search": "0.011"})
    path = folder / "prices.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(kept)
    return path
