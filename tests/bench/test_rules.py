"""What benches conclude from what they saw, on made-up figures; and that their topic is what was asked for."""

import random
from collections import Counter

import orjson
import pytest

from bench.freshness import latencies, percentile
from bench.scaling import ratios
from bench.soak import Sample, judge, slope
from bench.steady_load import Mark
from bench.token_events import CELLS_EACH, Load, lines

RATE = 50_000.0


def samples(
    minutes: float = 30, mb_a_minute: float = 0.0, files_a_minute: float = 0.0, lag_a_minute: float = 0.0
) -> list[Sample]:
    """A worker that is as uneven as a real one, with something that grows."""
    dice, found = random.Random(3), []
    for number in range(int(minutes * 6)):
        minute = number / 6
        warming = 40 * max(0.0, 1 - minute / 2)
        found.append(
            Sample(
                seconds=minute * 60,
                rss_mb=240 - warming + dice.uniform(-6, 6) + mb_a_minute * minute,
                open_files=40 + dice.randrange(3) + int(files_a_minute * minute),
                lag=dice.uniform(0.2, 1.4) * RATE + lag_a_minute * minute,
                open_cells=12_000,
            )
        )
    return found


def growing(found: list[Sample]) -> set[str]:
    """The measures that the rule says grow."""
    return {name for name, each in judge(found, RATE).items() if each["grows"]}


def test_a_steady_worker_passes_although_it_warms_up() -> None:
    assert growing(samples()) == set()


@pytest.mark.parametrize(
    ("leak", "measure"),
    [({"mb_a_minute": 1.5}, "rss_mb"), ({"files_a_minute": 0.5}, "open_files"), ({"lag_a_minute": 5_000.0}, "lag")],
)
def test_a_planted_leak_is_caught(leak: dict[str, float], measure: str) -> None:
    assert growing(samples(**leak)) == {measure}


def test_the_slope_is_the_leak_s() -> None:
    assert judge(samples(mb_a_minute=2.0), RATE)["rss_mb"]["slope_an_hour"] == pytest.approx(120, rel=0.1)
    assert slope([0.0, 1.0, 2.0], [5.0, 7.0, 9.0]) == pytest.approx(2.0)
    assert slope([0.0], [5.0]) == 0.0


def test_latency_runs_to_the_first_answer_that_has_all_of_a_tick() -> None:
    marks = [Mark(10.0, (5, 0)), Mark(11.0, (8, 2)), Mark(12.0, (8, 3))]
    seen = [Mark(10.5, (5, 0)), Mark(11.3, (7, 2)), Mark(12.5, (8, 2)), Mark(14.0, (8, 3))]
    assert [(round(seconds, 6), events) for seconds, events in latencies(marks, seen)] == [(1.5, 3), (0.3, 2), (2.0, 1)]


def test_percentiles_are_over_events_and_not_over_ticks() -> None:
    found = [(3.0, 1), (1.0, 98), (2.0, 1)]
    assert [percentile(found, share) for share in (0.5, 0.98, 0.99, 1.0)] == [1.0, 1.0, 2.0, 3.0]


def test_the_topic_has_the_cells_and_organizations_that_were_asked_for() -> None:
    load = Load(events=1_000, cells=200, organizations=30)
    found: Counter[tuple[str, ...]] = Counter()
    for line in lines(load):
        event = orjson.loads(line.value or b"")
        place = (event["organization_id"], event["occurred_at"][:13], event["actor"]["id"])
        found[*place, event["product"], event["model"]] += 1
    assert len(found) == load.cells
    assert len({cell[0] for cell in found}) == load.organizations <= load.cells / CELLS_EACH
    assert sum(found.values()) == load.events
    assert max(found.values()) > 10, "some people work far more than others"


def test_ratios_compare_two_workers_with_one_and_most_cells_with_fewest() -> None:
    def case(workers: int, cells: int, rate: float | None, cost: float | None) -> dict[str, object]:
        return {"workers": workers, "cells": cells, "events_per_second": rate, "cpu_us_per_event": cost}

    rows = [case(1, 100, 50.0, 4.0), case(2, 100, 90.0, 4.5), case(1, 10, 60.0, 2.0), case(1, 1_000, 40.0, 5.0)]
    assert ratios(rows) == {"ratio_two_workers": 1.8, "ratio_most_cells": 2.5}
    assert ratios([case(1, 100, 50.0, 4.0), case(2, 100, None, None)])["ratio_two_workers"] is None
