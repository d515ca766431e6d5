"""Tumbling windows in UTC, as integers: the number of whole hours, days or minutes since 0001-01-01.

Folds compare integers and use them in keys; text is formatted once per page, when it is written. Windows are half-open:
hour h is [h:00, h+1:00).
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

EPOCH_DAY = date(1970, 1, 1).toordinal()
MINUTES_BEFORE_1970 = EPOCH_DAY * 1440


def utc(moment: datetime) -> datetime:
    """Return `moment` in UTC. Raises OverflowError if that would leave the calendar (years 1 and 9999)."""
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def hour_of(moment: datetime) -> int:
    """Return the hour number of a UTC moment (0.1 us; `timestamp() // 3600` costs three times as much)."""
    return moment.toordinal() * 24 + moment.hour


def minute_of(moment: datetime) -> int:
    """Return the minute number of a UTC moment."""
    return moment.toordinal() * 1440 + moment.hour * 60 + moment.minute


def minute_of_log(milliseconds: int) -> int:
    """Return the minute number of a record's log timestamp (milliseconds since 1970)."""
    return milliseconds // 60_000 + MINUTES_BEFORE_1970


def day_text(day: int) -> str:
    """Convert a day number to ClickHouse `Date` text."""
    return date.fromordinal(day).isoformat()


def hour_text(hour: int) -> str:
    """Convert an hour number to ClickHouse `DateTime('UTC')` text."""
    return f"{day_text(hour // 24)} {hour % 24:02d}:00:00"


def minute_text(minute: int) -> str:
    """Convert a minute number to ClickHouse `DateTime('UTC')` text."""
    return f"{day_text(minute // 1440)} {minute // 60 % 24:02d}:{minute % 60:02d}:00"


def moment_text(moment: datetime) -> str:
    """Convert a UTC moment to ClickHouse `DateTime64(6, 'UTC')` text."""
    return moment.replace(tzinfo=None).isoformat(" ", "microseconds")


def log_time_text(milliseconds: int) -> str:
    """Convert a record's log timestamp (milliseconds since 1970) to ClickHouse `DateTime64(3, 'UTC')` text."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC).replace(tzinfo=None)
    return f"{moment.isoformat(' ')}.{milliseconds % 1000:03d}"


def start_of_minute(minute: int) -> datetime:
    """Return the moment at which minute number `minute` begins."""
    return datetime(1, 1, 1, tzinfo=UTC) + timedelta(minutes=minute - 1440)


def parse_day(text: str) -> int:
    """Convert ClickHouse `Date` text to a day number."""
    return date.fromisoformat(text).toordinal()


def parse_hour(text: str) -> int:
    """Convert ClickHouse `DateTime('UTC')` text to an hour number."""
    return hour_of(datetime.fromisoformat(text))


def parse_minute(text: str) -> int:
    """Convert ClickHouse `DateTime('UTC')` text to a minute number."""
    return minute_of(datetime.fromisoformat(text))


WINDOW_TEXT: dict[str, Callable[[int], str]] = {"hour": hour_text, "day": day_text, "minute": minute_text}
WINDOW_PARSE: dict[str, Callable[[str], int]] = {"hour": parse_hour, "day": parse_day, "minute": parse_minute}
