"""What folding a token event costs a worker's main thread, in each form: `python -m bench.fold_cost`.

No Kafka and no ClickHouse: records of the bench's own load go through one source, piece by piece, and a flush is taken
every 100,000. The forms take turns in one process and must come to the same cells; medians are reported. Ratios carry
to another machine, microseconds do not.
"""

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from aggregators.deduplication import Horizon
from aggregators.source import Source, mark_flushed
from bench.result_files import facts, keep, parser, table
from bench.token_events import Load, events
from tally_client.events import TOKEN
from tests.support.backends import FORMS, form_name
from worker.partition_state import WorkerOptions

FLUSH_EVERY = 100_000
"""Events."""
PARTS = ("read", "judge", "gather", "add", "flush", "all")
"""Records to what they add, looking for duplicates, what is left of preparing, adding to cells, taking what changed."""


class Record(NamedTuple):
    """What a source needs of a record."""

    offset: int
    timestamp: int
    key: bytes
    value: bytes


class Folding:
    """One source of one form, whose parts are timed."""

    def __init__(self, compiled: bool) -> None:
        options = WorkerOptions()
        self.records_at_a_time = options.records_at_a_time
        self.source = Source(TOKEN, f"{TOKEN}/0@0", 0, Horizon(options.block_size, options.blocks), compiled=compiled)
        self.seconds = dict.fromkeys(PARTS, 0.0)
        for part, owner, method in (
            ("read", self.source._reader, "read"),
            ("judge", self.source.horizon, "classify"),
            ("gather", self.source, "prepare"),
            ("add", self.source, "apply"),
            ("flush", self.source, "snapshot"),
        ):
            setattr(owner, method, self._timed(part, getattr(owner, method)))

    def _timed(self, part: str, call: Callable[..., Any]) -> Any:
        def timed(*args: Any) -> Any:
            began = time.thread_time()
            try:
                return call(*args)
            finally:
                self.seconds[part] += time.thread_time() - began

        return timed

    def fold(self, records: Sequence[Record]) -> int:
        """Fold all of them; gives how many cells are open."""
        began = time.thread_time()
        for start in range(0, len(records), self.records_at_a_time):
            piece = list(records[start : start + self.records_at_a_time])
            self.source.apply(self.source.prepare(start, start + len(piece), piece))
            if start % FLUSH_EVERY == 0:
                mark_flushed(self.source.snapshot())
        self.seconds["all"] = time.thread_time() - began
        self.seconds["gather"] -= self.seconds["read"] + self.seconds["judge"]
        return self.source.open_cells


def main() -> None:
    """Run the bench and print its table."""
    options = _options()
    records = _records(options.events)
    runs: dict[str, list[dict[str, float]]] = {form_name(compiled): [] for compiled in FORMS}
    gc.disable()
    for _ in range(options.runs):
        cells = set()
        for compiled in FORMS:
            folding = Folding(compiled)
            cells.add(folding.fold(records))
            runs[form_name(compiled)].append(folding.seconds)
        assert len(cells) == 1, f"the forms have {cells} cells"
    result = _result(options.events, runs)
    keep(options.results, "folding", {**facts(), **result, "runs": runs})
    print(table([{"form": form, **parts} for form, parts in result["us_per_event"].items()]))
    print(f"pure takes {result['ratio_pure_to_compiled']} times as long as compiled")


def _options() -> argparse.Namespace:
    made = parser(__doc__)
    made.add_argument("--events", type=int, default=1_000_000)
    made.add_argument("--runs", type=int, default=3)
    return made.parse_args()


def _records(count: int) -> list[Record]:
    now = int(time.time() * 1000)
    return [Record(offset, now, *each) for offset, each in enumerate(events(Load(events=count)))]


def _result(events_: int, runs: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    us = {
        form: {part: round(1e6 * statistics.median(run[part] for run in all_) / events_, 3) for part in PARTS}
        for form, all_ in runs.items()
    }
    return {"us_per_event": us, "ratio_pure_to_compiled": round(us["pure"]["all"] / us[form_name(FORMS[-1])]["all"], 2)}


if __name__ == "__main__":
    main()
