"""Whether a worker stays as it is: `python -m bench.soak [--minutes 30 --rate EVENTS_A_SECOND]`.

Half of the full rate (a worker's from a backlog, measured first unless it is given) for so long; every ten seconds its
memory, its open files, and its lag: events that are emitted and not yet stored. Ends with status 1 when one of them
grows: when the median of the last third of the samples is beyond the median of the first third by more than its room,
which is 10 MB and 5 % of memory, 4 open files, and the events of one second. In 30 minutes a steady leak is noticed
from 0.6 MB + 0.3 % a minute on. The first tenth is left out: until then the duplicate horizon fills, and no idle page
has been let go.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from bench.full_rate import add_options, worker_at_full_rate
from bench.result_files import facts, keep, parser, table
from bench.steady_load import Steady, steady
from bench.worker_probe import Tokens, Watched
from streams.topics import topic_specs
from tally_client.events import TOKEN
from tests.support.pipeline import pipeline

WARM_UP = 0.1
"""Share of the samples that is left out."""
KEPT_BYTES = 1 << 30

Measure = Callable[["Sample"], float]


@dataclass(frozen=True)
class Sample:
    """The worker at one moment, `seconds` after the load began."""

    seconds: float
    rss_mb: float
    open_files: float
    lag: float
    open_cells: float


def main() -> int:
    """Run it, print the table, keep the numbers; status 1 when anything grows, or an event is missing or doubled."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder, pipeline(Path(folder)) as running:
        asyncio.run(bound_log(running.settings.kafka_bootstrap))
        worker, full = worker_at_full_rate(running, options)
        tokens = Tokens(running)
        with steady(running, full / 2) as load:
            samples = watch(worker, tokens, load, options.minutes * 60, options.every)
            load.end()
            worker.until(lambda: sum(tokens.stored()) == load.latest().total)
            exact = tokens.counted()["requests"] == load.latest().total
    found = judge(samples, full / 2)
    result = {**facts(), "events_per_second": full / 2, "minutes": options.minutes, "exact": exact, "measures": found}
    keep(options.results, "soak", {**result, "samples": [asdict(sample) for sample in samples]})
    print(table([{"measure": name, **each} for name, each in found.items()]))
    return int(not exact or any(each["grows"] for each in found.values()))


def _options() -> argparse.Namespace:
    made = parser(__doc__)
    add_options(made)
    made.add_argument("--minutes", type=float, default=30.0)
    made.add_argument("--every", type=float, default=10.0, help="seconds between samples (10)")
    return made.parse_args()


async def bound_log(bootstrap: str) -> None:
    """Have Kafka keep a GB of each partition: a worker that runs needs no more, and half an hour makes 20 GB."""
    spec = next(spec for spec in topic_specs() if spec.name == TOKEN)
    bounded = {**spec.config, "retention.bytes": str(KEPT_BYTES)}
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, TOKEN, bounded)])
    finally:
        await admin.close()


def watch(worker: Watched, tokens: Tokens, load: Steady, seconds: float, every: float) -> list[Sample]:
    """A sample every so many seconds. Raises RuntimeError when the worker or the load has ended."""
    began, samples = time.monotonic(), []
    while (now := time.monotonic() - began) < seconds:
        load.refuse_ended()
        lag = load.latest().total - sum(tokens.stored())
        samples.append(Sample(round(now, 1), round(worker.rss_mb, 1), worker.open_files, lag, worker.open_cells))
        time.sleep(max(0.0, len(samples) * every - (time.monotonic() - began)))
    return samples


def judge(samples: Sequence[Sample], rate: float) -> dict[str, dict[str, Any]]:
    """For each measure: medians of the first and last third, growth an hour, room, and whether it grows beyond it."""
    counted = samples[int(len(samples) * WARM_UP) :]
    measures: dict[str, tuple[Measure, Callable[[float], float]]] = {
        "rss_mb": (lambda sample: sample.rss_mb, lambda first: 10 + 0.05 * first),
        "open_files": (lambda sample: sample.open_files, lambda first: 4),
        "lag": (lambda sample: sample.lag, lambda first: rate),
    }
    return {name: _growth(counted, value, room) for name, (value, room) in measures.items()}


def _growth(samples: Sequence[Sample], value: Measure, room: Callable[[float], float]) -> dict[str, Any]:
    third = max(1, len(samples) // 3)
    values = [value(sample) for sample in samples]
    first, last = statistics.median(values[:third]), statistics.median(values[-third:])
    return {
        "first_third": first,
        "last_third": last,
        "slope_an_hour": round(slope([sample.seconds / 3600 for sample in samples], values), 1),
        "room": room(first),
        "grows": last - first > room(first),
    }


def slope(places: Sequence[float], values: Sequence[float]) -> float:
    """Of the straight line through these that is nearest to them."""
    return statistics.linear_regression(places, values).slope if len(places) > 1 else 0.0


if __name__ == "__main__":
    sys.exit(main())
