"""`tally migrate`."""

import typer

from cli.console import running_settings, warn


def command(context: typer.Context) -> None:
    """Create the database, its tables and views in ClickHouse as far as they are missing, and put the list of prices
    in force that the settings name."""
    settings = running_settings(context)
    from deploy.database import prepare_database

    for line in prepare_database(settings):
        warn(line)
    typer.echo(f"The database {settings.clickhouse_database} is up to date.")
