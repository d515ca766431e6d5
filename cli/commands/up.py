"""`tally up`."""

import typer

from cli.console import TALLY, out, settings_of


def command(context: typer.Context) -> None:
    """Run Kafka, ClickHouse, worker(s), the export worker and the API here, until Ctrl-C.

    A setting that names an outside Kafka or ClickHouse takes the place of the embedded one.
    """
    settings = settings_of(context)
    from deploy.up import up

    raise typer.Exit(up(settings, TALLY, console=out))
