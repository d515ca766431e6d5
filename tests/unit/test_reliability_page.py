"""The table of docs/reliability.md is what the last chaos run wrote, and its percentiles are right."""

import json
from pathlib import Path

from tests.chaos.__main__ import MARKS, PAGE, RESULTS, recovery, table

ROOT = Path(__file__).parents[2]


def test_the_page_shows_the_kept_results() -> None:
    shown = (ROOT / PAGE).read_text().partition(MARKS[0])[2].partition(MARKS[1])[0]
    assert shown.strip() == table(json.loads((ROOT / RESULTS).read_text()))


def test_percentiles_of_one_and_of_many_times() -> None:
    assert recovery("a", [2.04]) == {"title": "a", "times": 1, "p50": 2.0, "p99": 2.0}
    assert recovery("a", [float(number) for number in range(101)]) == {
        "title": "a",
        "times": 101,
        "p50": 50.0,
        "p99": 99.0,
    }
