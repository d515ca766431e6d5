"""What a reader sees on a page: tiles and tables, each number with its exact value."""

import csv
import io
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from playwright.sync_api import Page

from tests.reference.dashboard_figures import Rows

SPEND = ("spend", "usd", "$", "cost", "price", "discount", "extra usage", "gross")
"""Words of a page that shows spend, in lower case."""

_CELL = """cell => {
    const exact = cell.querySelector("data, time");
    if (exact) return exact.value ?? exact.dateTime;
    const names = [...cell.querySelectorAll("bdi")].map(each => each.textContent);
    if (names.length) return names.join("\\n");
    const shown = cell.textContent.trim().replace(/\\s+/g, " ");
    return shown.startsWith("–") ? "" : shown;
}"""


def tiles(page: Page) -> dict[str, str]:
    """The exact value of each tile, by its label."""
    script = f"""tiles => {{ const read = {_CELL};
        return Object.fromEntries(tiles.map(tile => [tile.querySelector("dt").textContent.trim(),
            read(tile.querySelector("dd.number"))])) }}"""
    found: dict[str, str] = page.locator(".tile").evaluate_all(script)
    return found


def table(page: Page, figure: str) -> list[list[str]]:
    """The rows of a figure's table."""
    script = f"rows => {{ const read = {_CELL}; return rows.map(row => [...row.cells].map(read)) }}"
    found: list[list[str]] = page.locator(f"#{figure} tbody tr").evaluate_all(script)
    return found


def csv_rows(page: Page, figure: str) -> list[list[str]]:
    """The rows of a figure's CSV, without the header."""
    address = page.locator(f"#{figure} a.csv").get_attribute("href") or ""
    response = page.request.get(page.url.partition("/organizations")[0] + address)
    assert response.status == 200, response.text()
    return list(csv.reader(io.StringIO(response.text(), newline="")))[1:]


def text(value: Any) -> str:
    """A recounted value as a page holds it."""
    if isinstance(value, Decimal):
        plain = f"{value:f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "" if value is None else str(value)


def texts(rows: Any) -> list[list[str]]:
    """Recounted rows as a table holds them."""
    return [[text(cell) for cell in row] for row in rows]


def differing(page: Page, rows: dict[str, Rows]) -> set[str]:
    """The figures whose table is not what is expected; the first row of each that differs is printed."""
    found = set()
    for figure, wanted in rows.items():
        pairs = list(zip_longest(table(page, figure), texts(wanted)))
        if wrong := [pair for pair in pairs if pair[0] != pair[1]]:
            print(figure, *wrong[0], sep="\n    ")
            found.add(figure)
    return found


def texts_of(values: dict[str, Any]) -> dict[str, str]:
    """Recounted tiles as a page holds them."""
    return {label: text(value) for label, value in values.items()}


def without(place: int, rows: list[list[str]]) -> list[list[str]]:
    """The rows without one column."""
    return [row[:place] + row[place + 1 :] for row in rows]
