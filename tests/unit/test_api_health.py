"""What the API's health makes of how far the tables reach."""

from datetime import UTC, datetime, timedelta

import pytest

from api.health import STALE, SUSPICIOUS, judge
from queries.freshness import Freshness

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TOKEN, CHAT = "tally.token/0@0", "tally.chat/0@0"
HELD = {TOKEN: "tally.token/0 is held back by an open transaction"}


def reaching(age: timedelta | None, is_fresh: bool = False) -> Freshness:
    """Tables whose oldest source is TOKEN's."""
    return Freshness({}, None if age is None else NOW - age, frozenset({TOKEN}), is_fresh)


@pytest.mark.parametrize(
    ("found", "held", "cause"),
    [
        (reaching(timedelta(seconds=6)), {}, None),
        (reaching(timedelta(seconds=6)), HELD, None),
        (reaching(SUSPICIOUS + timedelta(seconds=1)), {}, None),
        (reaching(SUSPICIOUS + timedelta(seconds=1)), HELD, "transaction"),
        (reaching(SUSPICIOUS + timedelta(seconds=1)), {CHAT: "another one, which is not what waits"}, None),
        (reaching(STALE + timedelta(seconds=1)), {}, "behind"),
        (reaching(STALE + timedelta(seconds=1)), HELD, "transaction"),
        (reaching(None), {}, "behind"),
        (reaching(None), HELD, "transaction"),
        (reaching(None, is_fresh=True), {}, "starting"),
    ],
)
def test_each_cause_is_told_from_the_others(found: Freshness, held: dict[str, str], cause: str | None) -> None:
    health = judge(found, NOW, lambda: held)
    assert (health.healthy, health.cause) == (cause is None, cause)
    assert bool(health.problems) == (cause is not None)
    assert health.data_refreshed_at == found.data_refreshed_at


def test_a_look_at_transactions_that_fails_hides_nothing() -> None:
    def away() -> dict[str, str]:
        raise ConnectionError("away")

    assert judge(reaching(STALE * 2), NOW, away).cause == "behind"
    assert TOKEN in judge(reaching(STALE * 2), NOW, away).problems[0]
