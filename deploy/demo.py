"""`tally demo`: all of Tally on this machine, with a month of simulated history and a verification of its numbers."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from aiokafka.errors import KafkaError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.connections import open_store
from deploy.counts import counted
from deploy.demo_traffic import play
from deploy.errors import UserError, printable
from deploy.export import export
from deploy.login_links import LINK_MINUTES, links_to_show
from deploy.settings import Settings
from deploy.up import up
from deploy.verify import verify
from deploy.wait_for_tables import wait_until_folded
from files.errors import FileError
from queries.errors import RefusedError
from simulation import Plan, simulate
from streams.log import KafkaLog
from tally_client.emitter import EmitError, Emitter
from tally_client.events import EVENTS_BY_TOPIC
from verify.verdict import Verdict

WATERMARK_SECONDS = 60.0
"""How long the demo waits for a watermark past its history: normally about six seconds."""


@dataclass
class DemoStats:
    """Figures of a demo run, for its summary."""

    records: int
    emit_seconds: float
    fold_seconds: float


def run(settings: Settings, command: Sequence[str], plan: Plan | None = None, exit_when_done: bool = False) -> int:
    """Start the stack, emit the plan's history, export, verify and print a summary; return the verification's exit
    code.

    `command` is how `tally` is started. Without `exit_when_done` the stack runs until Ctrl-C, with light traffic.
    History that is already in the log is not sent again: past the duplicate horizon it would count twice.
    """
    console = Console(highlight=False)
    plan = plan or Plan(until=settings.clock().date(), users=450, duplicates=0.01, late=0.01, poison=0.002)
    console.print("[bold]Tally demo[/]: Kafka, ClickHouse, a Faust worker and the export worker, on this machine")

    def work(running: Settings) -> int:
        code = _show(running, plan, console)
        if not exit_when_done:
            _invite(running, console)
            console.print(
                "\nThe stack keeps running, with light traffic, until Ctrl-C; `tally top` in another terminal shows it."
            )
            _play_on(running)
        return code

    return up(settings, command, until=work, console=None)


def _play_on(settings: Settings) -> NoReturn:
    """Emit light traffic until the process ends; while Kafka is away, for instance at the end, wait for it."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it reports every attempt to reach a broker that stops
    while True:
        with suppress(EmitError, KafkaError):
            asyncio.run(play(settings))
        time.sleep(5)


def _invite(settings: Settings, console: Console) -> None:
    """Print links that open the dashboard, signed in."""
    for whom, link in links_to_show(settings).items():
        console.print(
            f"\nThe dashboard, as {whom} (opens once, for {LINK_MINUTES} minutes):\n[bold]{link}[/]", soft_wrap=True
        )


def _show(settings: Settings, plan: Plan, console: Console) -> int:
    told = _load(settings, plan, console)
    _wait_for_watermark(settings)
    reports = _export_all(settings, console)
    verdict = _verify(settings, console)
    console.print(_summary(settings, told, reports, verdict))
    return verdict.exit_code


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)


def _load(settings: Settings, plan: Plan, console: Console) -> DemoStats:
    with _bar(console) as bar:
        sending = bar.add_task("simulating and emitting", total=None)
        began = time.monotonic()
        if asyncio.run(_log_is_empty(settings)):
            asyncio.run(_emit(settings, plan, lambda sent: bar.update(sending, completed=sent)))
        emit_seconds = time.monotonic() - began
        folding = bar.add_task("folding into ClickHouse", total=None)
        records = wait_until_folded(settings, 120, lambda done, total: bar.update(folding, completed=done, total=total))
        bar.update(sending, total=records, completed=records)
    return DemoStats(records, emit_seconds, time.monotonic() - began)


async def _log_is_empty(settings: Settings) -> bool:
    async with KafkaLog(settings.kafka_bootstrap, settings.client_options()) as log:
        ends = await log.end_offsets(await log.partitions(EVENTS_BY_TOPIC))
    return not any(found.end for found in ends.values())


async def _emit(settings: Settings, plan: Plan, on_sent: Callable[[int], None]) -> None:
    async with Emitter(settings.kafka_bootstrap, **settings.client_options()) as emitter:
        for sent, line in enumerate(simulate(plan), start=1):
            await emitter.emit_raw(line.topic, line.key, line.value)
            if sent % 1000 == 0:
                on_sent(sent)


def _wait_for_watermark(settings: Settings) -> None:
    """Wait until the watermark is past the end of the history, because reports end at the newest complete day."""
    store, deadline = open_store(settings), time.monotonic() + WATERMARK_SECONDS
    emitted_at = settings.clock()
    while time.monotonic() < deadline:
        positions = store.positions().values()
        if positions and min(position.watermark for position in positions) >= emitted_at:
            return
        time.sleep(0.3)


def _export_all(settings: Settings, console: Console) -> list[tuple[str, str, Path | None]]:
    """Return (organization's name, net spend or why there is no report, file) for each organization and the last 90
    days."""
    client = open_store(settings).client
    sql = "SELECT toString(organization_id), name FROM organization_names ORDER BY name"
    rows = client.query(sql).result_rows
    reports: list[tuple[str, str, Path | None]] = []
    for organization, name in rows:
        out = settings.data_dir / "exports" / f"spend-{organization}.csv"
        out.parent.mkdir(parents=True, exist_ok=True)
        try:
            exported = export(settings, organization, "last-90-days", out=out, replace=True)
        except (UserError, RefusedError, FileError) as refused:
            reports.append((name, str(refused), None))
            continue
        reports.append((name, f"{exported.net_spend} net", exported.path))
        for model in exported.unpriced_models:
            said = escape(printable(f"{name}: no price for model {model}, so its amounts are empty"))
            console.print(f"[yellow]{said}[/]")
    return reports


def _verify(settings: Settings, console: Console) -> Verdict:
    with _bar(console) as bar:
        task = bar.add_task("verifying", total=None)
        return verify(
            settings,
            on_progress=lambda what, done, total: bar.update(
                task, description=what, completed=done, total=total or None
            ),
        )


def _summary(
    settings: Settings, told: DemoStats, reports: list[tuple[str, str, Path | None]], verdict: Verdict
) -> Table:
    table = Table(title="Summary", show_header=False)
    client = open_store(settings).client
    people = client.query("SELECT uniqExact(actor_id) FROM spend_cells WHERE actor_type = 'user'").result_rows[0][0]
    table.add_row("records through Kafka", f"{told.records:,}")
    table.add_row("organizations, people", f"{len(reports)}, {people}")
    table.add_row("time to exact rows", f"{told.fold_seconds:.1f} s, including emitting")
    table.add_row("duplicates not counted", f"{sum(topic.duplicates for topic in verdict.topics):,}")
    table.add_row("dead letters", f"{sum(topic.letters for topic in verdict.topics):,}")
    for name, outcome, path in reports:
        table.add_row(escape(printable(f"spend of {name}"[:60])), outcome + (f"\n{_short(path)}" if path else ""))
    rows = sum(result.compared for result in verdict.tables)
    different = counted(verdict.different, "row differs", "rows differ")
    equal = "equal everywhere" if verdict.equal else f"[red]{different}[/]"
    table.add_row("independent recount", f"{counted(rows, 'row')} compared: {equal}")
    return table


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
