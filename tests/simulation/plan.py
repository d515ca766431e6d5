"""What kind of history a seed is: sizes, limits, and how much goes wrong."""

from dataclasses import dataclass, replace
from random import Random

from worker.partition_state import WorkerOptions

TOPICS = ("tally.token", "tally.chat")
Partition = tuple[str, int]
INCIDENTS = ("", "", "", "restored", "restored", "restored", "grown", "recreated", "cut")
"""Besides the daily trouble: a ClickHouse restored from a backup into other tables; a partition added; a topic
recreated with other records; a log of which a start was deleted that is not in the tables yet."""


@dataclass(frozen=True)
class Plan:
    """The dimensions of one history. Times are virtual seconds; each partition has one of so many `transactions`.

    Of the partitions those `added` come when half of the trouble is over, if the incident is "grown". Without people
    each has so many `records`; of people so many things are told.
    """

    partitions: tuple[Partition, ...]
    added: tuple[Partition, ...]
    records: int
    repeats: float
    options: WorkerOptions
    workers: int
    batch: int
    chaos_seconds: float
    chaos_pause: float
    trouble: float
    losses: float
    delay: float
    slow: float
    incident: str
    transactions: tuple[int, ...]
    checks_watermark: bool
    is_of_people: bool = False


def plan_of(rng: Random) -> Plan:
    """A plan from the seed's dice."""
    partitions = [(topic, number) for topic in TOPICS for number in range(2)]
    rng.shuffle(partitions)
    options = WorkerOptions(
        records_at_a_time=3,
        block_size=rng.randint(4, 8),
        blocks=rng.randint(1, 2),
        flush_seconds=rng.choice((0.1, 0.3, 0.6)),
        unflushed_limit=rng.choice((3, 10, 1000)),
        open_cells_limit=rng.choice((4, 1000)),
        idle_flushes=rng.randint(0, 2),
    )
    chosen = tuple(sorted(partitions[: rng.choice((1, 2, 2, 3))]))
    return Plan(
        partitions=chosen,
        added=chosen[-1:],
        records=rng.randint(15, 45),
        repeats=rng.choice((0.15, 0.3, 0.5)),
        options=options,
        workers=rng.choice((2, 2, 3)),
        batch=rng.choice((3, 5, 9)),
        chaos_seconds=rng.uniform(1.0, 3.5),
        chaos_pause=rng.choice((0.1, 0.3, 0.6)),
        trouble=rng.choice((0.0, 0.1, 0.3)),
        losses=rng.choice((0.0, 0.05)),
        delay=rng.choice((0.01, 0.04, 0.12)),
        slow=rng.choice((0.0, 0.0, 0.08)),
        incident=rng.choice(INCIDENTS),
        transactions=rng.choice(((0,), (0, 1, 2), (1, 2, 4))),
        checks_watermark=rng.random() < 0.1,
    )


def of_people(plan: Plan, rng: Random) -> Plan:
    """The same trouble, but of profiles and the directory, whose topics grow by a partition."""
    profiles = rng.choice((1, 1, 2))
    partitions = [("tally.profiles", number) for number in range(profiles + 1)]
    added = ("tally.directory", 1), ("tally.profiles", profiles)
    return replace(
        plan,
        partitions=(("tally.directory", 0), ("tally.directory", 1), *partitions),
        added=added,
        records=rng.randint(40, 80),
        incident=rng.choice(("", "grown", "grown", "restored")),
        is_of_people=True,
    )
