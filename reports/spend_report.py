"""The spend report: a row for each person, product, model and UTC day, in one consistent query, streamed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson
from clickhouse_connect.driver.client import Client

from reports.errors import ReportError
from reports.periods import Period
from reports.spend_csv import Facts, SpendCsv, Totals, safe_text
from reports.terms import sql_moment

PRODUCT_LABELS = {
    "chat": "Chat",
    "claude_code": "Claude Code",
    "cowork": "Cowork",
    "office_agent": "Office Agents",
    "claude_in_chrome": "Claude in Chrome",
    "claude_design": "Claude Design",
    "claude_tag": "Claude Tag",
    "science": "Science",
    "claude_console": "Claude Console",
    "managed_agents_api": "Managed Agents API",
    "message_batches_api": "Message Batches API",
    "messages_api": "Messages API",
    "other": "Other",
}
"""Products as people call them. A product that is not listed is shown as it is; none is shown as nothing."""

QUERY = """
SELECT
    toString(usage.day), {organization_id:String}, people.email, usage.account, usage.product_label,
    toString(usage.model), toString(family.name),
    toString(usage.requests), toString(usage.prompt_tokens), toString(usage.completion_tokens),
    usage.net_usd, usage.list_usd
FROM (
    SELECT
        day, if(actor_type = 'user', toString(actor_id), '') AS account,
        if(actor_type = 'user', actor_id, toUUID('00000000-0000-0000-0000-000000000000')) AS account_id,
        transform(toString(product), {products:Array(String)}, {labels:Array(String)}, toString(product))
            AS product_label,
        model, sum(requests) AS requests,
        sum(uncached_input_tokens + cache_read_input_tokens + cache_creation_5m_input_tokens
            + cache_creation_1h_input_tokens) AS prompt_tokens,
        sum(output_tokens) AS completion_tokens,
        if(countIf(isNull(spend.list_usd)) = 0, toString(sum(spend.net_usd)), '') AS net_usd,
        if(countIf(isNull(spend.list_usd)) = 0, toString(sum(spend.list_usd)), '') AS list_usd
    FROM spend
    WHERE organization_id = {organization_id:UUID}
        AND hour >= {begins:DateTime('UTC')} AND hour < {ends:DateTime('UTC')} AND reported
    GROUP BY day, account, account_id, product_label, model
) AS usage
LEFT JOIN people ON people.account_id = usage.account_id
LEFT JOIN (SELECT model, family AS name FROM models FINAL) AS family
    ON family.model = replaceRegexpOne(usage.model, '-(20[0-9]{6}|latest)$', '')
ORDER BY usage.day, people.email, usage.account, usage.product_label, usage.model
"""
SETTINGS = {
    "do_not_merge_across_partitions_select_final": 1,
    "join_use_nulls": 0,
    "output_format_decimal_trailing_zeros": 0,
    # The result is sorted last, so nothing is sent before all of it is known; a sort of a large organization's
    # quarter spills to disk rather than fail.
    "max_bytes_before_external_sort": 1 << 30,
    "max_bytes_before_external_group_by": 1 << 30,
}
TEXT_CELLS = (2, 4, 5, 6)


@dataclass(frozen=True)
class Report:
    """A report that was written: the hash of its bytes, what it adds up to, and what it says."""

    sha256: str
    totals: Totals
    facts: Facts


def write_spend_report(
    client: Client,
    organization_id: str,
    period: Period,
    sink: BinaryIO,
    on_rows: Callable[[int], None] | None = None,
) -> Report:
    """Write the organization's report of `period` to `sink` and say what it adds up to.

    Memory grows by 16 bytes a row (the facts) and no more. `on_rows` hears now and then how many rows
    there are. Raises ReportError when ClickHouse breaks off in the middle.
    """
    out = SpendCsv(sink)
    for cells in stream_rows(client, organization_id, period):
        for place in TEXT_CELLS:
            cells[place] = safe_text(cells[place])
        out.write(cells)
        if on_rows and out.totals.rows % 10_000 == 0:
            on_rows(out.totals.rows)
    sha256 = out.close()
    return Report(sha256, out.totals, out.facts)


def stream_rows(client: Client, organization_id: str, period: Period) -> Iterator[list[str]]:
    """The report's rows as lists of twelve texts, in order, before any escaping. Raises ReportError on a cut stream."""
    if not period.days:
        return
    stream = client.raw_stream(
        QUERY, parameters=_parameters(organization_id, period), settings=SETTINGS, fmt="JSONCompactEachRow"
    )
    try:
        for line in _lines(stream):
            yield _row(line)
    finally:
        stream.close()


def _parameters(organization_id: str, period: Period) -> dict[str, Any]:
    return {
        "organization_id": organization_id,
        "begins": sql_moment(period.begins),
        "ends": sql_moment(period.ends),
        "products": list(PRODUCT_LABELS),
        "labels": list(PRODUCT_LABELS.values()),
    }


def _lines(stream: Any) -> Iterator[bytes]:
    """The lines of a response body. A body that does not end with a line break was cut off."""
    rest = b""
    while chunk := stream.read(1 << 18):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
    if rest:
        raise ReportError(f"ClickHouse broke off in the middle of a report: {rest[:200]!r}", "Try again.")


def _row(line: bytes) -> list[str]:
    """One row; an error that ClickHouse wrote into the body after its first rows is no row."""
    try:
        cells = orjson.loads(line)
    except orjson.JSONDecodeError:
        cells = None
    if not isinstance(cells, list) or len(cells) != 12:
        raise ReportError(f"ClickHouse broke off in the middle of a report: {line[:300]!r}", "Try again.")
    return cells
