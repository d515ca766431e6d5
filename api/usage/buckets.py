"""The time range of a report, and its division into buckets."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from api.errors import BadRequest, invalid_parameter
from api.parameters import QueryParams, read_choice, single
from reports.periods import FIRST_KEPT_DAY, midnight
from reports.usage.rows import MINUTES_BACK
from sinks.datetimes import rfc3339

WIDTHS = {"1d": timedelta(days=1), "1h": timedelta(hours=1), "1m": timedelta(minutes=1)}
BUCKETS = {"1d": (7, 31), "1h": (24, 168), "1m": (60, 256)}
"""Buckets per page: the default and the maximum."""

MOST_DAYS = timedelta(days=31)
OLDEST = timedelta(days=365)
MOST_MINUTES = timedelta(hours=24)
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})")
FORM = "a moment with its zone, such as 2026-11-01T00:00:00Z"


@dataclass(frozen=True)
class Range:
    """A half-open range of whole buckets, or of whole hours if `width` is None."""

    begins: datetime
    ends: datetime
    width: timedelta | None = None


def read_range(given: QueryParams, width: str | None, now: datetime, by_row: bool) -> Range:
    """Return the requested range, rounded down to whole buckets. Raises BadRequest.

    `by_row`: the report has rows instead of buckets as elements; it requires an end if rows have a bucket, and by the
    minute covers at most a day. Without an end, a report of buckets includes the current bucket, and a report of rows
    ends with the last whole hour.
    """
    starts, ending = _moment(given, "starting_at"), _moment(given, "ending_at")
    if starts is None:
        raise BadRequest(f"starting_at: missing. Allowed: {FORM}.")
    if ending is None and by_row and width:
        raise BadRequest(f"ending_at: missing, but required with buckets. Allowed: {FORM}.")
    _within(starts, ending, now, MOST_MINUTES if by_row and width == "1m" else MOST_DAYS)
    step = WIDTHS[width or "1h"]
    begins, ends = floor(starts, step), floor(ending or min(now, starts + MOST_DAYS), step)
    if ending is None and not by_row and starts + MOST_DAYS > now:
        ends = floor(now, step) + step
    if begins >= ends:
        raise invalid_parameter(
            *("ending_at", rfc3339(ending or now)),
            f"at least {rfc3339(begins + step)}, the end of one whole {_unit(width)}",
        )
    return pinned(begins, ends, width, now)


def pinned(begins: datetime, ends: datetime, width: str | None, now: datetime) -> Range:
    """Return the range of whole buckets. Raises BadRequest if its minutes are no longer kept."""
    if width == "1m":
        _kept(begins, now)
    return Range(begins, ends, WIDTHS[width] if width else None)


def read_width(given: QueryParams, name: str, usual: str | None) -> str | None:
    """Return the name of the bucket width."""
    return read_choice(given, name, tuple(WIDTHS)) or usual


def floor(moment: datetime, width: timedelta) -> datetime:
    """Return the beginning of the UTC bucket that contains a moment."""
    return moment - (moment - midnight(FIRST_KEPT_DAY)) % width


def _unit(width: str | None) -> str:
    return {"1d": "day", "1m": "minute"}.get(width or "", "hour")


def _moment(given: QueryParams, name: str) -> datetime | None:
    text = single(given, name)
    if text is None:
        return None
    written = text.replace(" ", "+")  # an unescaped + of a zone arrives as a space
    try:
        if not MOMENT.fullmatch(written):
            raise ValueError(text)
        return datetime.fromisoformat(written).astimezone(UTC)
    except (ValueError, OverflowError):
        raise invalid_parameter(name, text, FORM) from None


def _within(starts: datetime, ending: datetime | None, now: datetime, most: timedelta) -> None:
    oldest = max(midnight(FIRST_KEPT_DAY), now - OLDEST)
    if not oldest <= starts < now:
        raise invalid_parameter(
            "starting_at", rfc3339(starts), f"from {rfc3339(oldest)} on, and before now, {rfc3339(now)}"
        )
    if ending is not None and not starts < ending <= starts + most:
        hours = most // timedelta(hours=1)
        raise invalid_parameter(
            "ending_at", rfc3339(ending), f"after starting_at, {rfc3339(starts)}, and at most {hours} hours after it"
        )


def _kept(begins: datetime, now: datetime) -> None:
    oldest = floor(now - MINUTES_BACK, WIDTHS["1m"]) + 2 * WIDTHS["1m"]
    if begins < oldest:
        raise invalid_parameter(
            "starting_at", rfc3339(begins), f"{rfc3339(oldest)} or later for minutes, which are kept for 7 days"
        )
