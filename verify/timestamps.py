"""RFC 3339 moments as integers: microseconds since 1970, in UTC. No datetime, no time zone, no overflow."""

import re
from datetime import date
from functools import lru_cache

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_FORM = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):?(\d\d))", re.ASCII)
_DAY_ZERO = date(1970, 1, 1).toordinal()


def start_of_day(year: int, month: int, day: int) -> int:
    """Return the moment at which a calendar day begins. Raises ValueError if the day does not exist."""
    return (date(year, month, day).toordinal() - _DAY_ZERO) * DAY


FIRST = start_of_day(1, 1, 1)
LAST = start_of_day(9999, 12, 31) + DAY - 1
"""The calendar's first and last microsecond."""


@lru_cache(maxsize=1 << 12)
def parse_moment(text: str) -> int | None:
    """Return the moment in `text`; None if it is malformed, or has no zone or a leap second.

    Digits after the sixth are cut off: they never move a moment into the next second. A moment that its zone moves past
    the calendar's end is still a number here; the caller decides if a moment must have a UTC form.
    """
    form = _FORM.fullmatch(text)
    if form is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, zone_hours, zone_minutes = form.groups()
    if hour > "23" or minute > "59" or second > "59" or (sign and (zone_hours > "23" or zone_minutes > "59")):
        return None
    try:
        moment = start_of_day(int(year), int(month), int(day))
    except ValueError:
        return None
    moment += int(hour) * HOUR + int(minute) * MINUTE + int(second) * SECOND + _microseconds(fraction or "")
    if moment == LAST and (fraction or "")[6:7] >= "5":
        return None  # nearer to the year 10000 than to any moment of the calendar
    if sign:
        offset = int(zone_hours) * HOUR + int(zone_minutes) * MINUTE
        moment += offset if sign == "-" else -offset
    return moment


def _microseconds(fraction: str) -> int:
    return int(fraction[:6].ljust(6, "0"))


def day_text(moment: int) -> str:
    """Return the UTC day of a moment, as ClickHouse writes a Date."""
    return _day_text(moment // DAY)


def hour_text(moment: int) -> str:
    """Return the start of a moment's UTC hour, as ClickHouse writes a DateTime."""
    return _hour_text(moment // HOUR)


def minute_text(moment: int) -> str:
    """Return the start of a moment's UTC minute, as ClickHouse writes a DateTime."""
    return _minute_text(moment // MINUTE)


def microsecond_text(moment: int) -> str:
    """Return a moment as ClickHouse writes a DateTime64(6)."""
    return f"{day_text(moment)} {moment % DAY // HOUR:02d}:{moment % HOUR // MINUTE:02d}" + (
        f":{moment % MINUTE // SECOND:02d}.{moment % SECOND:06d}"
    )


@lru_cache(maxsize=1 << 12)
def _day_text(day: int) -> str:
    return date.fromordinal(day + _DAY_ZERO).isoformat()


@lru_cache(maxsize=1 << 12)
def _hour_text(hour: int) -> str:
    return f"{_day_text(hour // 24)} {hour % 24:02d}:00:00"


@lru_cache(maxsize=1 << 14)
def _minute_text(minute: int) -> str:
    return f"{_day_text(minute // 1440)} {minute // 60 % 24:02d}:{minute % 60:02d}:00"
