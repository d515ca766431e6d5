"""What commands share: settings of an invocation, progress bars, and output for people or scripts.

Answers go to stdout, everything else (progress, warnings, errors) to stderr, so that a pipe sees answers alone.
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
"""Where the answer goes into a file or another program, no name in a table is cut to what a terminal shows."""

err = Console(stderr=True, highlight=False)
out = Console(highlight=False, width=None if sys.stdout is not None and sys.stdout.isatty() else PIPE_WIDTH)

TALLY = (sys.executable, "-m", "cli")
"""How this program starts others of its commands: by the interpreter that runs it, whatever the PATH says."""


@dataclass(frozen=True)
class Invocation:
    """Which settings file and which settings' flags the command line named."""

    config: Path | None = None
    flags: Mapping[str, str] = field(default_factory=dict)


def settings_of(context: typer.Context) -> Settings:
    """The settings as given, for commands that start something."""
    invocation: Invocation = context.obj
    return load(invocation.config, invocation.flags)


def running_settings(context: typer.Context) -> Settings:
    """The settings for commands that talk to what runs: those of the stack that runs over the data folder, if one
    does, and what was named here. Where the two differ and that matters, a line on stderr says so."""
    found = settings_and_origins(context)
    for line in found.remarks:
        warn(line)
    return found.settings


def settings_and_origins(context: typer.Context) -> Effective:
    """What `running_settings` gives, from where each came, and what is to be said of it."""
    invocation: Invocation = context.obj
    return beside_the_stack(load_given(invocation.config, invocation.flags))


def progress_bar() -> Progress:
    """A bar on stderr that vanishes when done; nothing where stderr is no terminal."""
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
    """Send records to the settings' Kafka, at most `rate` a second, and show how many went; see `send_all`."""
    from intake.bulk_send import send_all

    def show(done: int) -> None:
        bar.update(task, completed=done)

    return send_all(settings.kafka_bootstrap, settings.client_options(), lines, rate, show)


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    typer.echo(json_text(value))


def json_text(value: Any) -> str:
    """The document, indented."""
    return ascii_json(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode())


def ascii_json(text: str) -> str:
    """The same document, such that no name in it can steer a terminal: what does not print is escaped."""
    return _NOT_PRINTED.sub(lambda found: found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1], text)


def cell(text: str) -> Text:
    """A cell of a table that shows a text as it is, whatever markup or control characters it holds."""
    return Text(printable(text))


def answer_to(output: Path | None) -> Callable[[str], None]:
    """How a command answers that has written to `output`: on stdout, or on stderr when stdout has what was written."""
    from files.byte_streams import OUTPUT, descriptor_of

    return partial(typer.echo, err=output is not None and descriptor_of(output, OUTPUT) == OUTPUT)


def warn(line: str) -> None:
    """One line on stderr."""
    typer.echo(printable(line), err=True)
