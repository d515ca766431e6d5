"""The full rate: how many events a second one worker stores from a backlog. Benches under load take shares of it."""

import argparse
import time

from bench.token_events import Load, lines
from bench.worker_probe import Tokens, Watched
from tests.support.pipeline import Pipeline


def add_options(parser: argparse.ArgumentParser) -> None:
    """The full rate as it is given, or how long a backlog measures it."""
    parser.add_argument("--rate", type=float, default=0.0, help="full rate in events a second (measured first)")
    parser.add_argument("--backlog", type=int, default=500_000, help="events that measure the rate (500000)")


def worker_at_full_rate(running: Pipeline, options: argparse.Namespace) -> tuple[Watched, float]:
    """A worker that has stored all there is, and the full rate."""
    if not options.rate:
        running.emit(lines(Load(events=options.backlog, hours=1)))
    worker = Watched(running)
    worker.wait_until_reading()
    return worker, options.rate or round(from_backlog(running, worker, options.backlog))


def from_backlog(running: Pipeline, worker: Watched, backlog: int) -> float:
    """Events a second until the worker, which begins to read, has stored all of the backlog."""
    tokens, began = Tokens(running), time.monotonic()
    worker.until(lambda: sum(tokens.stored()) >= backlog)
    return backlog / (time.monotonic() - began)
