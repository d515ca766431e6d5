"""`tally epoch`."""

from typing import Annotated, Literal

import typer

from cli.confirm import confirm
from cli.console import running_settings, warn
from deploy.errors import UserError


def command(
    context: typer.Context,
    topic: Annotated[str, typer.Argument(help="The topic, such as tally.token.")],
    mode: Annotated[
        Literal["continue", "replace"] | None,
        typer.Option(help="continue: keep what was counted; replace: leave it out and count the log again."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Skip the confirmation.")] = False,
) -> None:
    """Begin a new epoch of a topic that was deleted and recreated, or that is to be folded again from its start.

    Running workers apply it within seconds.
    """
    if mode is None:
        hint = (
            "--mode continue keeps what was counted and adds the new log (the topic was recreated); --mode replace "
            "leaves out what was counted and counts the log again."
        )
        raise UserError(f"--mode is required: it decides what happens to everything counted of {topic}", hint)
    settings = running_settings(context)
    from deploy.epochs import plan_epoch, start_epoch

    epoch = plan_epoch(settings, topic, mode)
    for line in epoch.consequences:
        warn(line)
    confirm(f"Begin epoch {epoch.number} of {topic}?", yes)
    start_epoch(settings, epoch)
    typer.echo(f"Epoch {epoch.number} of {topic} has begun; running workers apply it at their next flush.")
