"""One worker over a mix of all topics: `python -m bench.topic_mix [--users N --days N --runs N]`.

The log is a simulated history: chats, files, projects, artifacts, connectors, sessions, usage, directory and profiles,
in the shares that people make them, with some records out of order. Time and CPU are counted from when the worker reads
until its last record is stored.
"""

import argparse
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench.result_files import facts, keep, parser, table
from bench.worker_probe import Watched, fresh
from deploy.connections import open_store
from intake.ndjson import ProducerRecord
from simulation import Plan, simulate
from tally_client.events import PROFILES
from tests.support.pipeline import Pipeline, pipeline


def main() -> None:
    """Run it, print the table, keep the numbers."""
    options = _options()
    plan = Plan(until=datetime.now(UTC).date(), users=options.users, days=options.days)
    topics: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, pipeline(Path(folder)) as running:
        running.emit(_counted(simulate(plan), topics, running.settings.partitions))
        records = topics.total()
        runs = [measure(running, records) for _ in range(options.runs)]
    middle = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    keep(options.results, "mix", {**facts(), "records": records, "topics": dict(topics), **middle, "runs": runs})
    print(table([{"records": records, **middle}]))


def _options() -> argparse.Namespace:
    made = parser(__doc__)
    made.add_argument("--users", type=int, default=2_000)
    made.add_argument("--days", type=int, default=10)
    made.add_argument("--runs", type=int, default=3)
    return made.parse_args()


def _counted(lines: Iterator[ProducerRecord], topics: Counter[str], partitions: int) -> Iterator[ProducerRecord]:
    """The lines, and the records that they become: who is forgotten is forgotten in each partition."""
    for line in lines:
        topics[line.topic] += partitions if (line.topic, line.value) == (PROFILES, None) else 1
        yield line


def measure(running: Pipeline, records: int) -> dict[str, float]:
    """One fresh worker over a fresh database."""
    changed = fresh(running, f"mix_{len(running.workers)}")
    store = open_store(running.settings.model_copy(update=changed))
    worker = Watched(running, **changed)
    worker.wait_until_reading()
    began, cpu_began = time.perf_counter(), worker.cpu
    worker.until(lambda: sum(position.next_offset for position in store.positions().values()) >= records)
    seconds, cpu = time.perf_counter() - began, worker.cpu - cpu_began
    found = {
        "events_per_second": round(records / seconds),
        "cpu_us_per_event": round(1e6 * cpu / records, 2),
        "peak_rss_mb": round(worker.peak_mb),
        "stored": sum(position.next_offset for position in store.positions().values()),
    }
    worker.end()
    return found


if __name__ == "__main__":
    main()
