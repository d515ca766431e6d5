"""Active people of a few messages written by hand: edges of trailing windows, long series, newcomers and leavers."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from queries.errors import PeriodError
from reports import metrics
from reports.metric_windows import days_between, window
from tests.support.folded_tables import Folded, at
from tests.support.handwritten_events import ADA, BEN, CLEO, DAN, DAY, ORGANIZATION, OTHER, ago, message
from tests.support.table_rows import database


@pytest.fixture
def folded(clickhouse: str) -> Iterator[Folded]:
    client = database(clickhouse)
    yield Folded(client)
    client.close()


def test_trailing_windows_end_with_the_day_and_days_with_midnight(folded: Folded) -> None:
    folded.say(
        message(ADA, ago(6), "00:00"),
        message(BEN, ago(7), "23:59:59.999999"),
        message(CLEO, ago(29), "00:00"),
        message(DAN, ago(30), "23:59:59.999999"),
        message(ADA, DAY + timedelta(days=1), "00:00"),
        message(BEN, DAY, "23:59:59.999999"),
        message(DAN, machine=True),
    )
    folded.reach(at(DAY + timedelta(days=2)))
    reading = folded.look(ORGANIZATION)
    [today] = metrics.active_users(reading, window("1-day", DAY)).days
    assert today.value == metrics.Actives(daily=1, weekly=2, monthly=3)
    [yesterday] = metrics.active_users(reading, window("1-day", ago(1))).days
    assert yesterday.value == metrics.Actives(daily=0, weekly=2, monthly=4)
    assert metrics.active_people(reading, window("1-month", DAY), listed=True).account_ids == (ADA, BEN, CLEO)
    assert metrics.active_people(reading, days_between(ago(40), DAY)).people == 4
    assert metrics.active_people(reading, window("qtd", DAY)).people == 4


def test_a_year_of_days_is_the_same_as_each_of_them(folded: Folded) -> None:
    """A series is asked for in parts; what is active before a part belongs to its first windows too."""
    active = range(0, 800, 13)
    folded.say(*(message((ADA, BEN, CLEO)[number % 3], ago(number)) for number in active))
    folded.reach(at(DAY + timedelta(days=2)))
    days = metrics.active_users(folded.look(ORGANIZATION), window("1-year", DAY)).days
    assert len(days) == 365
    for age, day in enumerate(reversed(days)):
        widths = [len({number % 3 for number in active if age <= number < age + width}) for width in (1, 7, 30)]
        assert day.value == metrics.Actives(daily=widths[0], weekly=widths[1], monthly=widths[2]), day.day


def test_who_is_new_returns_or_is_gone(folded: Folded) -> None:
    """The week up to DAY, the week before it, and an earlier one."""
    weeks = {ADA: (0, 7, 14), BEN: (6,), CLEO: (6, 14), DAN: (7, 13)}
    folded.say(*(message(person, ago(days)) for person, active in weeks.items() for days in active))
    folded.say(message(ADA, DAY, "13:00"), message(DAN, organization=OTHER), message(BEN, ago(40), organization=OTHER))
    folded.reach(at(DAY + timedelta(days=2)))
    reading, week = folded.look(ORGANIZATION), window("1-week", DAY)
    life = metrics.lifecycle(reading, week)
    assert (life.new, life.returning, life.resurrected, life.dormant) == (1, 1, 1, 1)
    assert metrics.active_days(reading, week).people == (3, 0, 0, 0, 0, 0, 0)
    assert metrics.active_days(reading, window("1-month", DAY)).people == (1, 2, 1, *[0] * 27)
    cohorts = metrics.retention(reading, DAY, 3).cohorts
    assert cohorts is not None
    assert [(of.first, of.last, of.active) for of in cohorts] == [
        *((ago(20), ago(14), (2, 1, 2)), (ago(13), ago(7), (1, 0)), (ago(6), DAY, (1,))),
    ]
    assert [ratio.percent for ratio in cohorts[0].retention] == [100.0, 50.0, 100.0]
    later = metrics.retention(reading, DAY, 2).cohorts
    assert later is not None
    assert [of.active for of in later] == [(1, 0), (1,)]


def test_retention_reaches_back_two_years_and_says_so(folded: Folded) -> None:
    weeks = 104
    folded.say(
        message(ADA, ago(7 * weeks - 1)),
        message(ADA),
        message(BEN, ago(7 * weeks)),
        message(BEN),
        message(CLEO, ago(7 * 160)),
        message(CLEO, ago(7 * 103)),
    )
    folded.reach(at(DAY + timedelta(days=2)))
    reading = folded.look(ORGANIZATION)
    cohorts = metrics.retention(reading, DAY, weeks).cohorts
    assert cohorts is not None
    assert cohorts[0].active == (1, *[0] * 102, 1)
    assert all(not any(cohort.active) for cohort in cohorts[1:])
    for wrong in (0, weeks + 1):
        with pytest.raises(PeriodError, match="out of range"):
            metrics.retention(reading, DAY, wrong)
