"""Rows of usage and costs, and the people and identities that they are about."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
from clickhouse_connect.driver.client import Client

from aggregators.live import LIVE_MINUTES
from queries.data_version import data_version
from queries.result_cache import cache_for, cached_while_unchanged
from queries.sql_files import Row, fetch
from reports.usage.query import UsageQuery

FOLDER = Path(__file__).parent
MINUTES_BACK = timedelta(minutes=LIVE_MINUTES)
"""The time for which usage is kept by the minute."""


@dataclass(frozen=True)
class Account:
    """An account as the directory has it now; name and e-mail are "" if unknown.

    `has_left`: no longer a member. `is_deleted`: the account was deleted too.
    """

    email: str
    name: str
    has_left: bool
    is_deleted: bool


def read_usage(client: Client, question: UsageQuery) -> Sequence[Row]:
    """Return the rows, in order, cached while nothing that they depend on changes (except for minutes).

    Each has `bucket` (seconds since 1970, 0 without buckets), `by_...` for each dimension (nil, "" or 0 if none),
    `counts` (tokens: uncached, cache read, 5-minute and 1-hour cache writes, output; then web searches and milliseconds
    of execution), `requests`, `execution_spans`, `total_tokens`, and where the next page begins: `first_rank`,
    `second_rank`, `key`.
    Costs are exact decimals in cents: `net_cents`, `list_cents`, and `each_..._cents` for each of the counts and then
    for all tokens together. They exclude usage without a price, whose models are in `unpriced_models`.
    """
    if question.by_minute:
        return _rows(client, question)
    last = (question.ends - timedelta(microseconds=1)).date()
    state = data_version(client, question.organization_id).digest_until(last)
    return cache_for(client).get_or_compute(("usage", repr(question)), state, lambda: _rows(client, question))


def _rows(client: Client, question: UsageQuery) -> list[Row]:
    return fetch(client, FOLDER / "rows.sql", question.parameters())


def revision_hash(client: Client, question: UsageQuery) -> str:
    """Return a hash that changes if and only if the query's cells are revised: equal stamps mean equal cells.

    For a query about costs it also changes with prices.
    """
    scope = question.scope()
    if question.by_minute:
        return _stamp(client, scope)[0]
    return cached_while_unchanged(client, ("usage stamp", repr(scope)), lambda: _stamp(client, scope))[0]


def _stamp(client: Client, scope: Mapping[str, Any]) -> list[str]:
    return [str(row["stamp"]) for row in fetch(client, FOLDER / "revision.sql", scope)]


def had_seats(client: Client, question: UsageQuery) -> bool:
    """Return True if the organization was on a seat-based plan at any time in the query's range."""
    scope = question.scope()
    [row] = cached_while_unchanged(
        client, ("seated", repr(scope)), lambda: fetch(client, FOLDER / "seat_based.sql", scope)
    )
    return bool(row["seated"])


def read_people(client: Client, organization_id: str, accounts: Collection[str]) -> dict[str, Account]:
    """Return these accounts, by id."""
    if not accounts:
        return {}
    found = fetch(client, FOLDER / "people.sql", {"organization_id": organization_id, "accounts": sorted(accounts)})
    return {
        row["account_id"]: Account(row["email"], row["name"], bool(row["has_left"]), bool(row["is_deleted"]))
        for row in found
    }


def read_identities(client: Client, organization_id: str, identities: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return the last saved event of these federated identities, by id; unknown ones are omitted."""
    if not identities:
        return {}
    asked = {"organization_id": organization_id, "identities": sorted(identities)}
    return {row["id"]: orjson.loads(row["detail"]) for row in fetch(client, FOLDER / "identities.sql", asked)}
