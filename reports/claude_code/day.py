"""One day of Claude Code, page by page."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from clickhouse_connect.driver.client import Client

from queries.data_version import data_version
from queries.paging import Ranking
from queries.result_cache import cache_for, cached_while_unchanged
from queries.sql_files import Row, fetch

FOLDER = Path(__file__).parent


def read_day(client: Client, organization_id: str, day: date, ranking: Ranking) -> Sequence[Row]:
    """Return the rows of a page, by key: one per actor, terminal, and remote or local. `models` has
    (model, input, output, cache reads, cache writes, USD at list price or ""), by model."""
    asked = {"organization_id": organization_id, "day": day, **ranking.parameters()}
    state = data_version(client, organization_id).digest_until(day)
    question = ("code", repr(asked))
    return cache_for(client).get_or_compute(question, state, lambda: fetch(client, FOLDER / "day.sql", asked))


def plan_of(client: Client, organization_id: str, day: date) -> str:
    """Return the plan in force at the end of the day, "" if there is none."""
    found = _of_day(client, "plan", organization_id, day)
    return str(found[0]["plan"]) if found else ""


def day_stamp(client: Client, organization_id: str, day: date) -> str:
    """Return a stamp that changes when the day is revised: equal stamps mean equal rows, except for names."""
    return str(_of_day(client, "revision", organization_id, day)[0]["stamp"])


def _of_day(client: Client, name: str, organization_id: str, day: date) -> Sequence[Row]:
    asked = {"organization_id": organization_id, "day": day}
    return cached_while_unchanged(client, (name, repr(asked)), lambda: fetch(client, FOLDER / f"{name}.sql", asked))
