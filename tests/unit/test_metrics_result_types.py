"""What is known, what is complete and what is a gap, by how far the tables reach; ratios without a whole."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from api.dashboard.charts import scale
from queries.freshness import Freshness
from reports.metric_windows import days_between, window
from reports.metrics import Decisions, QueryContext, Ratio

DAY = date(2026, 11, 20)
GRACE = timedelta(hours=2)


def reading(refreshed_at: datetime | None) -> QueryContext:
    client: Any = None
    return QueryContext(client, "", Freshness({}, refreshed_at), GRACE)


def moment(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("refreshed_at", "knows", "complete"),
    [
        (None, False, False),
        (moment(20), False, False),
        (moment(20, 0, 1), True, False),
        (moment(21), True, False),
        (moment(21, 1, 59), True, False),
        (moment(21, 2), True, True),
    ],
)
def test_a_day_is_known_when_reached_and_complete_after_the_grace(
    refreshed_at: datetime | None, knows: bool, complete: bool
) -> None:
    look = reading(refreshed_at)
    assert (look.covers(DAY), look.is_complete(DAY, DAY)) == (knows, complete)
    about = look.about(window("1-week", DAY))
    assert (about.complete, about.data_refreshed_at, about.window.days) == (complete, refreshed_at, 7)
    assert about.window.provisional is not complete


def test_days_out_of_reach_are_gaps_and_others_without_anything_are_nothing() -> None:
    found = {date(2026, 11, 18): 5, date(2026, 11, 21): 7}
    days = reading(moment(20, 13)).by_day(days_between(date(2026, 11, 18), date(2026, 11, 21)), found, 0)
    assert [(of.value, of.complete) for of in days] == [(5, True), (0, True), (0, False), (None, False)]


def test_days_before_the_oldest_kept_are_gaps() -> None:
    edge = days_between(date(2024, 12, 31), date(2025, 1, 1))
    look = reading(moment(20))
    assert [(of.value, of.complete) for of in look.by_day(edge, {}, 0)] == [(None, False), (0, True)]
    assert [of.complete for of in look.by_day(edge, {}, 0, width=2)] == [False, False]
    assert not look.about(edge).complete
    assert look.overlaps(edge)
    assert not look.overlaps(days_between(date(2024, 1, 1), date(2024, 12, 31)))


def test_a_ratio_is_unknown_without_a_part_or_a_whole() -> None:
    assert Ratio(numerator=1, denominator=8).value == 0.125
    assert Ratio(numerator=1, denominator=8).percent == 12.5
    assert Ratio(numerator=0, denominator=8).percent == 0
    for part, whole in ((None, 8), (1, None), (1, 0), (0, 0), (None, None)):
        ratio = Ratio(numerator=part, denominator=whole)
        assert (ratio.value, ratio.percent) == (None, None)
    assert Decisions(accepted=3, rejected=1).accept_rate == Ratio(numerator=3, denominator=4)


def test_an_axis_of_a_chart_without_values_can_be_read() -> None:
    assert [scale(0.0, whole) for whole in (True, False)] == [4.0, 4.0]
    assert scale(0.3, whole=False) == 0.4
