"""`python -m tests.api.fuzz --cases 20000`: the long form, over a simulated world of its own.

Schemathesis makes half of the requests, from the OpenAPI document, and `odd` the others, which no document describes.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.api.fuzz.odd import credentials_of, odd_requests
from tests.api.fuzz.running import fuzz
from tests.support.api_server import context_of, make_keys, serve
from tests.support.group_events import extra_events
from tests.support.people import people_events
from tests.support.simulated_world import make_world
from tests.support.stack import start_clickhouse

EXAMPLES = 100
"""Of each operation in one run of schemathesis."""


def main() -> int:
    """0 when nothing was wrong in at least as many cases as were asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = start_clickhouse(Path(folder) / "clickhouse")
        try:
            return _fuzz(server.child.url, asked.cases, asked.seed, Path(folder))
        finally:
            server.stop()


def _fuzz(clickhouse: str, cases: int, seed: int, folder: Path) -> int:
    world = make_world(clickhouse, "fuzz", extra=lambda events: extra_events(events) + people_events())
    total, phases = 0, "coverage,fuzzing"
    with serve(context_of(world)) as served:
        key = make_keys(world)[world.organizations[0]]
        credentials = credentials_of(world, served, key)
        while total < cases:
            outcome = fuzz(served.base_url, key, EXAMPLES, folder, seed, phases)
            wrong = odd_requests(served, credentials, outcome.cases, seed)
            total, seed, phases = total + 2 * outcome.cases, seed + 1, "fuzzing"
            print(f"{total} cases; {outcome.answered} valid ones of the last {outcome.cases} answered", flush=True)
            if wrong or not outcome.passed:
                print(outcome.said, *wrong, sep="\n")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
