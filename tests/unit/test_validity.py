"""What every fold checks: moments that can be kept, ids that a column can hold."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from aggregators.validity import IdInterner, minute_in_bounds, require_not_ahead
from aggregators.windows import minute_of
from tally_client.validity import EARLIEST, MAX_DEPTH, InvalidRecord, refuse_deep
from tests.support.fold_records import LOG_MS, LOG_TIME, uuid

FIVE_MINUTES = timedelta(minutes=5)
TICK = timedelta(microseconds=1)


def reason(moment: datetime, log_ms: int = LOG_MS) -> str:
    try:
        minute_in_bounds(moment, log_ms, "occurred_at")
    except InvalidRecord as error:
        return error.reason
    return ""


BOUNDS = [
    (LOG_TIME, ""),
    (LOG_TIME + FIVE_MINUTES, ""),
    (LOG_TIME + FIVE_MINUTES + TICK, "in_the_future"),
    (LOG_TIME + timedelta(minutes=6), "in_the_future"),
    (datetime(9999, 12, 31, 23, 59, tzinfo=UTC), "in_the_future"),
    (EARLIEST, ""),
    (EARLIEST - TICK, "too_old"),
    (datetime(1, 1, 1, tzinfo=UTC), "too_old"),
    # The same bounds on other clocks: what counts is the moment.
    (datetime(2025, 1, 1, 13, 59, 59, tzinfo=timezone(timedelta(hours=14))), "too_old"),
    (datetime(2025, 1, 1, 14, 0, tzinfo=timezone(timedelta(hours=14))), ""),
    (datetime(2024, 12, 31, 10, 0, tzinfo=timezone(-timedelta(hours=14))), ""),
    (datetime(2024, 12, 31, 9, 59, 59, tzinfo=timezone(-timedelta(hours=14))), "too_old"),
    ((LOG_TIME + FIVE_MINUTES).astimezone(timezone(timedelta(hours=-14))), ""),
    ((LOG_TIME + FIVE_MINUTES + TICK).astimezone(timezone(timedelta(hours=14))), "in_the_future"),
    (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), "out_of_calendar"),
    (datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=14))), "out_of_calendar"),
]


@pytest.mark.parametrize(("moment", "expected"), BOUNDS)
def test_a_moment_must_be_kept_and_not_ahead_of_the_log(moment: datetime, expected: str) -> None:
    assert reason(moment) == expected


@pytest.mark.parametrize("second", [0, 29.999, 59.999])
def test_five_minutes_are_counted_to_the_millisecond_of_the_log(second: float) -> None:
    log_time = datetime(2026, 3, 1, 23, 57, tzinfo=UTC) + timedelta(seconds=second)
    log_ms = round(log_time.timestamp() * 1000)
    assert reason(log_time + FIVE_MINUTES, log_ms) == ""
    assert reason(log_time + FIVE_MINUTES + timedelta(milliseconds=1), log_ms) == "in_the_future"


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=2)), timezone(-timedelta(hours=11, minutes=30))])
def test_a_moment_of_any_zone_has_its_utc_minute(zone: timezone) -> None:
    moment = datetime(2026, 3, 1, 12, 0, 29, tzinfo=UTC)
    assert minute_in_bounds(moment.astimezone(zone), LOG_MS, "occurred_at") == minute_of(moment.replace(second=0))


def test_the_upper_bound_alone_knows_no_oldest_day() -> None:
    assert require_not_ahead(datetime(1970, 1, 1, tzinfo=UTC), LOG_MS, "occurred_at")[0].year == 1970
    with pytest.raises(InvalidRecord, match="in_the_future: occurred_at 2026-03-01T13:00:00"):
        require_not_ahead(LOG_TIME.replace(hour=13, second=0), LOG_MS, "occurred_at")


GOOD = uuid(0xABCDEF)
BAD = [
    "",
    GOOD.upper(),
    GOOD.replace("-", ""),
    GOOD.replace("-", "_"),
    "{" + GOOD[1:-1] + "}",
    GOOD[:-1],
    GOOD + "0",
    GOOD[:-1] + "\n",
    GOOD + "\n",
    GOOD[:-1] + "g",
    GOOD[:-1] + "\u0660",  # a digit, but not one of ours
    GOOD[1:9] + GOOD[0] + GOOD[9:],  # hyphens out of place
]


def test_the_one_form_of_an_id_is_taken_and_returned() -> None:
    assert IdInterner().check(GOOD, "actor.id") == GOOD


@pytest.mark.parametrize("value", BAD)
def test_any_other_spelling_is_refused_and_named(value: str) -> None:
    with pytest.raises(InvalidRecord, match=r"^bad_id: actor\.id ") as caught:
        IdInterner().check(value, "actor.id")
    assert repr(value) in caught.value.detail
    assert str(caught.value) == f"bad_id: {caught.value.detail}"


def test_what_is_remembered_is_bounded_and_forgetting_changes_nothing() -> None:
    forms = IdInterner(limit=2)
    for _ in range(2):
        for number in range(5):
            assert forms.check(uuid(number), "id") == uuid(number)
            assert len(forms._known) <= 2
    with pytest.raises(InvalidRecord):
        forms.check(GOOD.upper(), "id")


DEEPEST = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
SHALLOW = [
    b"",
    b"{}",
    DEEPEST,
    DEEPEST.replace(b"[", b'{"a":').replace(b"]", b"}"),
    b"[" + b"{}," * 500 + b"{}]",
    b'["' + b"[" * 500 + b'"]',
    b'["' + b'\\"[' * 500 + b'", "' + b"{" * 500 + b'"]',
    b'["\\\\", "' + b"[" * 500 + b'"]',
    b'["' + b"[" * 500,  # not JSON, for the decoder to say
]
DEEP = [
    b"[" + DEEPEST + b"]",
    DEEPEST.replace(b"[", b'{"a":[').replace(b"]", b"]}"),
    b'{"a[[": "\\"", "b": ' + DEEPEST + b"}",
    b'["\\\\", ' + DEEPEST + b"]",
    b"[" * 100_000,
]


@pytest.mark.parametrize("value", SHALLOW, ids=range(len(SHALLOW)))
def test_brackets_that_do_not_nest_are_no_depth(value: bytes) -> None:
    refuse_deep(value)


@pytest.mark.parametrize("value", DEEP, ids=range(len(DEEP)))
def test_a_record_that_nests_too_deep_is_refused_whatever_the_stack(value: bytes) -> None:
    with pytest.raises(InvalidRecord, match=rf"^nested_too_deep: the record nests more than {MAX_DEPTH} levels deep$"):
        refuse_deep(value)


@pytest.mark.timeout(60)  # sought again from each quote, it would take an hour
@pytest.mark.parametrize("end", [b"", b'"', b"\\"])
def test_a_string_without_end_is_looked_at_once(end: bytes) -> None:
    value = b"[" * (MAX_DEPTH + 1) + b'"' + b'\\"' * 500_000 + end
    with pytest.raises(InvalidRecord):
        refuse_deep(value)
