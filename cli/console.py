"""Shared by commands: settings of an invocation, progress bars, and output for people or scripts.

Results go to stdout, everything else (progress, warnings, errors) to stderr, so that a pipe receives only results.
"""

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from deploy.errors import printable
from deploy.running_stack import Effective, beside_the_stack
from deploy.settings import Settings, load, load_given

if TYPE_CHECKING:
    from intake.bulk_send import Sent
    from intake.ndjson import ProducerRecord

_NOT_PRINTED = re.compile(r"[^\n -~]")

PIPE_WIDTH = 400
"""Width of tables in a file or a pipe, so that no name is truncated to the width of a terminal."""

err = Console(stderr=True, highlight=False)
out = Console(highlight=False, width=None if sys.stdout is not None and sys.stdout.isatty() else PIPE_WIDTH)

TALLY = (sys.executable, "-m", "cli")
"""How this program starts other `tally` commands: with its own interpreter, independent of the PATH."""


@dataclass(frozen=True)
class Invocation:
    """The settings file and the settings' flags of a command line."""

    config: Path | None = None
    flags: Mapping[str, str] = field(default_factory=dict)


def settings_of(context: typer.Context) -> Settings:
    """Return the settings as given, for commands that start something."""
    invocation: Invocation = context.obj
    return load(invocation.config, invocation.flags)


def running_settings(context: typer.Context) -> Settings:
    """Return the settings for commands that use what is running: those of the stack that runs over the data folder, if
    there is one, overridden by those given here. Differences that matter are reported on stderr."""
    found = settings_and_origins(context)
    for line in found.remarks:
        warn(line)
    return found.settings


def settings_and_origins(context: typer.Context) -> Effective:
    """Return the settings of `running_settings`, the origin of each, and messages about them."""
    invocation: Invocation = context.obj
    return beside_the_stack(load_given(invocation.config, invocation.flags))


def progress_bar() -> Progress:
    """Return a progress bar on stderr that disappears when done; nothing is shown if stderr is not a terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)


def send_lines(
    settings: Settings, lines: "Iterable[ProducerRecord]", rate: float | None, bar: Progress, task: TaskID
) -> "Sent":
    """Send records to the Kafka of the settings, at most `rate` per second, and show progress; see `send_all`."""
    from intake.bulk_send import send_all

    def show(done: int) -> None:
        bar.update(task, completed=done)

    return send_all(settings.kafka_bootstrap, settings.client_options(), lines, rate, show)


def print_json(value: Any) -> None:
    """Print one JSON document on stdout."""
    typer.echo(json_text(value))


def json_text(value: Any) -> str:
    """Return the document as indented JSON; moments are RFC 3339 in UTC, with `Z`."""
    return ascii_json(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z, default=str).decode())


def ascii_json(text: str) -> str:
    """Return the document with unprintable characters escaped, so that no name in it can control a terminal."""
    return _NOT_PRINTED.sub(lambda found: found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1], text)


def cell(text: str) -> Text:
    """Return a table cell that shows a text literally, whatever markup or control characters it contains."""
    return Text(printable(text))


def answer_to(output: Path | None) -> Callable[[str], None]:
    """Return the function that prints the result of a command that wrote to `output`: on stdout, or on stderr if the
    output went to stdout."""
    from files.byte_streams import OUTPUT, descriptor_of

    return partial(typer.echo, err=output is not None and descriptor_of(output, OUTPUT) == OUTPUT)


def warn(line: str) -> None:
    """Print one line on stderr."""
    typer.echo(printable(line), err=True)
