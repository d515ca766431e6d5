"""`tally`: every command, every setting as a flag, and every foreseeable failure as one line and an exit code."""

import logging
import os
import select
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import Annotated

import typer

from cli.commands import (
    api,
    audit,
    dead_letters,
    demo,
    doctor,
    emit,
    epoch,
    export,
    exporter,
    identity,
    keys,
    login_link,
    members,
    migrate,
    organizations,
    positions,
    prices,
    schema,
    seats,
    settings,
    sign_out,
    simulate,
    top,
    topics,
    up,
    verify,
    worker,
)
from cli.console import Invocation
from deploy.errors import MEANINGS, ExitCode, UserError, explain
from deploy.log_setup import log_last_resort
from deploy.settings import Settings, is_secret, variable_of
from files.byte_streams import OUTPUT, ReaderGone

_EXIT_CODES = "\n\n".join(f"{int(code)}: {meaning}" for code, meaning in MEANINGS.items())

app = typer.Typer(
    name="tally",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
    help="Exact usage and spend analytics: events in Kafka, tables in ClickHouse, reports as CSV.",
    epilog="Every setting is also a flag of every command: `tally settings` lists them.\n\n"
    f"Exit codes:\n\n{_EXIT_CODES}",
)
for _module in (
    up, demo, worker, exporter, api, simulate, emit, export, audit, verify, doctor, top, epoch, migrate, schema,
    settings,
):  # fmt: skip
    app.command(_module.__name__.rpartition(".")[2])(_module.command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tally {distribution_version('tally-analytics')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Handle the options that precede a command."""


app.command("login-link")(login_link.command)
app.command("sign-out")(sign_out.command)
app.add_typer(topics.app)
app.add_typer(positions.app)
app.add_typer(dead_letters.app)
app.add_typer(prices.app)
app.add_typer(organizations.app)
app.add_typer(members.app)
app.add_typer(seats.app)
app.add_typer(keys.app)
app.add_typer(identity.app)


def main() -> None:
    """Run the `tally` command. Files that it creates are accessible only to their owner by default."""
    os.umask(0o077)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code. Foreseeable failures are one line on stderr."""
    debug = _is_on(os.environ.get("TALLY_DEBUG", ""))
    log_last_resort()
    try:
        flags, rest = split_settings(arguments)
        debug = debug or "debug" in flags
        if not debug:
            # They log every failed attempt; the command reports the outcome in one line.
            logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
            logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)
        config = Path(flags.pop("config")) if "config" in flags else None
        code = app(args=rest, prog_name="tally", standalone_mode=False, obj=Invocation(config, flags))
        return code if isinstance(code, int) else ExitCode.OK
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except typer.TyperException as error:
        return _tell(UserError(error.format_message(), "`tally COMMAND --help` shows the options."))
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):  # typer and rich turn it into this silently
            return _broken_pipe(ended.__context__, debug)
        raise
    except BrokenPipeError as error:
        return _broken_pipe(error, debug)
    except Exception as error:
        return _failed(error, debug)


def split_settings(arguments: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Split arguments into the settings and the rest: `--kafka-bootstrap X` and `--kafka-bootstrap=X`, before or after
    the command. Arguments after `--` are not changed. Raises UserError for a flag without a value."""
    flags: dict[str, str] = {}
    rest: list[str] = []
    waiting = list(arguments)
    while waiting:
        argument = waiting.pop(0)
        if argument == "--":
            return flags, [*rest, argument, *waiting]
        option, equals, value = argument.partition("=")
        name = _setting_of(option)
        if name is None:
            rest.append(argument)
        elif name == "debug":
            flags[name] = value or "true"
        elif equals or waiting:
            flags[name] = value if equals else waiting.pop(0)
        else:
            raise UserError(f"The flag {option} needs a value")
    return flags, rest


def _setting_of(option: str) -> str | None:
    """Return the setting that a flag names, or None."""
    if not option.startswith("--"):
        return None
    name = option[2:].replace("-", "_")
    if name != "config" and name not in Settings.model_fields:
        return None
    if name != "config" and is_secret(name):
        hint = f"Set {variable_of(name)} or put it in the settings file."
        raise UserError(f"{option} is a secret, and everyone on the machine can read a command line", hint)
    return name


def _failed(error: Exception, debug: bool) -> int:
    known = explain(error)
    if debug:
        traceback.print_exception(error)
    if known is None:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        known = UserError(
            f"Internal error: {said}", "Run it again with --debug to see the traceback.", ExitCode.INTERNAL
        )
    return _tell(known)


def _tell(error: UserError) -> int:
    typer.echo(f"tally: {error.line()}", err=True)
    return error.exit_code


def _broken_pipe(error: BrokenPipeError, debug: bool) -> int:
    """Handle a reader that closed the pipe, as `| head` does: no error message, neither from the command nor from
    Python at exit. The same error of a connection to Kafka or ClickHouse is a failure."""
    ends = select.poll()
    for descriptor in (OUTPUT, OUTPUT + 1):
        ends.register(descriptor, 0)
    is_of_output = isinstance(error, ReaderGone) or any(event & select.POLLERR for _, event in ends.poll(0))
    if not is_of_output and not _is_of_console(error):
        return _failed(error, debug)
    os.dup2(os.open(os.devnull, os.O_WRONLY), OUTPUT)
    return ExitCode.OK


def _is_of_console(error: BrokenPipeError) -> bool:
    """Return True if rich failed to write to a terminal or a pipe, which it replaces by /dev/null before raising."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and str(frames[-1].f_globals.get("__name__")).startswith("rich.")


def _is_on(text: str) -> bool:
    return text.strip().lower() in ("1", "true", "yes", "on")
