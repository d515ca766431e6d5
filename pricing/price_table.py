"""The price lists in ClickHouse. Every list is kept, so that a report can name the list it was priced by; the list that
was loaded last is in force and replaces the one before as a whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from clickhouse_connect.driver.client import Client

from files.byte_streams import INPUT, descriptor_of, open_to_read
from pricing.price_list import PriceList, PriceRow, parse_price_list
from queries.errors import IssuedReportsRest, PriceListUnreadable
from queries.sql_files import SETTINGS, load_sql
from sinks.client import insert_rows
from sinks.datetimes import clickhouse_timestamp

DEFAULT_PRICE_LIST = Path(__file__).parent / "prices.csv"
SHIPPED_SOURCE = "shipped"
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
PRICE_COLUMNS = ("list", *KEY_COLUMNS, *USD_COLUMNS, "origin")
MODEL_COLUMNS = ("list", "model", "family", "display_name")
LIST_COLUMNS = ("revision", "list", "source", "prices", "loaded_at", "loaded_by")
CHANGES = Path(__file__).parent / "price_changes.sql"


@dataclass(frozen=True)
class LoadedList:
    """One load of a list: its revision, the hash of its content, its file or "shipped", and when and by whom."""

    revision: int
    list: str
    source: str
    prices: int
    loaded_at: datetime
    loaded_by: str

    @property
    def is_shipped(self) -> bool:
        """Return True if the list is the one that Tally ships."""
        return self.source == SHIPPED_SOURCE

    def __str__(self) -> str:
        origin = "the shipped list" if self.is_shipped else self.source
        by = f" by {self.loaded_by}" if self.loaded_by else ""
        return f"list {self.revision}, {origin}, loaded {self.loaded_at:%Y-%m-%d %H:%M} UTC{by}"


@dataclass(frozen=True)
class LoadResult:
    """The result of a load: the revision in force, its number of prices, and whether the load changed anything."""

    revision: int
    prices: int
    changed: bool


def read_price_list(path: Path | None = None) -> PriceList:
    """Read the list in `path` (`-`: standard input) or the shipped one. Raises PriceListError with file and line."""
    path = path or DEFAULT_PRICE_LIST
    try:
        with open_to_read(path) as file:
            text = file.read().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
        said = f"Cannot read the price list {path}: {why}"
        raise PriceListUnreadable(said, "Pass the path of a price list, or see the setting prices_file.") from error
    return parse_price_list(text, str(path))


def load_prices(client: Client, path: Path | None = None, by: str = "", revise: bool = False) -> LoadResult:
    """Replace the list in force with the one in `path` or the shipped one. Loading the same list changes nothing.

    Raises PriceListError if the list is invalid, and IssuedReportsRest if issued reports have amounts at a price that
    the list changes or lacks, unless `revise` allows new revisions of them.
    """
    listed = read_price_list(path)
    content = _content(listed)
    name, held = _hash(content), list_in_force(client)
    if held and held.list == name:
        return LoadResult(prices_revision(client), len(listed.rows), changed=False)
    _keep(client, name, *content)
    if held and not revise:
        _refuse_if_reports_rest(client, name, str(path or "the shipped list"))
    loaded_at = clickhouse_timestamp(datetime.now(UTC), "microseconds")
    source = _source_of(path) if path else SHIPPED_SOURCE
    revision = prices_revision(client) + 1
    insert_rows(client, "price_lists", LIST_COLUMNS, [(revision, name, source, len(listed.rows), loaded_at, by)])
    return LoadResult(revision, len(listed.rows), changed=True)


def prices_revision(client: Client) -> int:
    """Return the number of lists that came into force, 0 before the first. Two concurrent loads both count."""
    return int(client.query("SELECT count() FROM price_lists").result_rows[0][0])


def list_in_force(client: Client) -> LoadedList | None:
    """Return the list in force, by which everything is priced; None before the first."""
    rows = client.query(f"SELECT {', '.join(LIST_COLUMNS)} FROM price_list_in_force").result_rows  # noqa: S608 - constants
    return _loaded_list(rows[0]) if rows else None


def loaded_lists(client: Client) -> list[LoadedList]:
    """Return every load, oldest first."""
    query = f"SELECT {', '.join(LIST_COLUMNS)} FROM price_lists ORDER BY revision, loaded_at"  # noqa: S608 - constants
    return [_loaded_list(row) for row in client.query(query).result_rows]


def is_in_force(client: Client, path: Path | None) -> bool:
    """Return True if the list in force equals the one in `path` or the shipped one."""
    held = list_in_force(client)
    return held is not None and held.list == _hash(_content(read_price_list(path)))


def reports_resting(client: Client, name: str) -> Mapping[str, Sequence[date]]:
    """Return, by organization, the days whose issued report has amounts at a price that the list changes or lacks."""
    settings = {**SETTINGS, "max_execution_time": 0}
    return dict(client.query(load_sql(CHANGES), parameters={"list": name}, settings=settings).result_rows)


def _refuse_if_reports_rest(client: Client, name: str, file: str) -> None:
    resting = reports_resting(client, name)
    if not resting:
        return
    days = sorted({day for found in resting.values() for day in found})
    named = ", ".join(map(str, days[:10])) + (f" and {len(days) - 10} more days" if len(days) > 10 else "")
    whose = ", ".join(list(resting)[:3]) + (f" and {len(resting) - 3} more" if len(resting) > 3 else "")
    raise IssuedReportsRest(
        f"{file} changes prices that issued reports are based on: {named}, of the organization {whose}",
        "Keep these prices, or issue new revisions of those reports with `tally prices load --revise`.",
    )


def _source_of(path: Path) -> str:
    return str(path.resolve()) if descriptor_of(path, INPUT) is None else "standard input"


def _keep(client: Client, name: str, prices: Sequence[Sequence[Any]], models: Sequence[Sequence[Any]]) -> None:
    """Store a list without putting it in force. Idempotent, also after a partial insert."""
    insert_rows(client, "listed_models", MODEL_COLUMNS, [(name, *row) for row in models])
    insert_rows(client, "listed_prices", PRICE_COLUMNS, [(name, *row) for row in prices])


def _content(listed: PriceList) -> tuple[list[tuple[Any, ...]], list[tuple[str, ...]]]:
    """Return what is stored of a list, in a fixed order: the cells of its prices and of its models."""
    models = [(model.model, model.family, model.display_name) for model in listed.models]
    return sorted(map(_cells, listed.rows), key=lambda cells: cells[: len(KEY_COLUMNS)]), sorted(models)


def _hash(content: tuple[list[tuple[Any, ...]], list[tuple[str, ...]]]) -> str:
    return sha256(orjson.dumps(content)).hexdigest()


def _cells(row: PriceRow) -> tuple[Any, ...]:
    key = row.key
    start = clickhouse_timestamp(key.effective_from)
    named = (key.model, key.service_tier, key.context_window, key.inference_geo, key.speed, start)
    return (*named, *map(_plain, row.usd), row.origin)


def _plain(price: Decimal | None) -> str | None:
    return None if price is None else f"{price:f}"


def _loaded_list(row: Sequence[Any]) -> LoadedList:
    revision, name, source, prices, loaded_at, by = row
    return LoadedList(revision, name, source, prices, loaded_at.replace(tzinfo=UTC), by)
