"""`tally demo`."""

from typing import Annotated

import typer

from cli.console import TALLY, settings_of


def command(
    context: typer.Context,
    exit_when_done: Annotated[
        bool, typer.Option("--exit", help="Exit when done instead of waiting for Ctrl-C.")
    ] = False,
) -> None:
    """Run everything on this machine with a month of simulated history, export it, and verify its numbers."""
    settings = settings_of(context)
    from deploy.demo import run

    raise typer.Exit(run(settings, TALLY, exit_when_done=exit_when_done))
