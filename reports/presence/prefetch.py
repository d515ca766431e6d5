"""Reading ahead: the first to ask after a start should not wait for what everybody asks for."""

from pathlib import Path

from clickhouse_connect.driver.client import Client

from queries.data_version import data_version
from queries.sql_files import fetch_rows
from reports.presence.presence import read_present

DAYS = 120
"""The newest so many days of each organization: a quarter, and the month before it that its first days look back on."""

MOST_ORGANIZATIONS = 100


def read_ahead(client: Client) -> None:
    """Read who was there on the newest days, of the organizations that do most. Raises ClickHouseError."""
    for organization_id, _ in fetch_rows(
        client, Path(__file__).with_name("prefetch.sql"), {"limit": MOST_ORGANIZATIONS}
    ):
        state = data_version(client, organization_id)
        if newest := state.days[-DAYS:]:
            read_present(client, organization_id, state, newest[0], newest[-1])
