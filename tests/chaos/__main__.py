"""`make chaos`: faults in random order for so many minutes, an independent recount at the end, and the page's table.

python -m tests.chaos --minutes 5                  the short form
python -m tests.chaos --minutes 75 --rate 1200     the long one: some 90 kills over 5 million events
python -m tests.chaos --only worker_killed         one fault again and again

The results go to bench/results/chaos.json, and from there into docs/reliability.md. Exit code 1: anything was wrong.
"""

import argparse
import json
import logging
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from tests.chaos.faults import FAULTS, orders
from tests.chaos.testbed import Field, field
from verify import Verdict

RESULTS = Path("bench/results/chaos.json")
PAGE = Path("docs/reliability.md")
MARKS = ("<!-- written by make chaos -->", "<!-- end -->")


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="make chaos", description="Faults on the real stack under load")
    parser.add_argument("--minutes", type=float, default=5, help="how long (5)")
    parser.add_argument("--rate", type=int, default=300, help="lines a second (300)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the order of the faults")
    parser.add_argument("--only", choices=sorted(FAULTS), nargs="+", help="these faults alone")
    return parser.parse_args()


def suffer(found: Field, asked: argparse.Namespace, console: Console) -> dict[str, list[float]]:
    """Fault after fault until time is up; seconds of recovery by fault."""
    deadline = time.monotonic() + asked.minutes * 60
    names = asked.only or [name for name, fault in FAULTS.items() if fault.least_minutes <= asked.minutes]
    recoveries: dict[str, list[float]] = {name: [] for name in names}
    for name in orders(names, random.Random(asked.seed)):
        FAULTS[name].befall(found)
        recoveries[name].append(found.recovery())
        console.print(
            f"{FAULTS[name].title}: caught up {recoveries[name][-1]:.1f} s later", highlight=False, soft_wrap=True
        )
        if time.monotonic() > deadline:
            break
    return recoveries


def result(asked: argparse.Namespace, found: Field, verdict: Verdict, recoveries: dict[str, list[float]]) -> Any:
    """What is kept of a run."""
    watch = found.reader.watch
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
        "minutes": asked.minutes,
        "seed": asked.seed,
        "events": sum(topic.records for topic in verdict.topics),
        "duplicates": sum(topic.duplicates for topic in verdict.topics),
        "dead_letters": sum(topic.letters for topic in verdict.topics),
        "equal": verdict.equal,
        "different": verdict.different,
        "unfinished": verdict.unfinished,
        "misnamed": found.misnamed()[:20],
        "reader": {"looks": watch.looks, "wrongs": watch.wrongs[:20], "unequal": watch.unequal(found.load.finals)},
        "faults": {name: recovery(FAULTS[name].title, times) for name, times in recoveries.items() if times},
    }


def recovery(title: str, times: list[float]) -> dict[str, Any]:
    """How often a fault befell the field, and how long it took to be caught up again."""
    percentiles = statistics.quantiles(times, n=100, method="inclusive") if len(times) > 1 else times * 99
    return {
        "title": title,
        "times": len(times),
        "p50": round(percentiles[49], 1),
        "p99": round(percentiles[98], 1),
    }


def table(found: Any) -> str:
    """The page's part that a run writes."""
    kept = "every row equal" if found["equal"] else f"**{found['different']} rows differ**"
    cores, day = found["machine"]["cpus"], found["measured_at"][:10]
    rows = sorted(found["faults"].values(), key=lambda each: each["title"])
    return "\n".join(
        (
            f"{found['minutes']:g} minutes on {cores} cores, {day}: {found['events']:,} events of which "
            f"{found['duplicates']:,} duplicates and {found['dead_letters']:,} dead letters; {kept}; a reader looked "
            f"{found['reader']['looks']:,} times and saw {len(found['reader']['wrongs'])} wrong totals.",
            "",
            "| fault | times | caught up after, p50 | p99 |",
            "|---|---|---|---|",
            *(f"| {each['title']} | {each['times']} | {each['p50']} s | {each['p99']} s |" for each in rows),
        )
    )


def write(found: Any) -> None:
    """Keep the results, and put the table into the page."""
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")
    before, _, rest = PAGE.read_text().partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    PAGE.write_text(f"{before}{MARKS[0]}\n{table(found)}\n{MARKS[1]}{after}")


def main() -> int:
    """Run it, and give the exit code."""
    asked, console = arguments(), Console(highlight=False, soft_wrap=True)
    logging.disable(logging.CRITICAL)  # clients say at length that what was killed is away
    with tempfile.TemporaryDirectory() as folder, field(Path(folder), asked.rate) as running:
        running.recovery()
        recoveries = suffer(running, asked, console)
        verdict = running.end()
        found = result(asked, running, verdict, recoveries)
    write(found)
    console.print(table(found))
    is_wrong = any((found["misnamed"], found["reader"]["wrongs"], found["reader"]["unequal"]))
    return int(not found["equal"] or is_wrong)


if __name__ == "__main__":
    sys.exit(main())
