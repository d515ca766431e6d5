"""`python -m tests.simulation`: many histories, or the seeds at which a planted fault is noticed.

python -m tests.simulation --seeds 10000            all must end exact; exit code 1 otherwise
python -m tests.simulation --seeds 1 --from 4711    one history again
python -m tests.simulation --fault no_read_back     how often, and how soon, this fault is noticed
python -m tests.simulation --form pure              of the form that is the reference; without it seeds take turns
"""

import argparse
import os
import sys
import time
from collections import Counter

from rich.console import Console
from rich.progress import track

from aggregators.backend import HAS_COMPILED
from tests.simulation.faults import FAULTS
from tests.simulation.parallel import CHUNK, outcomes

SHOWN = 10
PURE, COMPILED = (False,), (True,)
FORMS = {"pure": PURE, "compiled": COMPILED, "both": PURE + COMPILED} if HAS_COMPILED else {"pure": PURE}


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description="Seeded histories of the worker")
    parser.add_argument("--seeds", type=int, default=1000, help="how many histories (1000)")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed (0)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (one for each core)")
    parser.add_argument("--form", choices=FORMS, default=next(reversed(FORMS)), help="of the workers (both, in turns)")
    parser.add_argument("--fault", choices=sorted(FAULTS), default="", help="plant this fault, and count who notices")
    return parser.parse_args()


def main() -> int:
    """Run the histories, print what was wrong, and give the exit code."""
    asked, console = arguments(), Console()
    started, wrong, steps, met = time.monotonic(), [], 0, Counter[str]()
    chunks = outcomes(asked.first, asked.seeds, asked.jobs, asked.fault, FORMS[asked.form])
    for chunk in track(chunks, "histories", total=-(-asked.seeds // CHUNK), console=Console(stderr=True)):
        wrong += [outcome for outcome in chunk if outcome.wrong]
        steps += sum(outcome.steps for outcome in chunk)
        for outcome in chunk:
            met += outcome.met
    for outcome in wrong[:SHOWN]:
        console.print(f"seed {outcome.seed}: {outcome.wrong}", highlight=False, soft_wrap=True)
    rate = asked.seeds / (time.monotonic() - started)
    said = f"{asked.seeds} histories ({asked.form}), {steps} steps, {len(wrong)} wrong, {rate:.0f} a second"
    console.print(said, highlight=False)
    console.print(", ".join(f"{times:,} {what}" for what, times in met.most_common()), highlight=False, soft_wrap=True)
    if wrong and not asked.fault:
        again = f"python -m tests.simulation --seeds 1 --from {wrong[0].seed} --form {asked.form}"
        console.print(f"one again: {again}", highlight=False)
    return int(bool(wrong) != bool(asked.fault))


if __name__ == "__main__":
    sys.exit(main())
