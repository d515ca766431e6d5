"""Every crash point, one by one (docs/exactness.md): at each step of placing, folding and flushing a worker is killed,
frozen until another has taken over, revoked, assigned anew, or its ClickHouse is restored. All must end exact.
"""

from collections.abc import Iterable
from itertools import product

import pytest

from tests.simulation.faults import planted
from tests.simulation.interruptions import ASSIGNING, FLUSHING, READING, STEPS, Interruption, World
from tests.support.backends import FORMS

ACTIONS = ("killed", "frozen", "revoked", "reassigned", "restored")
SEEDS = range(6)
SELDOM = ("letters", "attributions")
"""What not every flush has."""


def wrongs_of(what: Interruption, seeds: Iterable[int] = SEEDS) -> list[str]:
    """What is wrong after that interruption."""
    wrongs: list[str] = []
    met = 0
    for seed, compiled in product(seeds, FORMS):
        world = World(seed, what, compiled)
        met += world.loop.run(world.live(), 100_000)
        world.witness.compare(None)
        wrongs += world.witness.wrongs + world.loop.errors
    assert met, f"no history came to {what}"
    return wrongs


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(("step", "instant"), [each for each in STEPS if each[0] in FLUSHING])
def test_in_a_flush(action: str, step: str, instant: str) -> None:
    nth = 1 if step in SELDOM else 2
    assert wrongs_of(Interruption(action, step, instant, nth)) == []


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(("step", "instant"), [each for each in STEPS if each[0] in READING])
def test_in_a_batch_while_its_pages_are_read_back(action: str, step: str, instant: str) -> None:
    assert wrongs_of(Interruption(action, step, instant)) == []


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(("step", "instant"), [each for each in STEPS if each[0] in ASSIGNING])
def test_while_a_source_is_assigned(action: str, step: str, instant: str) -> None:
    assert wrongs_of(Interruption(action, step, instant, nth=1)) == []


SEEN_AT = {
    "position_before_cells": Interruption("killed", "spend_cells", "before"),
    "restored_database_not_noticed": Interruption("restored", "chat_cells", "after", nth=4),
    "no_read_back": Interruption("killed", "chat_cells", "after"),
    "last_insert_wins": Interruption("frozen", "chat_cells", "before", nth=1),
    "fold_resumed_after_an_await_without_a_check": Interruption("reassigned", "read_pages", "after"),
}


@pytest.mark.parametrize("fault", SEEN_AT)
def test_a_planted_fault_is_seen_at_its_point(fault: str) -> None:
    with planted(fault):
        assert wrongs_of(SEEN_AT[fault], range(12)), f"{fault} goes unnoticed at {SEEN_AT[fault]}"
