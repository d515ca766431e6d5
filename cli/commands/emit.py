"""`tally emit`."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer
from rich.markup import escape

from cli.console import print_json, progress_bar, running_settings, send_lines, warn
from deploy.counts import counted
from deploy.errors import ExitCode, UserError, printable

if TYPE_CHECKING:
    from intake.bulk_send import Suspects
    from intake.ndjson import ProducerRecord


def command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="NDJSON, one event per line; - is standard input.")],
    rate: Annotated[
        float | None, typer.Option(min=0.1, help="Events per second; without it, as fast as possible.")
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Also count events that will be dead letters, repeats, and events that no number includes."
        ),
    ] = False,
    skip: Annotated[bool, typer.Option("--skip", help="Skip lines that name no topic instead of stopping.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts as JSON.")] = False,
) -> None:
    """Send a file's events to Kafka unchanged; invalid ones become dead letters with their bytes.

    A line is sent to the topic of its type, with the key of its subject. A file may be sent again within the duplicate
    horizon, because an event_id counts once.
    """
    settings = running_settings(context)
    from files.byte_streams import open_to_read
    from intake.bulk_send import Suspects, lines_ahead

    skipped: list[str] = []
    suspects = Suspects(settings.clock())
    stream = open_to_read(file)  # never closed: a thread may be reading from it, and closing would wait for that thread
    with progress_bar() as bar:
        task = bar.add_task(escape(printable(file.name)), total=lines_ahead(stream))
        lines = _read(stream, file, skipped.append if skip else None)
        sent = send_lines(settings, suspects.watch(lines) if check else lines, rate, bar, task)
    for line in (*skipped, *suspects.examples):
        warn(line)
    if as_json:
        looked_at = {"invalid": suspects.invalid, "repeats": suspects.repeats, "unlisted": suspects.unlisted}
        print_json({"sent": sent.sent, "by_topic": sent.by_topic, "skipped": len(skipped), **looked_at})
    else:
        typer.echo(f"{counted(sent.sent, 'event')} sent in {sent.seconds:.1f} s, all confirmed.")
    _warn_of(suspects)
    raise typer.Exit(ExitCode.FINDINGS if skipped or suspects.invalid else ExitCode.OK)


def _warn_of(suspects: "Suspects") -> None:
    for count, what in (
        (suspects.invalid, "invalid and will be dead letters"),
        (suspects.repeats, "in the file twice, and count once"),
        (suspects.unlisted, "valid, but appear in no list, summary or figure"),
    ):
        if count:
            warn(f"{count:,} of them are {what}")


def _read(stream: BinaryIO, path: Path, on_skip: Callable[[str], None] | None) -> "Iterator[ProducerRecord]":
    """Yield the records of the stream's lines; one that names no topic stops the command, or goes to `on_skip`."""
    from intake.ndjson import NdjsonError, read_lines

    tell = None if on_skip is None else lambda error: on_skip(str(error))
    try:
        yield from read_lines(stream, path, strict=on_skip is None, on_error=tell)
    except NdjsonError as error:
        hint = "The lines before it were sent: fix it and run again (events count once), or skip it with --skip."
        raise UserError(str(error), hint, ExitCode.REFUSED) from error
