"""`tally audit`."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Column, Table
from rich.text import Text

from cli.console import out, print_json, running_settings, warn
from deploy.counts import counted
from deploy.errors import ExitCode, printable


def command(
    context: typer.Context,
    organization: Annotated[
        str, typer.Option(help="Only this organization; without it, all organizations and operators.")
    ] = "",
    since: Annotated[datetime | None, typer.Option(help="Only entries from this time (UTC).")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Number of newest entries; 0 for all.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Verify that no entry was changed or removed.")] = False,
    head: Annotated[
        str, typer.Option(help="With --verify: check that a head it printed earlier is still in the log.")
    ] = "",
) -> None:
    """Show who signed in and out, read spend and exported it, oldest first."""
    settings = running_settings(context)
    from deploy.audit import entries, look_at_chain

    if verify:
        chain = look_at_chain(settings, head)
        for line in chain.wrong:
            warn(line)
        standing = "The log has been changed" if chain.wrong else "The log is unchanged"
        typer.echo(f"{standing}: {counted(chain.entries, 'entry', 'entries')}, head {chain.head or 'none'}.")
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
