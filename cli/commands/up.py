"""`tally up`."""

import typer

from cli.console import TALLY, out, settings_of


def command(context: typer.Context) -> None:
    """Run Kafka, ClickHouse, workers, the export worker and the API on this machine, until Ctrl-C.

    A setting with an external Kafka or ClickHouse replaces the embedded one.
    """
    settings = settings_of(context)
    from deploy.up import up

    raise typer.Exit(up(settings, TALLY, console=out))
