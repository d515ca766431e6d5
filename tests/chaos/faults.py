"""What befalls a field: each fault is done and healed when its function returns; recovery is measured from then."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM
from typing import Any
from uuid import uuid4

from intake.ndjson import ProducerRecord
from tests.chaos.load import tokens
from tests.chaos.testbed import Field
from tests.support.incidents import eventually

BEYOND_SESSION = 9.0
"""Seconds after which a worker that stands still has lost its partitions (its session time-out is 6)."""
POISON = 4_000


@dataclass(frozen=True)
class Fault:
    """`title` names it in the table; runs of fewer than `least_minutes` leave it out.

    Once each fault has been there, it comes `share` times a round, and in a whole run not more than `most` times.
    """

    title: str
    befall: Callable[[Field], None]
    least_minutes: float = 0
    share: int = 1
    most: int = 1_000_000


FAULTS: dict[str, Fault] = {}


def fault(title: str, **rest: Any) -> Callable[[Callable[[Field], None]], Callable[[Field], None]]:
    """Enter a function in FAULTS under its own name; `rest` are the fields of Fault."""

    def enter(befall: Callable[[Field], None]) -> Callable[[Field], None]:
        FAULTS[befall.__name__] = Fault(title, befall, **rest)
        return befall

    return enter


def orders(names: Sequence[str], dice: random.Random) -> Iterator[str]:
    """Each fault once, then round after round each as often as its share; the order within a round is random.

    Ends when each has come as often as it may.
    """
    left = {name: FAULTS[name].most for name in names}
    a_round = list(names)
    while any(left.values()):
        for name in dice.sample(a_round, len(a_round)):
            if left[name]:
                left[name] -= 1
                yield name
        a_round = [name for name in names for _ in range(FAULTS[name].share)]


@fault("`kill -9` of a worker, started again at once", share=10)
def worker_killed(field: Field) -> None:
    field.replace(SIGKILL)


@fault("`kill -9` of ClickHouse in the midst of an insert")
def clickhouse_killed(field: Field) -> None:
    field.proxy.inserting.clear()
    assert field.proxy.inserting.wait(20), "no worker inserts"
    field.restart_clickhouse(away=0.0)


@fault("ClickHouse away for 10 s")
def clickhouse_away(field: Field) -> None:
    field.restart_clickhouse(away=10.0)


@fault("ClickHouse away for 60 s", least_minutes=15, most=5)
def clickhouse_away_a_minute(field: Field) -> None:
    field.restart_clickhouse(away=60.0)


@fault("ClickHouse away for 10 min", least_minutes=60, most=1)
def clickhouse_away_ten_minutes(field: Field) -> None:
    field.restart_clickhouse(away=600.0)


@fault("Kafka restarted, away for 4 s")
def kafka_restarted(field: Field) -> None:
    field.restart_kafka(away=4.0)


@fault("SIGSTOP of a worker past its session, then SIGCONT")
def worker_frozen(field: Field) -> None:
    worker = field.workers[0]
    worker.send_signal(SIGSTOP)
    time.sleep(BEYOND_SESSION)
    worker.send_signal(SIGCONT)


@fault("a worker joins, and leaves under SIGTERM", share=3)
def worker_joins_and_leaves(field: Field) -> None:
    field.visit()


@fault("rolling restart under SIGTERM")
def rolling_restart(field: Field) -> None:
    for _ in tuple(field.workers):
        field.replace(SIGTERM)
        time.sleep(3)


@fault("connections to ClickHouse cut for 5 s")
def connections_cut(field: Field) -> None:
    field.proxy.turn("cut")
    time.sleep(5)
    field.proxy.turn("pass")


@fault("connections to ClickHouse delayed by up to 1.5 s a packet, for 8 s")
def connections_delayed(field: Field) -> None:
    field.proxy.turn("delay")
    time.sleep(8)
    field.proxy.turn("pass")


@fault("connections to ClickHouse truncated after up to 6,000 bytes, for 8 s")
def connections_truncated(field: Field) -> None:
    field.proxy.turn("truncate")
    time.sleep(8)
    field.proxy.turn("pass")


@fault("100 % poison on a topic: its source stops, and continues once it is allowed to")
def all_poison(field: Field) -> None:
    field.load.add(ProducerRecord("tally.session", b"key", b"not JSON", "") for _ in range(POISON))
    if "dead_letter_limit" not in field.changed:
        eventually(lambda: field.said("of its latest records are dead letters"))
        field.changed["dead_letter_limit"] = 1.0
        for _ in tuple(field.workers):
            field.replace(SIGTERM)


@fault("clocks off by 24 h: producers ahead and behind, a worker behind")
def clocks_off(field: Field) -> None:
    day = timedelta(days=1)
    field.load.add((*tokens(str(uuid4()), 200, ago=day), *tokens(str(uuid4()), 200, ago=-day)))
    field.visit(now=datetime.now(UTC) - day)


@fault("partitions added to every topic; keys of people and organizations move while they are told of", most=3)
def partitions_added(field: Field) -> None:
    field.grow()


@fault("events that come days late")
def days_late(field: Field) -> None:
    for days in range(1, 12):
        field.load.add(tokens(str(uuid4()), 30, ago=timedelta(days=days)))
    time.sleep(2)
