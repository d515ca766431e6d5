"""`tally verify`."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from deploy.commands.common import out, print_json, progress_bar, running_settings, warn

if TYPE_CHECKING:
    from deploy.verify import Verdict


def command(
    context: typer.Context,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for the tables to reach the log's end.")] = 60.0,
    show: Annotated[int, typer.Option(min=0, help="Differences to show of each table.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Recount the log in plain Python, compare with ClickHouse, and name every difference."""
    settings = running_settings(context)
    from deploy.verify import run

    with progress_bar() as bar:
        task = bar.add_task("starting", total=None)
        verdict = run(
            settings,
            wait_seconds=wait,
            show=show,
            on_progress=lambda what, done, total: bar.update(
                task, description=what, completed=done, total=total or None
            ),
        )
    if as_json:
        print_json(verdict.as_json())
    else:
        _tell(verdict)
    raise typer.Exit(verdict.exit_code)


def _tell(verdict: "Verdict") -> None:
    table = Table("table", "rows compared", "still moving", "different")
    for result in verdict.tables:
        table.add_row(result.name, f"{result.compared:,}", f"{result.moving:,}", f"{result.different:,}")
    out.print(table)
    for result in verdict.tables:
        for each in result.differences:
            out.print(f"{result.name} {each.key}: the log says {each.expected}, the table {each.found} {each.offsets}")
    for line in (*verdict.unfinished, *verdict.notes):
        warn(line)
    typer.echo("Equal everywhere." if verdict.equal else f"NOT equal: {verdict.different:,} rows differ.")
