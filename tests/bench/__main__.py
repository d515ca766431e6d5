"""`make bench`: one worker from Kafka to confirmed exact rows, against its limit and against a naive Faust agent.

All in one run on one machine over the same topic; the systems take turns, and medians are reported. Ratios are what
carries to another machine. Results are kept as JSON under bench/results/.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from deploy.connections import store_of
from deploy.simulation import Line
from deploy.stack import environment_of, prepare
from streams.events import TOKEN
from tests.bench.environments import command_of
from tests.bench.events import Load, events
from tests.pipeline import Pipeline, pipeline

RESULTS = Path("bench/results")
SYSTEMS = ("librdkafka", "clickhouse", "raw", "tally", "naive_faust")


def main() -> None:
    """Run the bench and print its table."""
    options = _options()
    load = Load(events=options.events, hours=options.hours, people=options.people)
    with tempfile.TemporaryDirectory() as folder, pipeline(Path(folder)) as running:
        running.emit(_lines(load))
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in SYSTEMS}
        for number in range(options.runs):
            runs["librdkafka"].append(_alone("librdkafka", running, load.events))
            runs["clickhouse"].append(_peer("clickhouse", running, load.events))
            runs["raw"].append(_peer("raw", running, load.events))
            runs["tally"].append(_tally(running, load.events, number))
            runs["naive_faust"].append(_peer("naive-faust", running, options.naive_events))
    result = _result(load, runs)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "worker.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--people", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--naive-events", type=int, default=30_000)
    return parser.parse_args()


def _lines(load: Load) -> Iterator[Line]:
    return (Line(TOKEN, key, value, "") for key, value in events(load))


def _peer(name: str, running: Pipeline, wanted: int) -> dict[str, float]:
    return _measured([sys.executable, "-m", "tests.bench.peers", name, running.settings.kafka_bootstrap, str(wanted)])


def _alone(name: str, running: Pipeline, wanted: int) -> dict[str, float]:
    return _measured(command_of(name, running.settings.kafka_bootstrap, TOKEN, str(wanted)))


def _measured(command: list[str]) -> dict[str, float]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    measured: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return measured


def _tally(running: Pipeline, wanted: int, number: int) -> dict[str, float]:
    """One fresh worker over a fresh database: from its first stored position to the last event's."""
    settings = running.settings.model_copy(
        update={"clickhouse_database": f"bench_{number}", "consumer_group": f"bench-{number}"}
    )
    prepare(settings)
    log = running.folder / f"bench-{number}.log"
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [sys.executable, "-m", "deploy.cli", "worker"],
            env={**os.environ, **environment_of(settings)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        return _watch(psutil.Process(worker.pid), settings, wanted, log)
    finally:
        worker.terminate()
        worker.wait()


def _watch(process: psutil.Process, settings: Any, wanted: int, log: Path) -> dict[str, float]:
    while b"reading" not in log.read_bytes():
        _refuse_ended(process, log)
        time.sleep(0.01)
    began, cpu_began = time.perf_counter(), _cpu(process)
    store = store_of(settings)
    while sum(position.next_offset for position in store.positions().values()) < wanted:
        _refuse_ended(process, log)
        time.sleep(0.1)
    seconds, cpu = time.perf_counter() - began, _cpu(process) - cpu_began
    cells = store.client.query("SELECT count() FROM spend_cells FINAL").result_rows[0][0]
    peak = int(next(x for x in Path(f"/proc/{process.pid}/status").read_text().splitlines() if "VmHWM" in x).split()[1])
    return {"events": wanted, "seconds": seconds, "cpu_seconds": cpu, "peak_rss_mb": peak / 1024, "cells": cells}


def _refuse_ended(process: psutil.Process, log: Path) -> None:
    """A worker that has ended would be waited for without end."""
    if process.status() == psutil.STATUS_ZOMBIE:
        raise RuntimeError(f"the worker ended: {log.read_text()[-2000:]}")


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _result(load: Load, runs: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    rate = {name: statistics.median(run["events"] / run["seconds"] for run in all_) for name, all_ in runs.items()}
    cpu = {
        name: statistics.median(1e6 * run["cpu_seconds"] / run["events"] for run in all_) for name, all_ in runs.items()
    }
    # A core's time for an event in ClickHouse's Kafka engine is at least that of its library and of its parser.
    bound = 1e6 / (cpu["librdkafka"] + cpu["clickhouse"])
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
        "versions": {name: version(name) for name in ("faust-streaming", "aiokafka", "msgspec", "chdb")},
        "load": vars(load),
        "open_cells": max(run["cells"] for run in runs["tally"]),
        "events_per_second": round(rate["tally"]),
        "cpu_us_per_event": round(cpu["tally"], 2),
        "peak_rss_mb": round(max(run["peak_rss_mb"] for run in runs["tally"])),
        "librdkafka_events_per_second": round(rate["librdkafka"]),
        "clickhouse_parse_and_group_events_per_second": round(rate["clickhouse"]),
        "kafka_engine_bound_events_per_second": round(bound),
        "raw_events_per_second": round(rate["raw"]),
        "naive_faust_events_per_second": round(rate["naive_faust"]),
        "ratio_clickhouse_kafka_engine": round(rate["tally"] / bound, 3),
        "ratio_raw_limit": round(rate["tally"] / rate["raw"], 3),
        "ratio_naive_faust": round(rate["tally"] / rate["naive_faust"], 1),
        "runs": runs,
    }


if __name__ == "__main__":
    main()
