"""The cost of usage in integers, recounted from cells, the price list and the directory's history.

A unit price has at most 18 decimals and a discount 6, so list spend is a whole number of 10^-18 dollars and net
spend of 10^-24.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import Any

from verify.compare import Key, Row
from verify.order import history
from verify.tables import CELL_TABLES
from verify.timestamps import SECOND, microsecond_text

LIST_DIGITS, NET_DIGITS = 18, 24
COLUMNS = ("unpriced_cells", "list_usd", "net_usd", "reported_list_usd", "reported_net_usd")
QUERY = """
SELECT toString(organization_id), toString(day), countIf(isNull(list_usd)),
    toString(sum(list_usd)), toString(sum(net_usd)),
    toString(sumIf(list_usd, reported)), toString(sumIf(net_usd, reported))
FROM spend GROUP BY organization_id, day
"""
PRICES_QUERY = """
SELECT model, service_tier, context_window, inference_geo, speed, toUnixTimestamp(effective_from),
    toString(uncached_input_token_usd), toString(cache_read_input_token_usd),
    toString(cache_creation_5m_input_token_usd), toString(cache_creation_1h_input_token_usd),
    toString(output_token_usd), toString(web_search_request_usd), toString(execution_millisecond_usd)
FROM prices
"""

_EXACT = Context(prec=100)
_DATED = re.compile(r"-(20[0-9]{6}|latest)\Z")
_SPEND = CELL_TABLES["spend_cells"].counters
_TOKENS = slice(_SPEND.index("uncached_input_tokens"), _SPEND.index("output_tokens") + 1)

UnitPrices = tuple[int | None, ...]


@dataclass
class History:
    """The values in force over time, by the hour from which each applies."""

    changes: dict[str, Any] = field(default_factory=dict)

    def at(self, hour: str) -> Any:
        """Return the value in force in that hour, or None before the first."""
        starts = self._starts()
        place = bisect_right(starts, hour)
        return self.changes[starts[place - 1]] if place else None

    def _starts(self) -> list[str]:
        return sorted(self.changes)


class PriceList:
    """Unit prices in 10^-18 dollars, from the rows of PRICES_QUERY."""

    def __init__(self, rows: Iterable[list[Any]]) -> None:
        self._histories: dict[tuple[str, ...], History] = {}
        for row in rows:
            key, effective_from, prices = tuple(row[:5]), row[5], row[6:]
            start = microsecond_text(effective_from * SECOND)[:19]
            history = self._histories.setdefault(key, History())
            history.changes[start] = tuple(None if price is None else _scaled(price) for price in prices)

    def tokens(self, cell: Mapping[str, str], hour: str) -> UnitPrices:
        """Return the prices of the five token classes for a cell with a model."""
        key = (
            _DATED.sub("", cell["model"]),
            cell["service_tier"],
            cell["context_window"] or "0-200k",
            cell["inference_geo"] or "global",
            cell["speed"] or "standard",
        )
        return self._at(key, hour)[:5]

    def tools(self, hour: str) -> UnitPrices:
        """Return the prices of a web search and of a millisecond of code execution."""
        return self._at(("", "", "", "", ""), hour)[5:]

    def _at(self, key: tuple[str, ...], hour: str) -> UnitPrices:
        history = self._histories.get(key)
        return (history.at(hour) if history else None) or (None,) * 7


@dataclass
class Spend:
    """The cost of an organization's usage on one day; the sums exclude usage without a price."""

    unpriced: int = 0
    gross: int = 0
    net: int = 0
    reported_gross: int = 0
    reported_net: int = 0

    def row(self) -> tuple[Any, ...]:
        """Return the amounts in the order of COLUMNS, as exact decimals."""
        gross, reported_gross = (_decimal(amount, LIST_DIGITS) for amount in (self.gross, self.reported_gross))
        net, reported_net = (_decimal(amount, NET_DIGITS) for amount in (self.net, self.reported_net))
        return (self.unpriced, gross, net, reported_gross, reported_net)


def expected_spend(
    cells: Iterable[tuple[Key, Row]], directory: Iterable[tuple[Key, Row]], prices: PriceList
) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Return, by (organization, day), the spend of all cells of usage, in the order of COLUMNS."""
    terms = in_force(directory)
    key_columns = CELL_TABLES["spend_cells"].key_columns
    totals: dict[tuple[str, str], Spend] = {}
    for key, (_, *counters) in cells:
        cell = dict(zip(key_columns, key, strict=True))
        spend = totals.setdefault((cell["organization_id"], cell["hour"][:10]), Spend())
        _add(spend, cell, counters, prices, terms)
    return {key: spend.row() for key, spend in totals.items()}


def found_spend(rows: Iterable[list[Any]]) -> Iterable[tuple[tuple[str, str], tuple[Any, ...]]]:
    """Yield the rows of QUERY in the form of `expected_spend`."""
    for organization, day, unpriced, *money in rows:
        yield (organization, day), (unpriced, *(Decimal(amount or 0) for amount in money))


def _add(
    spend: Spend, cell: Mapping[str, str], counters: list[int], prices: PriceList, terms: dict[tuple[str, str], History]
) -> None:
    hour, organization = cell["hour"], cell["organization_id"]
    gross = _cost(cell, dict(zip(_SPEND, counters, strict=True)), counters[_TOKENS], prices)
    if gross is None:
        spend.unpriced += 1
        return
    term = {kind: terms[organization, kind].at(hour) for kind in _TERMS if (organization, kind) in terms}
    discount = term.get("discount.changed") or 0
    net = gross * (10**6 - discount)
    spend.gross += gross
    spend.net += net
    is_extra = cell["funding"] == "extra_usage" and bool(term.get("extra_usage.changed"))
    if term.get("plan.changed") not in ("team", "enterprise_seat_based") or is_extra:
        spend.reported_gross += gross
        spend.reported_net += net


def _cost(cell: Mapping[str, str], counts: dict[str, int], tokens: list[int], prices: PriceList) -> int | None:
    """Return the list price of a cell; None if one of its prices is unknown."""
    search, millisecond = prices.tools(cell["hour"])
    costs = [
        *(
            _times(count, price)
            for count, price in zip(tokens, prices.tokens(cell, cell["hour"]), strict=True)
            if cell["model"]
        ),
        _times(counts["web_search_requests"], search) if counts["web_search_requests"] else 0,
        _times(counts["execution_milliseconds"], millisecond) if counts["execution_milliseconds"] else 0,
    ]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


def _times(count: int, price: int | None) -> int | None:
    return None if price is None else count * price


_TERMS = {"plan.changed": "plan", "discount.changed": "discount", "extra_usage.changed": "enabled"}


def in_force(directory: Iterable[tuple[Key, Row]]) -> dict[tuple[str, str], History]:
    """Return, by (organization, event type), the values in force over time; of one hour's changes the last applies."""
    histories: dict[tuple[str, str], History] = {}
    for change in history(directory, _TERMS):
        value = change.event[_TERMS[change.type]]
        of_kind = histories.setdefault((change.organization_id, change.type), History())
        of_kind.changes[change.place[0][:19]] = (
            int(_EXACT.scaleb(Decimal(value), 6)) if change.type == "discount.changed" else value
        )
    return histories


def _scaled(price: str) -> int:
    return int(_EXACT.scaleb(Decimal(price), LIST_DIGITS))


def _decimal(amount: int, digits: int) -> Decimal:
    return _EXACT.scaleb(Decimal(amount), -digits)
