"""The price list in ClickHouse: append-only, so that every report can name the prices it was made with."""

from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from reports.errors import PriceListError
from reports.price_list import PriceKey, PriceList, PriceRow, Prices, parse_price_list
from sinks.clickhouse import insert_rows

SHIPPED = Path(__file__).parent / "prices.csv"
KEY_COLUMNS = ("model", "service_tier", "context_window", "inference_geo", "speed", "effective_from")
USD_COLUMNS = (
    "uncached_input_token_usd",
    "cache_read_input_token_usd",
    "cache_creation_5m_input_token_usd",
    "cache_creation_1h_input_token_usd",
    "output_token_usd",
    "web_search_request_usd",
    "execution_millisecond_usd",
)


@dataclass(frozen=True)
class Loaded:
    """What a load did: the revision now in force, and how many rows it added."""

    revision: int
    added: int


def read_price_list(path: Path | None = None) -> PriceList:
    """The list in `path`, or the shipped one. Raises PriceListError that names file and line."""
    path = path or SHIPPED
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PriceListError(f"Cannot read the price list {path}: {error}", "See the setting prices_file.") from error
    return parse_price_list(text, str(path))


def load_prices(client: Client, path: Path | None = None) -> Loaded:
    """Add what the table lacks of the list in `path` (or the shipped one); loading it again changes nothing.

    Raises PriceListError when the list is wrong, or gives an effective date that is already in the table another
    price: reports were made with it.
    """
    listed = read_price_list(path)
    stored = stored_prices(client)
    fresh = [row for row in listed.rows if _is_fresh(row, stored, str(path or SHIPPED))]
    revision = prices_revision(client)
    names = set(client.query("SELECT model, family, display_name FROM models FINAL").result_rows)
    renamed = [model for model in listed.models if (model.model, model.family, model.display_name) not in names]
    if not fresh and not renamed:
        return Loaded(revision, 0)
    revision += 1
    # Names first: a load cut short between the two is found unfinished by the prices that are still missing.
    insert_rows(
        client,
        "models",
        ("model", "family", "display_name", "revision"),
        [(model.model, model.family, model.display_name, revision) for model in renamed],
    )
    insert_rows(
        client, "prices", (*KEY_COLUMNS, *USD_COLUMNS, "revision", "origin"), [_cells(row, revision) for row in fresh]
    )
    return Loaded(revision, len(fresh))


def prices_revision(client: Client) -> int:
    """The number of the last load that changed anything, 0 before the first."""
    query = "SELECT greatest((SELECT max(revision) FROM prices), (SELECT max(revision) FROM models))"
    return int(client.query(query).result_rows[0][0])


def stored_prices(client: Client) -> dict[PriceKey, Prices]:
    """Every price row in the table, by its key."""
    query = f"SELECT {', '.join((*KEY_COLUMNS, *USD_COLUMNS))} FROM prices FINAL"  # noqa: S608 - constants
    rows = client.query(query).result_rows
    return {
        PriceKey(model, tier, window, geo, speed, start.replace(tzinfo=UTC)): tuple(usd)
        for model, tier, window, geo, speed, start, *usd in rows
    }


def _is_fresh(row: PriceRow, stored: dict[PriceKey, Prices], name: str) -> bool:
    if row.key not in stored:
        return True
    if stored[row.key] != row.usd:
        start = row.key.effective_from.isoformat(timespec="minutes")
        raise PriceListError(
            f"{name}:{row.line}: {row.key.model or 'tools'} has another price from {start} on in the table, and "
            "reports may have been made with it",
            "Leave that line as it was and add one with a later effective_from.",
        )
    return False


def _cells(row: PriceRow, revision: int) -> tuple[Any, ...]:
    key = row.key
    start = key.effective_from.strftime("%Y-%m-%d %H:%M:%S")
    named = (key.model, key.service_tier, key.context_window, key.inference_geo, key.speed, start)
    return (*named, *map(_plain, row.usd), revision, row.origin)


def _plain(price: Decimal | None) -> str | None:
    return None if price is None else f"{price:f}"
