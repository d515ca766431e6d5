"""`tally api`."""

import typer

from cli.console import running_settings
from deploy.log_setup import log_to_stderr


def command(context: typer.Context) -> None:
    """Serve the Analytics API over HTTP until stopped."""
    settings = running_settings(context)
    log_to_stderr()
    from deploy.api import run

    run(settings)
