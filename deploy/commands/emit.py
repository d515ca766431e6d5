"""`tally emit`."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.commands.common import print_json, progress_bar, running_settings, warn
from deploy.errors import ExitCode, UserError

if TYPE_CHECKING:
    from deploy.simulation import Line


def command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="NDJSON, one event a line.")],
    rate: Annotated[float | None, typer.Option(min=0.1, help="Events a second; as fast as it goes without.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Also count the events that will be dead letters.")] = False,
    skip: Annotated[
        bool, typer.Option("--skip", help="Leave out lines that name no topic, instead of ending.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts as JSON.")] = False,
) -> None:
    """Send a file's events to Kafka as they are; what is invalid becomes a dead letter with its bytes.

    A line goes to the topic that its type names, under its subject's key. Sending a file again is safe within the
    duplicate horizon: an event_id counts once.
    """
    settings = running_settings(context)
    from deploy.sending import Suspects, count_lines, send_all

    skipped: list[str] = []
    suspects = Suspects(settings.clock())
    with progress_bar() as bar:
        task = bar.add_task(file.name, total=count_lines(file))
        lines = _read(file, skipped.append if skip else None)
        sent = send_all(
            settings, suspects.watch(lines) if check else lines, rate, lambda done: bar.update(task, completed=done)
        )
    for line in (*skipped, *suspects.examples):
        warn(line)
    if as_json:
        print_json({"sent": sent.sent, "by_topic": sent.by_topic, "skipped": len(skipped), "invalid": suspects.count})
    else:
        typer.echo(f"{sent.sent:,} events sent in {sent.seconds:.1f} s, all confirmed.")
    if suspects.count:
        warn(f"{suspects.count:,} of them are invalid and will be dead letters")
    raise typer.Exit(ExitCode.FINDINGS if skipped or suspects.count else ExitCode.OK)


def _read(path: Path, on_skip: Callable[[str], None] | None) -> "Iterator[Line]":
    """The file's lines; one that names no topic ends the command, or is handed to `on_skip`."""
    from deploy.simulation import NdjsonError, read_ndjson

    tell = None if on_skip is None else lambda error: on_skip(str(error))
    try:
        yield from read_ndjson(path, strict=on_skip is None, on_error=tell)
    except NdjsonError as error:
        hint = "The lines before it were sent: mend it and run again (events count once), or leave it out with --skip."
        raise UserError(str(error), hint, ExitCode.REFUSED) from error
