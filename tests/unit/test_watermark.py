"""A watermark is proved by a stored place, never hoped for."""

from datetime import UTC, datetime, timedelta

from aggregators.watermark import CLOCKS, EndOffset, watermark

ASKED = EndOffset(datetime(2026, 3, 1, 12, tzinfo=UTC), end=100)


def test_a_place_short_of_the_end_proves_nothing() -> None:
    assert watermark(ASKED, 99) is None


def test_nothing_asked_proves_nothing() -> None:
    assert watermark(None, 1_000_000) is None


def test_the_end_itself_proves_the_moment_before_the_request_less_the_clocks() -> None:
    assert watermark(ASKED, 100) == datetime(2026, 3, 1, 11, 59, 55, tzinfo=UTC)
    assert watermark(ASKED, 101) == ASKED.requested_at - CLOCKS


def test_an_empty_log_is_caught_up() -> None:
    assert watermark(EndOffset(ASKED.requested_at, 0), 0) == ASKED.requested_at - CLOCKS
    assert timedelta(seconds=5) == CLOCKS
