"""`make bench`: one worker from Kafka to confirmed exact rows, against its limit and against others that do the like.

All in one run on one machine over the same topic; the systems take turns, and medians are reported. Ratios are what
carries to another machine. Results are kept as JSON under bench/results/.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.peer_environments import command_of, pins
from bench.result_files import facts, keep, parser, table
from bench.token_events import Load, lines
from bench.worker_probe import Tokens, Watched, fresh
from tally_client.events import TOKEN
from tests.support.pipeline import Pipeline, pipeline

PEERS = {"confluent-kafka": "librdkafka", "quixstreams": "quix_window", "bytewax": "bytewax_map"}
"""The package that is measured, and the environment that pins it."""

Took = dict[str, float]
"""What a run took: events, seconds, cpu_seconds, and what else it tells."""


def main() -> None:
    """Run the bench and print its table."""
    options = _options()
    load = Load(events=options.events, hours=options.hours, people=options.people)
    with tempfile.TemporaryDirectory() as folder, pipeline(Path(folder)) as running:
        running.emit(lines(load))
        systems = _systems(running, options)
        runs: dict[str, list[Took]] = {name: [] for name in systems}
        for _ in range(options.runs):
            for name, run in systems.items():
                runs[name].append(run())
    result = _result(load, runs)
    keep(options.results, "worker", result)
    print(json.dumps({name: value for name, value in result.items() if name != "runs"}, indent=2))
    print(table([_row(name, all_) for name, all_ in runs.items()]))


def _options() -> argparse.Namespace:
    made = parser(__doc__)
    made.add_argument("--events", type=int, default=1_000_000)
    made.add_argument("--hours", type=int, default=24)
    made.add_argument("--people", type=int, default=2_000)
    made.add_argument("--runs", type=int, default=3)
    made.add_argument("--naive-events", type=int, default=30_000, help="that naive Faust reads")
    made.add_argument("--peer-events", type=int, default=200_000, help="that Quix Streams and Bytewax read")
    return made.parse_args()


def _systems(running: Pipeline, options: argparse.Namespace) -> dict[str, Callable[[], Took]]:
    """How each system has its turn, in this order. The slow ones read less of the topic."""
    peers = min(options.peer_events, options.events)
    return {
        "librdkafka": lambda: _alone("librdkafka", running, options.events),
        "clickhouse": lambda: _peer("clickhouse", running, options.events),
        "raw": lambda: _peer("raw", running, options.events),
        "tally": lambda: _tally(running, options.events),
        "tally_pure": lambda: _tally(running, options.events, fold_backend="pure"),
        "naive_faust": lambda: _peer("naive-faust", running, options.naive_events),
        "quix": lambda: _alone("quix_window", running, peers),
        "bytewax": lambda: _alone("bytewax_map", running, peers),
    }


def _peer(name: str, running: Pipeline, wanted: int) -> Took:
    return _measured([sys.executable, "-m", "bench.peers", name, running.settings.kafka_bootstrap, str(wanted)])


def _alone(name: str, running: Pipeline, wanted: int) -> Took:
    return _measured(command_of(name, running.settings.kafka_bootstrap, TOKEN, str(wanted)))


def _measured(command: list[str]) -> Took:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
    measured: Took = json.loads(done.stdout.strip().splitlines()[-1])
    return measured


def _tally(running: Pipeline, wanted: int, **changed: object) -> Took:
    """One fresh worker over a fresh database: from when it reads until its last event is stored."""
    database = f"bench_{len(running.workers)}"
    worker, tokens = Watched(running, **fresh(running, database), **changed), Tokens(running, database)
    worker.wait_until_reading()
    began, cpu_began = time.perf_counter(), worker.cpu
    worker.until(lambda: sum(tokens.stored()) >= wanted)
    seconds, cpu, peak = time.perf_counter() - began, worker.cpu - cpu_began, worker.peak_mb
    worker.end()
    cells = tokens.counted()["cells"]
    return {"events": wanted, "seconds": seconds, "cpu_seconds": cpu, "peak_rss_mb": peak, "cells": cells}


def _row(system: str, runs: list[Took]) -> dict[str, object]:
    return {"system": system, "events_per_second": round(_rate(runs)), "cpu_us_per_event": _cpu_us(runs)}


def _rate(runs: list[Took]) -> float:
    return statistics.median(run["events"] / run["seconds"] for run in runs)


def _cpu_us(runs: list[Took]) -> float:
    return statistics.median(1e6 * run["cpu_seconds"] / run["events"] for run in runs)


def _result(load: Load, runs: dict[str, list[Took]]) -> dict[str, Any]:
    rate = {name: _rate(all_) for name, all_ in runs.items()}
    cpu = {name: _cpu_us(all_) for name, all_ in runs.items()}
    # A core's time for an event in ClickHouse's Kafka engine is at least that of its library and of its parser.
    bound = 1e6 / (cpu["librdkafka"] + cpu["clickhouse"])
    return {
        **facts(),
        "peers": {name: pins(each)[name] for name, each in PEERS.items()},
        "load": vars(load),
        "open_cells": max(run["cells"] for run in runs["tally"]),
        "events_per_second": round(rate["tally"]),
        "cpu_us_per_event": round(cpu["tally"], 2),
        "pure_events_per_second": round(rate["tally_pure"]),
        "pure_cpu_us_per_event": round(cpu["tally_pure"], 2),
        "peak_rss_mb": round(max(run["peak_rss_mb"] for run in runs["tally"])),
        "librdkafka_events_per_second": round(rate["librdkafka"]),
        "clickhouse_parse_and_group_events_per_second": round(rate["clickhouse"]),
        "kafka_engine_bound_events_per_second": round(bound),
        "raw_events_per_second": round(rate["raw"]),
        "naive_faust_events_per_second": round(rate["naive_faust"]),
        "quix_events_per_second": round(rate["quix"]),
        "bytewax_events_per_second": round(rate["bytewax"]),
        "ratio_pure_to_compiled_cpu": round(cpu["tally_pure"] / cpu["tally"], 2),
        "ratio_clickhouse_kafka_engine": round(rate["tally"] / bound, 3),
        "ratio_raw_limit": round(rate["tally"] / rate["raw"], 3),
        "ratio_naive_faust": round(rate["tally"] / rate["naive_faust"], 1),
        "ratio_quix": round(rate["tally"] / rate["quix"], 2),
        "ratio_bytewax": round(rate["tally"] / rate["bytewax"], 2),
        "runs": runs,
    }


if __name__ == "__main__":
    main()
