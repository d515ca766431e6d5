"""`tally doctor`."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from cli.console import out, print_json, running_settings
from deploy.errors import printable

_MARKS = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "problem": "[bold red]problem[/]"}


def command(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check settings, Kafka, ClickHouse and the workers; report problems and how to fix them."""
    settings = running_settings(context)
    from deploy.doctor import exit_code, run

    findings = run(settings)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for each in findings:
            out.print(f"{_MARKS[each.level]} {escape(printable(f'{each.where}: {each.what}'))}", soft_wrap=True)
            if each.remedy:
                out.print(f"   {printable(each.remedy)}", soft_wrap=True, markup=False)
    raise typer.Exit(exit_code(findings))
