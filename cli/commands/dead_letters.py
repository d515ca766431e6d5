"""`tally dead-letters list|replay`."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import ascii_json, running_settings, warn
from deploy.counts import counted
from deploy.errors import ExitCode, UserError, printable
from deploy.settings import Settings

if TYPE_CHECKING:
    from streams.dead_letters import DeadLetter, DeadLetterFilter

app = typer.Typer(name="dead-letters", help="Records that cannot be counted.", no_args_is_help=True)

BATCH = 500
CONFLICT = "conflict"
NEW_ID = (
    "To count it, emit it under a new event_id: `tally dead-letters list --reason conflict --json` has its bytes in "
    "value_base64."
)
_SHOWN_BYTES = 160

Topic = Annotated[str | None, typer.Option(help="Only this topic.")]
Reason = Annotated[str | None, typer.Option(help="Only this reason.")]
Since = Annotated[datetime | None, typer.Option(help="Only records received at or after this time (UTC).")]


@app.command("list")
def show(
    context: typer.Context,
    topic: Topic = None,
    reason: Reason = None,
    since: Since = None,
    limit: Annotated[int, typer.Option(min=0, help="Number of letters to print; 0 for all.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document per line, with the bytes.")] = False,
) -> None:
    """Show dead letters, oldest first, and count them by reason."""
    settings = running_settings(context)
    counts = asyncio.run(_show(settings, _filter(topic, reason, since), limit, as_json))
    for name, count in counts.most_common():
        warn(f"{count:,} {name}")
    hidden = counts.total() - limit if limit else 0
    if hidden > 0:
        warn(f"{hidden:,} more are not shown; --limit 0 shows all")


@app.command()
def replay(
    context: typer.Context,
    topic: Topic = None,
    reason: Reason = None,
    since: Since = None,
    everything: Annotated[bool, typer.Option("--all", help="Without a filter: all dead letters.")] = False,
) -> None:
    """Send the bytes of dead letters to their topics again, and remove the letters.

    Letters of people who have since been forgotten are only removed.

    Conflicts (an event_id with two payloads) are left in place: their id belongs to another event, so they count only
    under a new one.
    """
    if not (topic or reason or since or everything):
        raise UserError("No filter was given", "Choose letters with --topic, --reason or --since, or replay --all.")
    if reason == CONFLICT:
        raise UserError(
            "A conflict cannot be replayed: its event_id belongs to another event", NEW_ID, ExitCode.REFUSED
        )
    settings = running_settings(context)
    replayed, forgotten, left = asyncio.run(_replay(settings, _filter(topic, reason, since)))
    typer.echo(f"{counted(replayed, 'letter')} replayed.")
    if forgotten:
        warn(f"{counted(forgotten, 'letter')} of people who have since been forgotten removed, not replayed")
    if left[CONFLICT]:
        warn(
            f"{counted(left[CONFLICT], 'conflict was', 'conflicts were')} left in place: "
            f"the event_id of each belongs to another event. {NEW_ID}"
        )
    if cut := left.total() - left[CONFLICT]:
        warn(f"{counted(cut, 'letter')} with only the beginning of a record left in place")
    raise typer.Exit(ExitCode.FINDINGS if left else ExitCode.OK)


def _filter(topic: str | None, reason: str | None, since: datetime | None) -> "DeadLetterFilter":
    from streams.dead_letters import DeadLetterFilter

    return DeadLetterFilter(topic, reason, since.replace(tzinfo=UTC) if since and since.tzinfo is None else since)


async def _show(settings: Settings, wanted: "DeadLetterFilter", limit: int, as_json: bool) -> Counter[str]:
    counts: Counter[str] = Counter()
    async for letter in _letters(settings, wanted):
        counts[letter.reason] += 1
        if not limit or counts.total() <= limit:
            typer.echo(ascii_json(letter.encoded().decode()) if as_json else _line(letter))
    return counts


async def _replay(settings: Settings, wanted: "DeadLetterFilter") -> tuple[int, int, Counter[str]]:
    """Return how many were replayed, how many are of forgotten people, and how many were left in place by reason."""
    from streams.dead_letters import replay as replay_letters
    from streams.forgotten_dead_letters import forgettings, take_forgotten_away
    from tally_client.emitter import Emitter

    replayed, forgotten, left = 0, 0, Counter[str]()
    options = settings.client_options()
    tombstones = await forgettings(settings.kafka_bootstrap, options)
    async with Emitter(settings.kafka_bootstrap, **options) as emitter:
        async for batch in _batches(_letters(settings, wanted)):
            others = await take_forgotten_away(emitter, batch, tombstones)
            done, remaining = await replay_letters(emitter, others)
            replayed, forgotten = replayed + done, forgotten + len(batch) - len(others)
            left.update(letter.reason for letter in remaining)
    return replayed, forgotten, left


def _letters(settings: Settings, wanted: "DeadLetterFilter") -> "AsyncIterator[DeadLetter]":
    from streams.dead_letters import read_dead_letters

    return read_dead_letters(settings.kafka_bootstrap, wanted, settings.client_options())


async def _batches(letters: AsyncIterator[Any]) -> AsyncIterator[list[Any]]:
    batch: list[Any] = []
    async for letter in letters:
        batch.append(letter)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _line(letter: "DeadLetter") -> str:
    came = datetime.fromtimestamp(letter.timestamp_ms / 1000, UTC).isoformat(timespec="milliseconds")
    value = "null" if letter.value is None else letter.value[:_SHOWN_BYTES].decode(errors="backslashreplace")
    return printable(f"{came} {letter.location} {letter.reason}: {letter.detail} | {value}")
