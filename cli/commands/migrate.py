"""`tally migrate`."""

import typer

from cli.console import running_settings, warn


def command(context: typer.Context) -> None:
    """Create the missing parts of the ClickHouse database, its tables and views, and put the price list of the settings
    in force."""
    settings = running_settings(context)
    from deploy.database import prepare_database

    for line in prepare_database(settings):
        warn(line)
    typer.echo(f"The database {settings.clickhouse_database} is up to date.")
