"""`tally export`."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deploy.commands.common import print_json, progress_bar, running_settings, warn


class PeriodName(StrEnum):
    """The periods that a report can have."""

    MTD = "mtd"
    LAST_MONTH = "last-month"
    LAST_90_DAYS = "last-90-days"
    CUSTOM = "custom"


class ColumnsName(StrEnum):
    """The columns that a report can have."""

    DAILY = "daily"
    CLAUDE_2026_10 = "claude-2026-10"


Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="A UTC day, for a custom period.")]


def command(
    context: typer.Context,
    organization: Annotated[str, typer.Option(help="The organization's UUID.")],
    period: Annotated[PeriodName, typer.Option(help="Which days.")] = PeriodName.MTD,
    start: Day = None,
    end: Day = None,
    provisional: Annotated[bool, typer.Option(help="Up to now; the file's name says so.")] = False,
    columns: Annotated[ColumnsName, typer.Option(help="Rows by day, or by channel.")] = ColumnsName.DAILY,
    output: Annotated[Path | None, typer.Option("--out", help="The file to write.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest.")] = False,
) -> None:
    """Write an organization's spend report as CSV, with a manifest beside it."""
    settings = running_settings(context)
    from deploy.export import export
    from reports.spend_columns import LAYOUTS

    first, last = (moment.date() if moment else None for moment in (start, end))
    with progress_bar() as bar:
        task = bar.add_task("rows written", total=None)
        done = export(
            *(settings, organization, period.value, first, last, provisional, output),
            progress=lambda rows: bar.update(task, completed=rows),
            layout=LAYOUTS[columns.value],
        )
    for model in done.unpriced_models:
        warn(f"no price for the model {model}: its money is empty in the file")
    if as_json:
        print_json(done.manifest)
    else:
        typer.echo(f"{done.path}: {done.manifest['rows']:,} rows, {done.period.first} to {done.period.last} UTC")
