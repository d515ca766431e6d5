"""Every fault once, under a steady load and a reader's eyes; the end is an independent recount of the whole log."""

import random
from collections import Counter
from collections.abc import Iterator
from itertools import islice

import pytest

from tests.chaos.faults import FAULTS, orders
from tests.chaos.reader import Watch
from tests.chaos.testbed import Field, field
from tests.support.pipeline import found_by

pytestmark = pytest.mark.timeout(900)

RATE = 300
SHORT = sorted(name for name, fault in FAULTS.items() if not fault.least_minutes)


@pytest.fixture(scope="module")
def suffering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """One field for all faults, one after the other."""
    with field(tmp_path_factory.mktemp("field"), RATE) as found:
        found.recovery()
        yield found


@pytest.mark.parametrize("name", SHORT)
def test_it_is_caught_up_again_after(name: str, suffering: Field) -> None:
    FAULTS[name].befall(suffering)
    suffering.recovery()


def test_nothing_is_missing_doubled_or_was_ever_seen_wrong(suffering: Field) -> None:
    """Last in this module."""
    verdict = suffering.end()
    assert verdict.equal, found_by(verdict)
    assert suffering.crowds
    assert suffering.misnamed() == []
    assert sum(topic.duplicates for topic in verdict.topics) > 0
    assert sum(topic.letters for topic in verdict.topics) > 4_000
    watch = suffering.reader.watch
    assert watch.wrongs == []
    assert watch.unequal(suffering.load.finals) == {}
    assert watch.looks > 20
    assert len(suffering.load.finals) > 5


def test_each_fault_comes_once_and_then_as_often_as_its_share() -> None:
    """Runs of the real thing cannot show it: the long form takes an hour."""
    order = list(islice(orders(list(FAULTS), random.Random(3)), 200))
    assert set(order[: len(FAULTS)]) == set(FAULTS)
    times = Counter(order)
    assert times["worker_killed"] > 60
    assert times["worker_joins_and_leaves"] > 18
    assert times["clickhouse_away_a_minute"] == 5
    assert times["partitions_added"] == 3
    assert times["clickhouse_away_ten_minutes"] == 1
    assert list(orders(["clickhouse_away_ten_minutes"], random.Random(3))) == ["clickhouse_away_ten_minutes"]


def test_the_reader_sees_what_falls_what_moves_and_what_is_too_much() -> None:
    watch = Watch()
    watch.saw([("a", 1, 2), ("b", 5, 5)], {})
    watch.saw([("a", 2, 3), ("b", 5, 5)], {"b": (5, 5)})
    assert watch.wrongs == []
    watch.saw([("a", 2, 1), ("b", 6, 5)], {"b": (5, 5)})
    assert [wrong.split()[:2] for wrong in watch.wrongs] == [["a", "fell"], ["b", "is"]]
    watch.saw([("b", 6, 5)], {})
    assert "a fell" in watch.wrongs[-1]
    assert watch.unequal({"b": (5, 5), "c": (1, 1)}) == {"b": (6, 5), "c": None}
