"""`tally export`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.console import answer_to, json_text, progress_bar, running_settings, warn
from deploy.counts import counted
from deploy.errors import UserError, printable
from files.byte_streams import is_stream
from reports.exports.formats import FOCUS_SUFFIXES, ExportFormat, FormatName, focus_form, spend_format
from reports.exports.spend_columns import LAYOUTS, LayoutName
from reports.periods import Kind

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="A UTC day, for --period custom.")]


def command(
    context: typer.Context,
    organization: Annotated[str, typer.Option(help="The organization's UUID.")],
    period: Annotated[Kind, typer.Option(help="Days to export.")] = "mtd",
    start: Day = None,
    end: Day = None,
    provisional: Annotated[bool, typer.Option(help="Include today up to now; the file's name shows it.")] = False,
    what: Annotated[FormatName, typer.Option("--format", help="Spend report, or FOCUS 1.2.")] = "csv",
    columns: Annotated[LayoutName | None, typer.Option(help="Spend report by day (daily), or by channel.")] = None,
    output: Annotated[
        Path | None, typer.Option("--out", help="File to write (FOCUS: .csv, .parquet); - is stdout.")
    ] = None,
    replace: Annotated[bool, typer.Option(help="Replace an existing file of that name.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest.")] = False,
) -> None:
    """Write an organization's spend report or its charges in FOCUS, with a manifest next to it."""
    settings = running_settings(context)
    from deploy.export import export

    form = form_of(what, columns, output)
    first, last = (moment.date() if moment else None for moment in (start, end))
    with progress_bar() as bar:
        task = bar.add_task("rows written", total=None)
        done = export(
            *(settings, organization, period, first, last, provisional, output),
            progress=lambda rows: bar.update(task, completed=rows),
            form=form,
            replace=replace,
        )
    for model in done.unpriced_models:
        warn(f"no price for the model {model}: its amounts are empty in the file")
    if period != "custom" and not provisional and (missing := done.missing_days(settings.clock())):
        warn(f"{missing} not complete yet, so the file ends with {done.period.last}")
    answer = answer_to(output)
    if as_json:
        answer(json_text(done.manifest))
    else:
        rows, days = counted(done.manifest["rows"], "row"), f"{done.period.first} to {done.period.last} UTC"
        answer(printable(f"{done.path}: {rows}, {days}"))


def form_of(what: FormatName, columns: LayoutName | None, output: Path | None) -> ExportFormat:
    """Return the format that the flags select: FOCUS as the file's name ends. Raises UserError if they contradict each
    other."""
    if what == "csv":
        return spend_format(LAYOUTS[columns or "daily"])
    if columns is not None:
        raise UserError("--columns is only for the spend report", f"Remove it, or remove --format {what}.")
    usual, *others = FOCUS_SUFFIXES if what == "focus" else (".parquet",)
    suffix = output.suffix.lower() if output else usual
    if suffix in (usual, *others):
        return focus_form(suffix)
    if output and is_stream(output):
        return focus_form(usual)
    raise UserError(
        f"FOCUS is written to {' or '.join((usual, *others))}, not to {output}",
        "Choose a file with such an ending with --out.",
    )
