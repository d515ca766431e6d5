"""`tally migrate`."""

import typer

from deploy.commands.common import running_settings


def command(context: typer.Context) -> None:
    """Create the database, its tables and views and the price list in ClickHouse, as far as they are missing."""
    settings = running_settings(context)
    from deploy.export import prepare_database

    prepare_database(settings)
    typer.echo(f"The database {settings.clickhouse_database} is up to date.")
