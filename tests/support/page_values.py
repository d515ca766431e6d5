"""What a reader sees on a page: tiles and tables, each number with its exact value."""

import csv
import io
from decimal import Decimal
from typing import Any

from playwright.sync_api import Page

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
