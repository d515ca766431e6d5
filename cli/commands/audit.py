"""`tally audit`."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Column, Table
from rich.text import Text

from cli.console import out, print_json, running_settings, warn
from deploy.errors import ExitCode, printable


def command(
    context: typer.Context,
    organization: Annotated[str, typer.Option(help="Only this organization's; without it operators' as well.")] = "",
    since: Annotated[datetime | None, typer.Option(help="Only from this moment on (UTC).")] = None,
    limit: Annotated[int, typer.Option(min=0, help="The newest so many; 0 is all.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Look whether entries were changed or taken away.")] = False,
    head: Annotated[str, typer.Option(help="With --verify: a head that it printed before, to stand there still.")] = "",
) -> None:
    """Show who signed in and out, read spend and exported it, oldest first."""
    settings = running_settings(context)
    from deploy.audit import entries, look_at_chain

    if verify:
        chain = look_at_chain(settings, head)
        for line in chain.wrong:
            warn(line)
        standing = "The log is not as it was written" if chain.wrong else "As it was written"
        typer.echo(f"{standing}: {chain.entries:,} entries, head {chain.head or 'none'}.")
        raise typer.Exit(ExitCode.FINDINGS if chain.wrong else ExitCode.OK)

    found = entries(settings, organization, (since or datetime(1970, 1, 1)).replace(tzinfo=UTC), limit)  # noqa: DTZ001
    if as_json:
        print_json([asdict(entry) for entry in found])
        return
    table = Table(
        Column("when", no_wrap=True), "who", "what", "outcome", "route", "filter", "rows", "sha256", "request"
    )
    for entry in found:
        whose = f"{entry.actor} {entry.address}".strip()
        facts = (whose, entry.action, entry.outcome, entry.route, entry.filter, entry.rows, entry.sha256[:12])
        when = f"{entry.moment:%Y-%m-%d %H:%M:%S}"
        table.add_row(when, *(Text(printable(str("" if fact is None else fact))) for fact in facts), entry.request_id)
    out.print(table)
