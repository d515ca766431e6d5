"""`tally positions list|accept`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from cli.confirm import confirm
from cli.console import out, print_json, running_settings, warn
from deploy.counts import counted
from deploy.errors import ExitCode, UserError

if TYPE_CHECKING:
    from deploy.partition_status import PartitionStatus

app = typer.Typer(name="positions", help="Positions of sources in their logs.", no_args_is_help=True)


@app.command("list")
def show(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """Show every source: the next offset to fold, the log's end, the lag, and the watermark."""
    settings = running_settings(context)
    from deploy.partition_status import partition_statuses

    found = partition_statuses(settings)
    if as_json:
        print_json([_as_json(standing) for standing in found])
        return
    table = Table("source", "next offset", "log begins", "log ends", "lag", "watermark (UTC)", "remark")
    for standing in found:
        numbers = (standing.next_offset, standing.log_start, standing.log_end, standing.lag)
        table.add_row(standing.source, *(f"{number:,}" for number in numbers), _moment(standing), _remark(standing))
    out.print(table)


@app.command()
def accept(
    context: typer.Context,
    topic: Annotated[str, typer.Argument(help="The topic, such as tally.token.")],
    partition: Annotated[int, typer.Argument(min=0, help="The number of the partition.")],
    yes: Annotated[bool, typer.Option("--yes", help="Skip the confirmation.")] = False,
) -> None:
    """Accept that records were removed before they were folded: the source continues at its log's start.

    The range is recorded in the table accepted_losses. Running workers continue within seconds.
    """
    settings = running_settings(context)
    from deploy.partition_status import accept_loss, partition_status

    standing = partition_status(settings, topic, partition)
    missing = standing.missing
    if not missing:
        message = f"{standing.source} is at offset {standing.next_offset}, inside its log: nothing is missing"
        raise UserError(message, exit_code=ExitCode.REFUSED)
    warn(
        f"{standing.source}: offsets {missing.start} to {missing.stop - 1} ({len(missing):,}) were removed from the "
        "log before they were folded. Their records will be in no table and no report."
    )
    confirm(f"Continue at offset {missing.stop} without them?", yes)
    accept_loss(settings, standing)
    lost = counted(len(missing), "offset is", "offsets are")
    typer.echo(f"{standing.source} continues at offset {missing.stop}; {lost} accepted as lost.")


def _as_json(standing: "PartitionStatus") -> dict[str, Any]:
    return {
        "source": standing.source,
        "next_offset": standing.next_offset,
        "log_start": standing.log_start,
        "log_end": standing.log_end,
        "lag": standing.lag,
        "watermark": standing.watermark,
        "remark": _remark(standing) or None,
    }


def _moment(standing: "PartitionStatus") -> str:
    return f"{standing.watermark:%Y-%m-%d %H:%M:%S}" if standing.watermark else "unknown"


def _remark(standing: "PartitionStatus") -> str:
    if standing.missing:
        return f"records are gone: tally positions accept {standing.topic} {standing.partition}"
    if standing.is_beyond:
        return f"the topic was recreated: tally epoch {standing.topic}"
    if standing.is_held:
        return f"held back: an open transaction hides offset {standing.readable} and all after it"
    return ""
