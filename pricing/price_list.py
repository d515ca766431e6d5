"""The price list as operators edit it: a CSV file, one line per model, checked and expanded to one row per price key.

Pure: text in, rows out. `pricing/prices.csv` documents the columns; `pricing/price_table.py` stores the rows.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from itertools import product

from queries.errors import PriceListError

COLUMNS = (
    *("effective_from", "model", "aliases", "family", "display_name", "input", "output"),
    *("cache_read", "cache_write_5m", "cache_write_1h", "batch", "priority", "flex", "flex_discount"),
    *("long_input", "long_output", "us", "fast", "web_search", "execution_ms", "source", "read_on"),
)
TIER_COLUMNS = {
    "standard": None,
    "batch": "batch",
    "priority": "priority",
    "priority_on_demand": "priority",
    "flex": "flex",
    "flex_discount": "flex_discount",
}
TOKEN_SCALE = Decimal("1e-12")
EXECUTION_SCALE = Decimal("1e-18")
LARGEST = Decimal(999_999)
MILLION = Decimal(1_000_000)
DATED = re.compile(r"-(20[0-9]{6}|latest)\Z")

Prices = tuple[Decimal | None, ...]


@dataclass(frozen=True, order=True)
class PriceKey:
    """The dimensions of a price, and the whole UTC hour from which it is in force. Prices of tools have model ''."""

    model: str
    service_tier: str
    context_window: str
    inference_geo: str
    speed: str
    effective_from: datetime


@dataclass(frozen=True)
class PriceRow:
    """One row of the table `prices`: USD per uncached input, cache read, 5m write, 1h write and output token, per web
    search, and per millisecond of code execution. None means "not priced by this row"."""

    key: PriceKey
    usd: Prices
    origin: str
    line: int


@dataclass(frozen=True)
class Model:
    """The names of a model."""

    model: str
    family: str
    display_name: str


@dataclass(frozen=True)
class PriceList:
    """A complete, expanded price list."""

    rows: tuple[PriceRow, ...]
    models: tuple[Model, ...]


def undated_model(model: str) -> str:
    """Return the model's id without its date, as in the price list. The views in sinks/schema apply the same rule."""
    return DATED.sub("", model)


def parse_price_list(text: str, name: str) -> PriceList:
    """Return the expanded list in `text`. Raises PriceListError, whose message begins with `name:line`."""
    rows: dict[PriceKey, PriceRow] = {}
    models: dict[str, Model] = {}
    for line, cells in _lines(text, name):
        try:
            for row in _expand(cells, line):
                if row.key in rows:
                    raise ValueError(
                        f"{row.key.model or 'tools'} already has a price from that hour on in line {rows[row.key].line}"
                    )
                rows[row.key] = row
            models.update({model: Model(model, cells["family"], cells["display_name"]) for model in _models(cells)})
        except ValueError as error:
            raise PriceListError(
                f"{name}:{line}: {error}", "Correct the line; the shipped prices.csv explains the columns."
            ) from None
    if not rows:
        raise PriceListError(f"{name}:1: the price list is empty", "Add the header and at least one line.")
    return PriceList(tuple(rows.values()), tuple(models.values()))


def _lines(text: str, name: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield (line number, cells) of each line with prices. A comment begins with #, so no cell can span lines."""
    numbered = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("#")]
    header = next(csv.reader([numbered[0][1]])) if numbered else []
    if tuple(header) != COLUMNS:
        where = numbered[0][0] if numbered else 1
        raise PriceListError(
            f"{name}:{where}: the header must be {','.join(COLUMNS)}", "Begin the file with that line."
        )
    for number, line in numbered[1:]:
        cells = next(csv.reader([line]))
        if len(cells) != len(COLUMNS):
            raise PriceListError(f"{name}:{number}: {len(cells)} cells, not {len(COLUMNS)}", "Count the commas.")
        yield number, dict(zip(COLUMNS, (cell.strip() for cell in cells), strict=True))


def _expand(cells: Mapping[str, str], line: int) -> Iterable[PriceRow]:
    effective_from = _moment(cells["effective_from"])
    origin = f"{_text(cells, 'source')} ({_text(cells, 'read_on')})"
    if not cells["model"]:
        yield PriceRow(PriceKey("", "", "", "", "", effective_from), _tool_prices(cells), origin, line)
        return
    _text(cells, "family")
    _text(cells, "display_name")
    for column in ("web_search", "execution_ms"):
        if cells[column]:
            raise ValueError(f"{column} is set on a line without a model")
    for model, dimensions in product(_models(cells), _dimensions(cells)):
        tier, window, geo, speed, input_factor, output_factor = dimensions
        key = PriceKey(model, tier, window, geo, speed, effective_from)
        yield PriceRow(key, _token_prices(cells, input_factor, output_factor), origin, line)


def _dimensions(cells: Mapping[str, str]) -> Iterable[tuple[str, str, str, str, Decimal, Decimal]]:
    """Yield every combination in which the line's model is offered, with the factors of its input and output price."""
    tiers = {name: _factor(cells, column) if column else Decimal(1) for name, column in TIER_COLUMNS.items()}
    geos = {"global": Decimal(1), "us": _factor(cells, "us")}
    speeds = {"standard": Decimal(1), "fast": _factor(cells, "fast")}
    windows = {
        "0-200k": (Decimal(1), Decimal(1)),
        "200k-1M": (_factor(cells, "long_input"), _factor(cells, "long_output")),
    }
    for (tier, by_tier), (window, by_window), (geo, by_geo), (speed, by_speed) in product(
        tiers.items(), windows.items(), geos.items(), speeds.items()
    ):
        if by_tier is None or by_geo is None or by_speed is None or None in by_window:
            continue
        by_window_input, by_window_output = (Decimal(1), Decimal(1)) if speed == "fast" else by_window
        factor = by_tier * by_geo * by_speed
        yield tier, window, geo, speed, factor * (by_window_input or 1), factor * (by_window_output or 1)


def _token_prices(cells: Mapping[str, str], input_factor: Decimal, output_factor: Decimal) -> Prices:
    of_input = _price(cells, "input") * input_factor / MILLION
    reads, writes_5m, writes_1h = (_price(cells, name) for name in ("cache_read", "cache_write_5m", "cache_write_1h"))
    of_output = _price(cells, "output") * output_factor / MILLION
    usd = (of_input, of_input * reads, of_input * writes_5m, of_input * writes_1h, of_output)
    return (*(_exact(price, TOKEN_SCALE) for price in usd), None, None)


def _tool_prices(cells: Mapping[str, str]) -> Prices:
    for column in COLUMNS[2:18]:
        if cells[column]:
            raise ValueError(f"{column} needs a model")
    search = _exact(_price(cells, "web_search"), TOKEN_SCALE)
    return (None, None, None, None, None, search, _exact(_price(cells, "execution_ms"), EXECUTION_SCALE))


def _models(cells: Mapping[str, str]) -> tuple[str, ...]:
    names = tuple(name for name in (cells["model"], *cells["aliases"].split()) if name)
    for name in names:
        if undated_model(name) != name:
            raise ValueError(f"{name} has a date: write {undated_model(name)}, which also prices dated ids")
    if len(set(names)) != len(names):
        raise ValueError(f"{cells['model']} is listed twice")
    return names


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"effective_from is {text!r}: write 2026-01-31 or 2026-01-31T13:00Z") from None
    if len(text) > 10 and moment.tzinfo is None:
        raise ValueError(f"effective_from is {text!r}: a time needs a zone, as in 2026-01-31T13:00Z")
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment != moment.replace(minute=0, second=0, microsecond=0):
        raise ValueError(f"effective_from is {text!r}: spend is stored by the hour, so it must be a whole UTC hour")
    if not 1970 <= moment.year <= 2105:
        raise ValueError(f"effective_from is {text!r}: the year must be from 1970 to 2105")
    return moment


def _factor(cells: Mapping[str, str], column: str) -> Decimal | None:
    return _price(cells, column) if cells[column] else None


def _price(cells: Mapping[str, str], column: str) -> Decimal:
    try:
        value = Decimal(cells[column])
    except InvalidOperation:
        raise ValueError(f"{column} is {cells[column]!r}: write a plain decimal") from None
    if not value.is_finite() or not 0 <= value <= LARGEST:
        raise ValueError(f"{column} is {cells[column]!r}: write a decimal from 0 to {LARGEST}")
    return value


def _exact(price: Decimal, scale: Decimal) -> Decimal:
    """Return the price at its column's scale. Raises ValueError if it has more digits: money is never rounded."""
    rounded = price.quantize(scale)
    if rounded != price:
        raise ValueError(f"a unit price of {price.normalize()} USD needs more than {-int(scale.adjusted())} decimals")
    return rounded


def _text(cells: Mapping[str, str], column: str) -> str:
    if not cells[column]:
        raise ValueError(f"{column} is empty")
    return cells[column]
