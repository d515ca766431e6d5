"""`tally top`."""

import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.live import Live
from rich.text import Text

from cli.console import out, print_json, running_settings
from deploy.errors import explain
from deploy.settings import Settings

if TYPE_CHECKING:
    from rich.console import RenderableType


def command(
    context: typer.Context,
    minutes: Annotated[int, typer.Option(min=1, max=10_080, help="Number of minutes to count.")] = 5,
    every: Annotated[float, typer.Option(min=0.5, help="Seconds between two updates.")] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Print one snapshot, then exit.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --once: print JSON.")] = False,
) -> None:
    """Show current events by organization, product and model, and how far the tables are behind the log."""
    settings = running_settings(context)
    if once or as_json:
        _show_once(settings, minutes, as_json)
        return
    try:
        with Live(Text("loading ..."), console=out, screen=out.is_terminal, auto_refresh=False) as live:
            while True:
                live.update(_picture(settings, minutes, out.height - 4), refresh=True)
                time.sleep(every)
    except KeyboardInterrupt:
        return


def _show_once(settings: Settings, minutes: int, as_json: bool) -> None:
    from deploy import top

    frame = top.take_snapshot(settings, minutes)
    if as_json:
        print_json(top.as_json(frame))
    else:
        out.print(top.render(frame, len(frame.rows)))


def _picture(settings: Settings, minutes: int, lines: int) -> "RenderableType":
    """Return the frame, or an error: the frame is back as soon as the server is."""
    from deploy import top

    try:
        return top.render(top.take_snapshot(settings, minutes), lines)
    except Exception as error:
        known = explain(error)
        if known is None:
            raise
        return Text(known.line(), style="bold red")
