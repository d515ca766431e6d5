"""One day of Claude Code, in pages."""

from datetime import date
from pathlib import Path

from clickhouse_connect.driver.client import Client

from reports.queries import Row, ask

FOLDER = Path(__file__).parent


def read_day(client: Client, organization_id: str, day: date, after_key: str, limit: int) -> list[Row]:
    """At most `limit` rows beyond `after_key`, in the order of their keys: one for each actor, terminal, and remote or
    not. `models` are (model, input, output, cache reads, cache writes, USD at list price or ""), by model."""
    asked = {"organization_id": organization_id, "day": day, "after_key": after_key, "limit": limit}
    return ask(client, FOLDER / "day.sql", asked)


def plan_of(client: Client, organization_id: str, day: date) -> str:
    """The plan in force as the day ends, "" without one."""
    found = ask(client, FOLDER / "plan.sql", {"organization_id": organization_id, "day": day})
    return str(found[0]["plan"]) if found else ""


def day_stamp(client: Client, organization_id: str, day: date) -> str:
    """What changes when the day is revised: equal stamps, equal rows, but for names."""
    return str(ask(client, FOLDER / "stamp.sql", {"organization_id": organization_id, "day": day})[0]["stamp"])
