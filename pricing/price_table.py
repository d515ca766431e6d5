"""The lists of prices in ClickHouse. All are kept, so that every report can name the one it was made with; what was
loaded last is in force, whole and alone."""

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
    """One load of a list: its number, the hash of what is in it, the file or "shipped", who loaded it and when."""

    revision: int
    list: str
    source: str
    prices: int
    loaded_at: datetime
    loaded_by: str

    @property
    def is_shipped(self) -> bool:
        """Whether it came with Tally."""
        return self.source == SHIPPED_SOURCE

    def __str__(self) -> str:
        origin = "the shipped list" if self.is_shipped else self.source
        by = f" by {self.loaded_by}" if self.loaded_by else ""
        return f"list {self.revision}, {origin}, loaded {self.loaded_at:%Y-%m-%d %H:%M} UTC{by}"


@dataclass(frozen=True)
class LoadResult:
    """What a load did: the revision now in force, how many prices it has, and whether it was in force before."""

    revision: int
    prices: int
    changed: bool


def read_price_list(path: Path | None = None) -> PriceList:
    """The list in `path` (`-`: standard input), or the shipped one. Raises PriceListError that names file and line."""
    path = path or DEFAULT_PRICE_LIST
    try:
        with open_to_read(path) as file:
            text = file.read().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
        said = f"Cannot read the price list {path}: {why}"
        raise PriceListUnreadable(said, "Name a file of prices, or see the setting prices_file.") from error
    return parse_price_list(text, str(path))


def load_prices(client: Client, path: Path | None = None, by: str = "", revise: bool = False) -> LoadResult:
    """Put the list in `path` (or the shipped one) in force: it alone, and whole. Loading it again changes nothing.

    Raises PriceListError when the list is wrong, and IssuedReportsRest when issued reports have money by a price that
    the list changes or lacks, unless `revise` says that they are to get new revisions.
    """
    listed = read_price_list(path)
    content = _content(listed)
    name, held = _hash(content), list_in_force(client)
    if held and held.list == name:
        return LoadResult(prices_revision(client), len(listed.rows), changed=False)
    _keep(client, name, *content)
    if held and not revise:
        _refuse_if_reports_rest(client, name, str(path or "the shipped list"))
    loaded_at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    source = _source_of(path) if path else SHIPPED_SOURCE
    revision = prices_revision(client) + 1
    insert_rows(client, "price_lists", LIST_COLUMNS, [(revision, name, source, len(listed.rows), loaded_at, by)])
    return LoadResult(revision, len(listed.rows), changed=True)


def prices_revision(client: Client) -> int:
    """How often another list came into force, 0 before the first. It grows even when two are loaded at once."""
    return int(client.query("SELECT count() FROM price_lists").result_rows[0][0])


def list_in_force(client: Client) -> LoadedList | None:
    """The list that everything is priced by; None before the first."""
    rows = client.query(f"SELECT {', '.join(LIST_COLUMNS)} FROM price_list_in_force").result_rows  # noqa: S608 - constants
    return _loaded_list(rows[0]) if rows else None


def loaded_lists(client: Client) -> list[LoadedList]:
    """Every load, the first one first."""
    query = f"SELECT {', '.join(LIST_COLUMNS)} FROM price_lists ORDER BY revision, loaded_at"  # noqa: S608 - constants
    return [_loaded_list(row) for row in client.query(query).result_rows]


def is_in_force(client: Client, path: Path | None) -> bool:
    """Whether what is in force is exactly the list in `path`, or the shipped one."""
    held = list_in_force(client)
    return held is not None and held.list == _hash(_content(read_price_list(path)))


def reports_resting(client: Client, name: str) -> Mapping[str, Sequence[date]]:
    """The days of each organization whose issued report has money by a price that the list changes or lacks."""
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
        f"{file} changes prices that issued reports were made with: {named}, of the organization {whose}",
        "Leave these prices as they were, or issue new revisions of those reports: `tally prices load --revise`.",
    )


def _source_of(path: Path) -> str:
    return str(path.resolve()) if descriptor_of(path, INPUT) is None else "standard input"


def _keep(client: Client, name: str, prices: Sequence[Sequence[Any]], models: Sequence[Sequence[Any]]) -> None:
    """Keep what is in a list; doing it again, or after half of it, changes nothing. It is not in force by that."""
    insert_rows(client, "listed_models", MODEL_COLUMNS, [(name, *row) for row in models])
    insert_rows(client, "listed_prices", PRICE_COLUMNS, [(name, *row) for row in prices])


def _content(listed: PriceList) -> tuple[list[tuple[Any, ...]], list[tuple[str, ...]]]:
    """All that is kept of a list, in one order: its prices, and what it says of models."""
    models = [(model.model, model.family, model.display_name) for model in listed.models]
    return sorted(map(_cells, listed.rows), key=lambda cells: cells[: len(KEY_COLUMNS)]), sorted(models)


def _hash(content: tuple[list[tuple[Any, ...]], list[tuple[str, ...]]]) -> str:
    return sha256(orjson.dumps(content)).hexdigest()


def _cells(row: PriceRow) -> tuple[Any, ...]:
    key = row.key
    start = key.effective_from.strftime("%Y-%m-%d %H:%M:%S")
    named = (key.model, key.service_tier, key.context_window, key.inference_geo, key.speed, start)
    return (*named, *map(_plain, row.usd), row.origin)


def _plain(price: Decimal | None) -> str | None:
    return None if price is None else f"{price:f}"


def _loaded_list(row: Sequence[Any]) -> LoadedList:
    revision, name, source, prices, loaded_at, by = row
    return LoadedList(revision, name, source, prices, loaded_at.replace(tzinfo=UTC), by)
