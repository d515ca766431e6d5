"""Which days are looked at again, and which are not."""

from datetime import UTC, date, datetime, timedelta

import pytest

from queries.freshness import Freshness
from reports.exports.export_worker import ExportInputs, complete_days, stale_days
from reports.exports.ledger import Check, stale_reasons

CHECK = Check(frozenset({"a", "b"}), {"a": 10, "b": 20}, 3, "terms")
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("offsets", "prices", "terms", "reasons"),
    [
        ({"a": 9, "b": 19}, 3, "terms", []),
        ({"a": 10, "b": 19}, 3, "terms", ["late events"]),
        ({"a": 9, "b": 19, "c": 0}, 3, "terms", ["late events"]),
        ({"a": 9}, 3, "terms", ["a topic's epoch was replaced"]),
        ({"a": 9, "b": 19}, 4, "terms", ["prices"]),
        ({"a": 9, "b": 19}, 3, "other", ["plan, discount or extra usage"]),
        ({"a": 11, "b": 19}, 4, "other", ["late events", "prices", "plan, discount or extra usage"]),
    ],
)
def test_why_a_day_is_looked_at_again(offsets: dict[str, int], prices: int, terms: str, reasons: list[str]) -> None:
    assert stale_reasons(CHECK, offsets, prices, terms) == reasons


def test_a_day_that_was_never_looked_at_is_a_first_issue() -> None:
    assert stale_reasons(None, {}, 0, "") == ["first issue"]


def state(newest: date | None, first: date, checks: dict[tuple[str, date], Check]) -> ExportInputs:
    return ExportInputs(Freshness({}, None), 3, {"org": "terms"}, {}, {}, checks, {"org": first}, newest)


def test_days_go_from_the_first_to_the_newest_complete_one() -> None:
    found = complete_days(state(date(2026, 11, 20), date(2026, 11, 19), {}), NOW)
    assert found == [("org", date(2026, 11, 19)), ("org", date(2026, 11, 20))]
    assert complete_days(state(None, date(2026, 11, 19), {}), NOW) == []
    assert complete_days(state(date(2026, 8, 1), date(2026, 7, 1), {}), NOW) == []


def test_at_most_ninety_days_back() -> None:
    found = complete_days(state(date(2026, 11, 21), date(2020, 1, 1), {}), NOW)
    assert (len(found), found[0][1]) == (90, date(2026, 11, 22) - timedelta(days=90))


def test_a_checked_day_is_left_alone() -> None:
    day = date(2026, 11, 20)
    checked = Check(frozenset(), {}, 3, "terms")
    assert stale_days(state(day, date(2026, 11, 19), {("org", day): checked}), NOW) == [
        (("org", date(2026, 11, 19)), ["first issue"])
    ]
