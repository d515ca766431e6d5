"""Simulated time: whole milliseconds since 1970 in UTC, and their RFC 3339 text."""

from datetime import UTC, date, datetime
from functools import cache

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

EPOCH = date(1970, 1, 1).toordinal()
CLOCK_TEXTS = tuple(f"T{minute // 60:02d}:{minute % 60:02d}:" for minute in range(1440))


def midnight(day: date) -> int:
    """Return the milliseconds at which `day` begins in UTC."""
    return (day.toordinal() - EPOCH) * DAY


@cache
def day_text(day: int) -> str:
    """Return the ISO text of the day that is `day` days after 1970-01-01."""
    return date.fromordinal(EPOCH + day).isoformat()


def wall_text(milliseconds: int) -> str:
    """Return date and time without a zone (0.6 us; `datetime.isoformat` and its conversions take three times that)."""
    day, rest = divmod(milliseconds, DAY)
    minute, rest = divmod(rest, MINUTE)
    return f"{day_text(day)}{CLOCK_TEXTS[minute]}{rest // 1000:02d}.{rest % 1000:03d}"


def utc_text(milliseconds: int) -> str:
    """Return RFC 3339 text in UTC."""
    return wall_text(milliseconds) + "Z"


def zoned_text(milliseconds: int, offset: int) -> str:
    """Return RFC 3339 text of the moment in a zone that is `offset` minutes ahead of UTC."""
    sign = "-" if offset < 0 else "+"
    return f"{wall_text(milliseconds + offset * MINUTE)}{sign}{abs(offset) // 60:02d}:{abs(offset) % 60:02d}"


def weekday(milliseconds: int) -> int:
    """Return 0 for a Monday ... 6 for a Sunday (1970-01-01 was a Thursday)."""
    return (milliseconds // DAY + 3) % 7


def moment(milliseconds: int) -> datetime:
    """Return the moment as an aware datetime in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
