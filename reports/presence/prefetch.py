"""Prefetching, so that the first request after a start need not wait for data that most requests read."""

from pathlib import Path

from clickhouse_connect.driver.client import Client

from queries.data_version import data_version
from queries.sql_files import fetch_rows
from reports.presence.presence import read_present

DAYS = 120
"""The newest days to read per organization: a quarter, and the month before it that its first days' windows include."""

MOST_ORGANIZATIONS = 100


def read_ahead(client: Client) -> None:
    """Read who was active on the newest days, for the most active organizations. Raises ClickHouseError."""
    for organization_id, _ in fetch_rows(
        client, Path(__file__).with_name("prefetch.sql"), {"limit": MOST_ORGANIZATIONS}
    ):
        state = data_version(client, organization_id)
        if newest := state.days[-DAYS:]:
            read_present(client, organization_id, state, newest[0], newest[-1])
