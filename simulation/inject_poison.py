"""Poison among the lines: bad records of every kind, at the rate that the plan asks for."""

from collections.abc import Iterator

import orjson

from intake.ndjson import ProducerRecord
from simulation.plan import Plan
from simulation.poison_kinds import CONFLICT, LARGE, POISONS, Event
from simulation.rng import Rng
from tally_client.events import TOKEN

ROUNDS = 20
"""The large kinds come once in so many rounds."""

TOKEN_EVENT = b'{"type":"token.used"'


def inject_poison(plan: Plan, lines: Iterator[ProducerRecord]) -> Iterator[ProducerRecord]:
    """The lines, and bad ones among them until these are `plan.poison` of all, every kind in its turn.

    Each is made from the latest token event, so that a conflict follows its original at once, in its partition.
    """
    dice = Rng(plan.seed, "poison")
    kinds = in_turn(dice)
    chance = plan.poison / (1 - plan.poison)
    latest: bytes | None = None
    for line in lines:
        yield line
        if line.topic == TOKEN and line.value and line.value.startswith(TOKEN_EVENT):
            latest = line.value
        if latest is not None and dice.random() < chance:
            yield spoil(dice, next(kinds), orjson.loads(latest))


def spoil(dice: Rng, kind: str, event: Event) -> ProducerRecord:
    """A bad record of this kind, made from a real event."""
    if kind != CONFLICT:
        event["event_id"] = dice.uuid()
    return POISONS[kind](event)


def in_turn(dice: Rng) -> Iterator[str]:
    """The kinds, round after round, each round in another order."""
    number = 0
    while True:
        kinds = [kind for kind in POISONS if number % ROUNDS == 0 or kind not in LARGE]
        dice.shuffle(kinds)
        yield from kinds
        number += 1
