"""`tally demo`."""

from typing import Annotated

import typer

from cli.console import TALLY, settings_of


def command(
    context: typer.Context,
    exit_when_done: Annotated[bool, typer.Option("--exit", help="Stop when done, instead of at Ctrl-C.")] = False,
) -> None:
    """Run everything here with a month of simulated history, export it, and prove its numbers."""
    settings = settings_of(context)
    from deploy.demo import run

    raise typer.Exit(run(settings, TALLY, exit_when_done=exit_when_done))
