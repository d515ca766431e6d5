"""The database made ready: its schema, and the list of prices that the settings name."""

from contextlib import closing
from datetime import UTC, datetime

from access.keys import ensure_cursor_secret
from deploy.connections import report_client
from deploy.prices import prepare_prices
from deploy.settings import Settings, reveal
from sinks.client import create_database
from sinks.migrations import migrate


def prepare_database(settings: Settings) -> list[str]:
    """Create the database, apply what it lacks of migrations, and put the list of prices in force that the settings
    name; harmless when all is as it should be. Gives what is to be said of the prices (see `prepare_prices`)."""
    create_database(
        settings.clickhouse_url,
        settings.clickhouse_user,
        reveal(settings.clickhouse_password),
        settings.clickhouse_database,
    )
    with closing(report_client(settings)) as client:
        migrate(client)
        ensure_cursor_secret(client, datetime.now(UTC))
        return prepare_prices(settings, client)
