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
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Begin a new epoch of a topic that was deleted and made anew, or that is to be folded again from its start.

    Running workers take it up within seconds.
    """
    if mode is None:
        hint = (
            "--mode continue keeps what was counted and adds the new log (the topic was made anew); --mode replace "
            "leaves out what was counted and counts the log again."
        )
        raise UserError(f"Say what becomes of what was counted of {topic}", hint)
    settings = running_settings(context)
    from deploy.epochs import plan_epoch, start_epoch

    epoch = plan_epoch(settings, topic, mode)
    for line in epoch.consequences:
        warn(line)
    confirm(f"Begin epoch {epoch.number} of {topic}?", yes)
    start_epoch(settings, epoch)
    typer.echo(f"Epoch {epoch.number} of {topic} has begun; running workers take it up at their next flush.")
