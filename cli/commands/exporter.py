"""`tally exporter`."""

from typing import Annotated

import typer

from cli.console import running_settings
from deploy.log_setup import log_to_stderr


def command(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Write what is due now, then exit.")] = False,
    interval: Annotated[float, typer.Option(min=1, help="Seconds between two runs.")] = 60.0,
) -> None:
    """Run the export worker, which writes the spend report of each complete day for each organization."""
    settings = running_settings(context)
    log_to_stderr()
    if once:
        from deploy.export import export_once

        export_once(settings)
    else:
        from deploy.exporter import run

        raise typer.Exit(run(settings, interval))
