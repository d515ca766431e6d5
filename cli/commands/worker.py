"""`tally worker`."""

import typer

from cli.console import running_settings


def command(context: typer.Context) -> None:
    """Run one worker, which folds events into ClickHouse, until stopped."""
    settings = running_settings(context)
    from deploy.worker import run

    run(settings)
