"""Every export, and the API's reports, as rows in the recount's terms."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from typing import Any

import pyarrow.parquet as pq

from reports.exports.formats import ExportFormat, focus_form, spend_format
from reports.exports.spend_columns import CLAUDE_2026_10
from reports.periods import Period
from reports.tagged_ids import USER, untagged
from tests.reference.event_usage import Row
from tests.reference.model.money import units
from tests.reference.model.usage import TOKENS
from tests.support.api_server import PREFIX, Served
from tests.support.simulated_world import World

PERIOD = Period("custom", date(2026, 11, 1), date(2026, 11, 19))
MONEY = {"total_net_spend_usd": "net_usd", "total_gross_spend_usd": "list_usd"}
COUNTS = {
    "total_requests": "requests",
    "total_prompt_tokens": "prompt_tokens",
    "total_completion_tokens": "output_tokens",
}
CLASSES = {
    "total_uncached_input_tokens": "uncached_input_tokens",
    "total_cache_read_tokens": "cache_read_input_tokens",
    "total_cache_write_5m_tokens": "cache_creation_5m_input_tokens",
    "total_cache_write_1h_tokens": "cache_creation_1h_input_tokens",
    "total_web_search_count": "web_search_requests",
}
METERS = {
    "Uncached Input Tokens": "uncached_input_tokens",
    "Cache Read Input Tokens": "cache_read_input_tokens",
    "Cache Write 5m Input Tokens": "cache_creation_5m_input_tokens",
    "Cache Write 1h Input Tokens": "cache_creation_1h_input_tokens",
    "Output Tokens": "output_tokens",
    "Web Searches": "web_search_requests",
    "Code Execution": "milliseconds",
}
UNITS = {"1000000 Tokens": 1_000_000, "Requests": 1, "Seconds": 1000}
API_NAMES = {"person": "actor", "channel": "slack_channel_id"}
Cells = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """Where numbers come from: what rows may be grouped by, what they count, and the rows.

    What `asks` has to be asked for each grouping; a file is written once.
    """

    dimensions: tuple[str, ...]
    amounts: tuple[str, ...]
    read: Callable[[World, Served, str, Sequence[str]], Iterable[Row]]
    asks: bool = False

    def groupings(self, largest: int = 2) -> list[tuple[str, ...]]:
        """None, each dimension, and each pair."""
        return [by for size in range(largest + 1) for by in combinations(self.dimensions, size)]


def file_of(world: World, form: ExportFormat, organization: str) -> bytes:
    client, sink = world.client(), io.BytesIO()
    form.write(client, organization, PERIOD, sink, None)
    client.close()
    return sink.getvalue()


def csv_lines(data: bytes) -> list[Cells]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def unescaped(text: str) -> str:
    """A text without the apostrophe that keeps a spreadsheet from running it."""
    return text[1:] if text[:2] in ("'=", "'+", "'-", "'@") else text


def spend_rows(form: ExportFormat) -> Callable[[World, Served, str, Sequence[str]], Iterator[Row]]:
    def read(world: World, _: Served, organization: str, __: Sequence[str]) -> Iterator[Row]:
        for line in csv_lines(file_of(world, form, organization)):
            product = line["product"].lower().replace(" ", "_").replace("office_agents", "office_agent")
            values = {"person": line["account_uuid"], "product": product, "model": unescaped(line["model"])}
            values |= {"day": line.get("date", ""), "channel": line.get("slack_channel_id", "")}
            names = {name: amount for name, amount in (COUNTS | CLASSES | MONEY).items() if name in line}
            yield Row(values, {amount: units(Fraction(line[name])) for name, amount in names.items()})

    return read


def focus_rows(suffix: str) -> Callable[[World, Served, str, Sequence[str]], Iterator[Row]]:
    def read(world: World, _: Served, organization: str, __: Sequence[str]) -> Iterator[Row]:
        data = file_of(world, focus_form(suffix), organization)
        lines = csv_lines(data) if suffix == ".csv" else pq.read_table(io.BytesIO(data)).to_pylist()
        for line in lines:
            begins = line["ChargePeriodStart"]
            center = line["SubAccountId"] or ""
            yield Row(
                {
                    "day": f"{begins:%Y-%m-%d}" if isinstance(begins, datetime) else begins[:10],
                    "person": line["ResourceId"] if line["ResourceType"] == "User" else "",
                    "model": line["x_Model"] or "",
                    "product": line["x_Product"] or "",
                    "cost_center": unescaped(center) if suffix == ".csv" else center,
                },
                dict.fromkeys(METERS.values(), 0)
                | {METERS[line["SkuMeter"]]: units(Fraction(line["PricingQuantity"]) * UNITS[line["PricingUnit"]])}
                | {"list_usd": units(Fraction(line["ListCost"])), "net_usd": units(Fraction(line["BilledCost"]))},
            )

    return read


def api_rows(method: str) -> Callable[[World, Served, str, Sequence[str]], Iterator[Row]]:
    """The answer to exactly that grouping, bucketed by day where it is asked for; over plain HTTP, since walks with the
    SDK have tests of their own."""
    bucketed = method.endswith("_report")
    width = "bucket_width" if bucketed else "time_bucket_width"

    def read(_: World, served: Served, organization: str, by: Sequence[str]) -> Iterator[Row]:
        asked: dict[str, Any] = {
            "starting_at": PERIOD.begins.isoformat(),
            "ending_at": PERIOD.ends.isoformat(),
            "limit": 31 if bucketed else 1000,
        }
        asked |= {width: "1d"} if bucketed or "day" in by else {}
        asked |= {"group_by": [API_NAMES.get(name, name) for name in by if name != "day"]}
        for given in walk(served, method, organization, asked):
            for result in given["results"] if bucketed else [given]:
                values = {"day": (given.get("starting_at") or "")[:10]} if "day" in by else {}
                values |= {name: api_value(result, bucketed, name) for name in by if name != "day"}
                yield Row(values, api_amounts(method, result))

    return read


def walk(served: Served, method: str, organization: str, asked: Cells) -> Iterator[Cells]:
    """The rows of all pages."""
    page: Cells = {"has_more": True, "next_page": None}
    while page["has_more"]:
        further = {"page": page["next_page"]} if page["next_page"] else {}
        response = served.get(f"{PREFIX}/{method}", served.keys[organization], **asked, **further)
        assert response.status_code == 200, response.text
        page = response.json()
        yield from page["data"]


def api_value(result: Cells, bucketed: bool, name: str) -> str:
    value = (result if bucketed else result["group"])[API_NAMES.get(name, name)]
    if name == "person":
        return untagged(USER, value["user_id"]) if value.get("user_id") else ""
    return str(value or "").replace("claude-tag", "claude_tag")


def api_amounts(method: str, result: Cells) -> dict[str, int]:
    inner: Cells = result.get("cost") or result.get("usage") or result
    if method.startswith("cost"):
        assert inner["unpriced_models"] == []
        money = {"list_usd": inner["list_amount"], "net_usd": inner["amount"]}
        return {name: units(Fraction(Decimal(cents)) / 100) for name, cents in money.items()} | {
            "calls": units(inner["requests"])
        }
    cached = inner["cache_creation"]
    numbers = (
        *(inner["uncached_input_tokens"], inner["cache_read_input_tokens"], cached["ephemeral_5m_input_tokens"]),
        *(cached["ephemeral_1h_input_tokens"], inner["output_tokens"]),
        *(inner["server_tool_use"]["web_search_requests"], inner["requests"]),
    )
    return dict(zip(USAGE, map(units, numbers), strict=True))


USAGE = (*TOKENS, "web_search_requests", "calls")
COST = ("list_usd", "net_usd", "calls")
FOCUS = (("day", "person", "product", "model", "cost_center"), (*METERS.values(), "list_usd", "net_usd"))
SOURCES = {
    "daily": Source(
        ("day", "person", "product", "model"), (*COUNTS.values(), *MONEY.values()), spend_rows(spend_format())
    ),
    "claude-2026-10": Source(
        ("person", "product", "model", "channel"),
        (*COUNTS.values(), *CLASSES.values(), *MONEY.values()),
        spend_rows(spend_format(CLAUDE_2026_10)),
    ),
    "focus csv": Source(*FOCUS, focus_rows(".csv")),
    "focus parquet": Source(*FOCUS, focus_rows(".parquet")),
    "usage_report": Source(("day", "product", "model", "channel"), USAGE, api_rows("usage_report"), asks=True),
    "cost_report": Source(("day", "product", "model", "channel"), COST, api_rows("cost_report"), asks=True),
    "usage": Source(("day", "person", "product", "model", "channel"), USAGE, api_rows("usage"), asks=True),
    "cost": Source(("day", "person", "product", "model", "channel"), COST, api_rows("cost"), asks=True),
}
