"""`tally simulate`."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import answer_to, json_text, progress_bar, running_settings, send_lines, warn
from deploy.counts import counted
from deploy.errors import ExitCode, UserError, printable
from deploy.settings import Settings

if TYPE_CHECKING:
    from simulation import Plan

Share = Annotated[float, typer.Option(help="Share, from 0 to 0.5.")]


def command(
    context: typer.Context,
    output: Annotated[Path | None, typer.Option("--out", help="Write NDJSON to this file; - is stdout.")] = None,
    send: Annotated[bool, typer.Option("--send", help="Send to Kafka.")] = False,
    rate: Annotated[float | None, typer.Option(min=0.1, help="Events per second, with --send.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    organizations: Annotated[int, typer.Option(help="Number of organizations.")] = 6,
    users: Annotated[int, typer.Option(help="Number of people.")] = 400,
    days: Annotated[int, typer.Option(help="Days of history.")] = 35,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="End of the history; today by default.")
    ] = None,
    intensity: Annotated[float, typer.Option(help="How busy people are; 1 is normal.")] = 1.0,
    duplicates: Share = 0.0,
    late: Share = 0.0,
    poison: Share = 0.0,
    out_of_order: Share = 0.01,
    clock_skew: Share = 0.03,
    replace: Annotated[bool, typer.Option(help="Replace the file if it exists.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts as JSON.")] = False,
) -> None:
    """Generate a realistic history of organizations and people, to a file or to Kafka."""
    if (output is None) == (not send):
        raise UserError("No destination was given", "Use either --out FILE or --send.")
    settings = running_settings(context)
    day = until.date() if until else settings.clock().date()
    faults = (duplicates, late, poison, out_of_order, clock_skew)
    plan = _plan(day, seed, organizations, users, days, intensity, *faults)
    count = _write(plan, output, replace) if output else _send(plan, settings, rate)
    answer = answer_to(output)
    if as_json:
        answer(json_text({"events": count, "until": day, "seed": seed}))
        return
    answer(f"{counted(count, 'event')}, {_span(plan)}: " + (printable(str(output)) if output else "sent"))
    if poison:
        warn("some of them are invalid on purpose; they become dead letters")


def _plan(*values: Any) -> "Plan":
    """Return the plan with these fields. Raises UserError if there is no such history."""
    from simulation import Plan

    try:
        return Plan(*values)
    except ValueError as error:
        raise UserError(f"Cannot generate this history: {error}") from error


def _write(plan: "Plan", output: Path, replace: bool) -> int:
    """Write the history's events as NDJSON and return their number."""
    from files.atomic_files import holds_something
    from intake.ndjson import write_ndjson
    from simulation import simulate

    if not replace and holds_something(output):
        raise UserError(f"{output} already exists", "Choose another name, or use --replace.", ExitCode.FILE)
    with progress_bar() as bar:
        task = bar.add_task("events", total=None)
        return write_ndjson(simulate(plan), output, lambda more: bar.advance(task, more))


def _send(plan: "Plan", settings: Settings, rate: float | None) -> int:
    """Send the history's events to Kafka and return their number."""
    from simulation import simulate

    with progress_bar() as bar:
        return send_lines(settings, simulate(plan), rate, bar, bar.add_task("events", total=None)).sent


def _span(plan: "Plan") -> str:
    return f"{plan.start} to {plan.until} (exclusive)"
