"""Prepares the database: its schema, and the price list of the settings."""

from contextlib import closing
from datetime import UTC, datetime

from access.keys import ensure_cursor_secret
from deploy.connections import report_client
from deploy.prices import prepare_prices
from deploy.settings import Settings, reveal
from sinks.client import create_database
from sinks.migrations import migrate


def prepare_database(settings: Settings) -> list[str]:
    """Create the database, apply missing migrations, and put the price list of the settings in force. Idempotent.

    Returns messages about the prices (see `prepare_prices`).
    """
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
