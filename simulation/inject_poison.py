"""Poison: invalid records of every kind among the valid ones, at the rate of the plan."""

from collections.abc import Iterator

import orjson

from intake.ndjson import ProducerRecord
from simulation.plan import Plan
from simulation.poison_kinds import CONFLICT, LARGE, POISONS, Event
from simulation.rng import Rng
from tally_client.events import TOKEN

ROUNDS = 20
"""The large kinds occur once in this number of rounds."""

TOKEN_EVENT = b'{"type":"token.used"'


def inject_poison(plan: Plan, lines: Iterator[ProducerRecord]) -> Iterator[ProducerRecord]:
    """Yield the records, with poison among them up to a share `plan.poison`, every kind in turn.

    Each one is derived from the latest token event, so that a conflict directly follows its original in its partition.
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
    """Return an invalid record of this kind, derived from a real event."""
    if kind != CONFLICT:
        event["event_id"] = dice.uuid()
    return POISONS[kind](event)


def in_turn(dice: Rng) -> Iterator[str]:
    """Yield the kinds round after round, each round in a random order."""
    number = 0
    while True:
        kinds = [kind for kind in POISONS if number % ROUNDS == 0 or kind not in LARGE]
        dice.shuffle(kinds)
        yield from kinds
        number += 1
