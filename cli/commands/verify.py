"""`tally verify`."""

from typing import Annotated

import typer

from cli.console import out, print_json, progress_bar, running_settings


def command(
    context: typer.Context,
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="HOUR", help="Compare from this UTC hour or day on."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="HOUR", help="Compare until this UTC hour or day (exclusive).")
    ] = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for the tables to reach the log's end.")] = 60.0,
    show: Annotated[int, typer.Option(min=0, help="Number of differences to show per table.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Recount the log in plain Python, compare the result with ClickHouse, and show every difference."""
    settings = running_settings(context)
    from deploy.verify import verify
    from verify.render import show as show_verdict
    from verify.time_range import span_of

    span = span_of(since, until)
    with progress_bar() as bar:
        task = bar.add_task("starting", total=None)
        verdict = verify(
            settings,
            span=span,
            wait_seconds=wait,
            show=show,
            on_progress=lambda what, done, total: bar.update(
                task, description=what, completed=done, total=total or None
            ),
        )
    if as_json:
        print_json(verdict.as_json())
    else:
        show_verdict(verdict, out)
    raise typer.Exit(verdict.exit_code)


command.__name__ = "verify"
