"""Options and messages that the commands for organizations, seats and members share."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import print_json, warn

if TYPE_CHECKING:
    from deploy.directory import Outcome

Organization = Annotated[
    str, typer.Option(help="The organization's UUID or name; not needed while there is only one.", show_default=False)
]
OrganizationArgument = Annotated[
    str, typer.Argument(metavar="ORGANIZATION", help="The organization's UUID or name.", show_default=False)
]
People = Annotated[
    list[str],
    typer.Argument(metavar="PERSON...", help="E-mail addresses, or UUIDs of accounts.", show_default=False),
]
Wait = Annotated[
    float,
    typer.Option(min=0, help="Seconds to wait until a worker has folded the change and every command and page has it."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
WAIT = 30.0


def show_outcome(outcome: "Outcome", as_json: bool, wait: float, only_check: bool = False) -> None:
    """Print what was sent, on stderr whether it is visible yet."""
    counts = outcome.counts
    listed = ", ".join(f"{number:,} {kind}" for kind, number in counts.items())
    if as_json:
        print_json({"organization_id": outcome.organization_id, "events": counts, "folded": outcome.is_folded})
    elif not counts:
        typer.echo("Nothing to change: the directory has it so already.")
    elif only_check:
        typer.echo(f"Nothing was sent. It would be {listed}.")
    else:
        typer.echo(f"Sent and confirmed by Kafka: {listed}.")
    if not only_check:
        warn_unless_folded(outcome, wait)


def warn_unless_folded(outcome: "Outcome", wait: float) -> None:
    """Print on stderr that ClickHouse does not have the change yet, if that is so."""
    if not outcome.is_folded:
        waited = f"no worker has folded it within {wait:g} s" if wait else "it waits for a worker"
        warn(f"It is in Kafka, and counts; {waited}. It is shown once a worker has folded it: `tally positions list`.")
