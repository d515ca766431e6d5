"""The price list: what the shipped one says, and every way in which one can be wrong, with file and line."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pricing.price_list import COLUMNS, PriceKey, parse_price_list, undated_model
from pricing.price_table import read_price_list
from queries.errors import PriceListError

HEADER = ",".join(COLUMNS)
TOOLS = "2025-01-01" + "," * 18 + "0.01,0.000000013888888889,page,2026-01-01"


def line(**cells: str) -> str:
    usual = {
        **{"effective_from": "2026-01-01", "model": "claude-x", "family": "X", "display_name": "Claude X"},
        **{"input": "5", "output": "25", "cache_read": "0.1", "cache_write_5m": "1.25", "cache_write_1h": "2"},
        **{"batch": "0.5", "priority": "1", "long_input": "2", "long_output": "1.5", "us": "1.1", "fast": "6"},
        **{"source": "page", "read_on": "2026-01-01"},
    }
    return ",".join({**dict.fromkeys(COLUMNS, ""), **usual, **cells}[column] for column in COLUMNS)


def usd(text: str, tier: str, window: str, geo: str, speed: str) -> list[str]:
    rows = {row.key: row for row in parse_price_list(text, "list.csv").rows}
    found = rows[PriceKey("claude-x", tier, window, geo, speed, datetime(2026, 1, 1, tzinfo=UTC))]
    return [f"{price * 1_000_000:f}".rstrip("0").rstrip(".") for price in found.usd[:5] if price is not None]


LIST = f"# a list\n{HEADER}\n\n{line()}\n{TOOLS}\n"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (("standard", "0-200k", "global", "standard"), ["5", "0.5", "6.25", "10", "25"]),
        (("batch", "0-200k", "global", "standard"), ["2.5", "0.25", "3.125", "5", "12.5"]),
        (("standard", "200k-1M", "global", "standard"), ["10", "1", "12.5", "20", "37.5"]),
        (("standard", "0-200k", "us", "standard"), ["5.5", "0.55", "6.875", "11", "27.5"]),
        (("standard", "0-200k", "global", "fast"), ["30", "3", "37.5", "60", "150"]),
        (("standard", "200k-1M", "global", "fast"), ["30", "3", "37.5", "60", "150"]),
        (("priority_on_demand", "200k-1M", "us", "standard"), ["11", "1.1", "13.75", "22", "41.25"]),
    ],
)
def test_a_line_becomes_a_price_for_every_way_to_use_the_model(key: tuple[str, ...], expected: list[str]) -> None:
    assert usd(LIST, *key) == expected


def test_what_is_not_offered_has_no_price() -> None:
    text = f"{HEADER}\n{line(batch='', long_input='', long_output='', us='1', fast='')}\n"
    keys = {row.key for row in parse_price_list(text, "list.csv").rows}
    assert {key.service_tier for key in keys} == {"standard", "priority", "priority_on_demand"}
    assert {(key.context_window, key.speed) for key in keys} == {("0-200k", "standard")}
    assert {key.inference_geo for key in keys} == {"global", "us"}


def test_dates_and_aliases() -> None:
    assert undated_model("claude-opus-4-5-20251101") == undated_model("claude-opus-4-5-latest") == "claude-opus-4-5"
    assert undated_model("claude-opus-4-5-2025110") == "claude-opus-4-5-2025110"
    listed = parse_price_list(f"{HEADER}\n{line(aliases='claude-y claude-z')}\n", "list.csv")
    assert {model.model for model in listed.models} == {"claude-x", "claude-y", "claude-z"}


@pytest.mark.parametrize("moment", ["2026-01-01T05:00Z", "2026-01-01T05:00:00+00:00", "2026-01-01T10:30+05:30"])
def test_a_price_begins_at_a_whole_utc_hour(moment: str) -> None:
    row = parse_price_list(f"{HEADER}\n{line(effective_from=moment)}\n", "list.csv").rows[0]
    assert row.key.effective_from == datetime(2026, 1, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ({"effective_from": "2026-01-01T05:30Z"}, "whole UTC hour"),
        ({"effective_from": "2026-01-01T05:00"}, "needs a zone"),
        ({"effective_from": "soon"}, "effective_from is 'soon'"),
        ({"effective_from": "0001-01-01"}, "from 1970"),
        ({"input": "cheap"}, "input is 'cheap'"),
        ({"input": "-5"}, "from 0 to"),
        ({"output": "NaN"}, "from 0 to"),
        ({"output": ""}, "output is ''"),
        ({"cache_read": "1e-12"}, "more than 12 decimals"),
        ({"model": "claude-x-20260101"}, "has a date"),
        ({"aliases": "claude-x"}, "listed twice"),
        ({"family": ""}, "family is empty"),
        ({"source": ""}, "source is empty"),
        ({"web_search": "0.01"}, "without a model"),
        ({"model": ""}, "needs a model"),
    ],
)
def test_a_wrong_line_is_named(cells: dict[str, str], says: str) -> None:
    with pytest.raises(PriceListError, match=says) as told:
        parse_price_list(f"# comment\n{HEADER}\n{TOOLS}\n{line(**cells)}\n", "list.csv")
    assert str(told.value).startswith("list.csv:4: ")
    assert told.value.hint


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "list.csv:1: the header"),
        ("model,price\n", "list.csv:1: the header"),
        (f"{HEADER}\n", "list.csv:1: the price list is empty"),
        (f"{HEADER}\n1,2,3\n", "list.csv:2: 3 cells"),
        (f"{HEADER}\n{line()}\n{line()}\n", "list.csv:3: claude-x already has a price from that hour on in line 2"),
        (f"{HEADER}\n{TOOLS}\n{TOOLS}\n", "list.csv:3: tools already has a price"),
    ],
)
def test_a_wrong_file_is_named(text: str, says: str) -> None:
    with pytest.raises(PriceListError, match=says):
        parse_price_list(text, "list.csv")


def test_the_shipped_list_prices_every_public_model_exactly() -> None:
    listed = read_price_list()
    prices = {row.key: row.usd for row in listed.rows}
    assert {model.family for model in listed.models} == {"Opus", "Sonnet", "Haiku", "Fable"}
    at = datetime(2026, 9, 22, tzinfo=UTC)
    opus = prices[PriceKey("claude-opus-5-5", "batch", "0-200k", "us", "standard", at)]
    assert [usd and usd * 10**6 for usd in opus[:5]] == [Decimal(text) for text in ("2.2", "0.11", "2.75", "4.4", "11")]
    tools = prices[PriceKey("", "", "", "", "", datetime(2025, 1, 1, tzinfo=UTC))]
    assert (tools[5], tools[6]) == (Decimal("0.01"), Decimal("0.000000013888888889"))
    for model in {key.model for key in prices} - {""}:
        starts = sorted(key.effective_from for key in prices if key.model == model)
        assert (model, "standard", "0-200k", "global", "standard", starts[0]) in {
            (key.model, key.service_tier, key.context_window, key.inference_geo, key.speed, key.effective_from)
            for key in prices
        }
