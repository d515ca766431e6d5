"""One event_id at two offsets counts once within the horizon, and every replay decides alike."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregators.deduplication import Horizon, Occurrence

FIRST, DUPLICATE, CONFLICT = Occurrence.FIRST, Occurrence.DUPLICATE, Occurrence.CONFLICT
Line = tuple[int, int, int]
"""(offset, event_id, payload)"""


def judged(horizon: Horizon, lines: Sequence[Line]) -> list[Occurrence]:
    """The verdicts on lines in order of offsets, one call for each."""
    return [horizon.classify(offset // horizon.block_size, [event], [payload])[0] for offset, event, payload in lines]


def test_a_repeat_with_the_same_payload_is_a_duplicate_with_another_a_conflict() -> None:
    lines = [(0, 7, 1), (1, 8, 1), (2, 7, 1), (3, 7, 2)]
    assert judged(Horizon(4, 2), lines) == [FIRST, FIRST, DUPLICATE, CONFLICT]


def test_a_run_is_judged_like_its_records_one_by_one() -> None:
    assert Horizon(4, 2).classify(0, [7, 7, 7], [1, 1, 2]) == [FIRST, DUPLICATE, CONFLICT]
    horizon = Horizon(4, 2)
    horizon.classify(0, [7], [1])
    assert horizon.classify(1, [7, 8, 7, 7], [2, 1, 2, 1]) == [CONFLICT, FIRST, CONFLICT, CONFLICT]


# Block size 4, 2 closed blocks: an id at offset 3 (block 0) is known through block 2, offsets 8 to 11.
@pytest.mark.parametrize(("again", "verdict"), [(4, DUPLICATE), (11, DUPLICATE), (12, FIRST), (400, FIRST)])
@pytest.mark.parametrize("first", [0, 3])
def test_the_horizon_ends_on_a_blocks_edge(first: int, again: int, verdict: Occurrence) -> None:
    assert judged(Horizon(4, 2), [(first, 7, 1), (again, 7, 1)]) == [FIRST, verdict]


def test_blocks_without_records_count_as_blocks() -> None:
    lines = [(0, 7, 1), (5, 1, 1), (12, 7, 1)]
    assert judged(Horizon(4, 2), lines) == [FIRST, FIRST, FIRST]


def test_every_occurrence_renews_the_id_duplicates_and_conflicts_too() -> None:
    duplicates = [(offset, 7, 1) for offset in range(0, 80, 8)]
    assert judged(Horizon(4, 2), duplicates) == [FIRST] + [DUPLICATE] * 9
    conflicts = [(offset, 7, offset) for offset in range(0, 80, 8)]
    assert judged(Horizon(4, 2), conflicts) == [FIRST] + [CONFLICT] * 9


def test_a_conflict_that_is_sent_again_stays_one() -> None:
    lines = [(0, 7, 1), (1, 7, 2), (2, 7, 2), (3, 7, 1), (4, 7, 1), (5, 7, 2), (9, 7, 2)]
    assert judged(Horizon(4, 2), lines) == [FIRST] + [CONFLICT] * 6


def test_payloads_of_several_closed_blocks_are_held_against() -> None:
    lines = [(0, 7, 1), (4, 7, 2), (8, 7, 2), (12, 7, 2), (16, 7, 2)]
    assert judged(Horizon(4, 2), lines) == [FIRST, CONFLICT, CONFLICT, DUPLICATE, DUPLICATE]


def test_one_closed_block_with_two_payloads_is_enough() -> None:
    lines = [(0, 7, 1), (1, 7, 2), (2, 8, 5), (4, 9, 1), (5, 7, 1), (6, 7, 2), (7, 8, 5)]
    assert judged(Horizon(4, 1), lines) == [FIRST, CONFLICT, FIRST, FIRST, CONFLICT, CONFLICT, DUPLICATE]


def test_extreme_hashes_are_found_again() -> None:
    extremes = [-(2**63), -1, 0, 2**63 - 1]
    horizon = Horizon(4, 1)
    assert horizon.classify(0, extremes, extremes) == [FIRST] * 4
    assert horizon.classify(1, extremes, extremes) == [DUPLICATE] * 4
    assert horizon.classify(2, [1, 2**62], [1, 1]) == [FIRST] * 2


def test_nothing_is_kept_beyond_the_horizon() -> None:
    horizon = Horizon(4, 2)
    for offset in range(400):
        judged(horizon, [(offset, offset, 0)])
    assert [block.number for block in horizon._latest] == [97, 98, 99]


@pytest.mark.parametrize(("place", "start"), [(0, 0), (1, 0), (11, 0), (12, 4), (15, 4), (16, 8), (65_536, 65_528)])
def test_reading_starts_on_the_edge_of_the_earliest_block_that_decides(place: int, start: int) -> None:
    assert Horizon(4, 2).replay_start(place) == start


def by_hand(lines: Sequence[Line], block_size: int, blocks: int) -> list[Occurrence]:
    """The rule, word for word: look through all that came before."""
    verdicts = []
    for position, (offset, event, payload) in enumerate(lines):
        known = [
            before
            for at, same, before in lines[:position]
            if same == event and offset // block_size - at // block_size <= blocks
        ]
        verdicts.append(FIRST if not known else DUPLICATE if set(known) == {payload} else CONFLICT)
    return verdicts


LINES = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 4), st.integers(0, 1)), max_size=40)


@given(LINES, st.integers(1, 4), st.integers(1, 3), st.integers(0, 200))
def test_first_read_and_replay_decide_as_the_rule_does(
    steps: list[Line], block_size: int, blocks: int, place: int
) -> None:
    lines, offset = [], -1
    for step, event, payload in steps:
        offset += step
        lines.append((offset, event, payload))
    expected = by_hand(lines, block_size, blocks)
    assert judged(Horizon(block_size, blocks), lines) == expected
    horizon = Horizon(block_size, blocks)
    replayed = [line for line in lines if line[0] >= horizon.replay_start(place)]
    tail = sum(line[0] >= place for line in lines)
    assert judged(horizon, replayed)[len(replayed) - tail :] == expected[len(expected) - tail :]


@pytest.mark.parametrize("repeats", [1, 16, 17, 400])
@pytest.mark.parametrize("closed", [False, True])
def test_few_repeats_and_many_are_found_in_a_full_block_and_in_one_that_fills(repeats: int, closed: bool) -> None:
    size = 4096
    dice = Random(repeats)
    ids = [dice.getrandbits(64) - 2**63 for _ in range(size)]
    horizon = Horizon(size if closed else 2 * size, 1)
    assert horizon.classify(0, ids, ids) == [FIRST] * size
    again = dice.sample(ids, repeats)
    other = [dice.getrandbits(64) - 2**63 for _ in range(500)]
    payloads = [identity ^ (place % 2) for place, identity in enumerate(again)]
    expected = [CONFLICT if place % 2 else DUPLICATE for place in range(repeats)]
    assert horizon.classify(1 if closed else 0, again + other, payloads + other) == expected + [FIRST] * 500


def test_ids_that_mark_the_same_places_are_told_apart() -> None:
    """Hashes that agree in every bit that the filter looks at are suspects, and no more than that."""
    horizon = Horizon(4, 1)
    alike = [7 + (number << 62) for number in (0, 1)]
    assert horizon.classify(0, alike[:1], [1]) == [FIRST]
    assert horizon.classify(0, alike[1:], [1]) == [FIRST]
    assert horizon.classify(1, alike, [1, 2]) == [DUPLICATE, CONFLICT]
