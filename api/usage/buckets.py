"""Which moments a report covers, and how they are cut into buckets."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from api.errors import BadRequest, invalid_parameter
from api.parameters import EARLIEST, QueryParams, read_choice, single
from reports.periods import midnight
from reports.usage.rows import MINUTES_BACK

WIDTHS = {"1d": timedelta(days=1), "1h": timedelta(hours=1), "1m": timedelta(minutes=1)}
BUCKETS = {"1d": (7, 31), "1h": (24, 168), "1m": (60, 256)}
"""How many buckets a page has unless it is told, and at most."""

MOST_DAYS = timedelta(days=31)
OLDEST = timedelta(days=365)
MOST_MINUTES = timedelta(hours=24)
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})")
FORM = "a moment with its zone, as 2026-11-01T00:00:00Z"


@dataclass(frozen=True)
class Range:
    """Half-open, and of whole buckets; of whole hours when `width` is None."""

    begins: datetime
    ends: datetime
    width: timedelta | None = None


def read_range(given: QueryParams, width: str | None, now: datetime, by_row: bool) -> Range:
    """What is asked for, rounded down to whole buckets. Raises BadRequest.

    `by_row`: the report is one of rows, which wants an end with buckets and takes minutes of a day at most. Without
    an end a report of buckets goes on to the bucket that has begun, one of rows to the hour that has ended.
    """
    starts, ending = _moment(given, "starting_at"), _moment(given, "ending_at")
    if starts is None:
        raise BadRequest(f"starting_at: missing. Allowed: {FORM}.")
    if ending is None and by_row and width:
        raise BadRequest(f"ending_at: missing, and buckets need it. Allowed: {FORM}.")
    _within(starts, ending, now, MOST_MINUTES if by_row and width == "1m" else MOST_DAYS)
    step = WIDTHS[width or "1h"]
    begins, ends = floor(starts, step), floor(ending or min(now, starts + MOST_DAYS), step)
    if ending is None and not by_row and starts + MOST_DAYS > now:
        ends = floor(now, step) + step
    if begins >= ends:
        raise invalid_parameter(
            "ending_at", shown(ending or now), f"at least {shown(begins + step)}, the end of one whole {_unit(width)}"
        )
    return pinned(begins, ends, width, now)


def pinned(begins: datetime, ends: datetime, width: str | None, now: datetime) -> Range:
    """The range of whole buckets. Raises BadRequest when its minutes are kept no more."""
    if width == "1m":
        _kept(begins, now)
    return Range(begins, ends, WIDTHS[width] if width else None)


def read_width(given: QueryParams, name: str, usual: str | None) -> str | None:
    """The width of a bucket, by its name."""
    return read_choice(given, name, tuple(WIDTHS)) or usual


def floor(moment: datetime, width: timedelta) -> datetime:
    """The beginning of the UTC bucket that a moment lies in."""
    return moment - (moment - midnight(EARLIEST)) % width


def shown(moment: datetime) -> str:
    """A moment for a message."""
    return moment.isoformat().replace("+00:00", "Z")


def _unit(width: str | None) -> str:
    return {"1d": "day", "1m": "minute"}.get(width or "", "hour")


def _moment(given: QueryParams, name: str) -> datetime | None:
    text = single(given, name)
    if text is None:
        return None
    written = text.replace(" ", "+")  # an unescaped + of a zone arrives as a blank
    try:
        if not MOMENT.fullmatch(written):
            raise ValueError(text)
        return datetime.fromisoformat(written).astimezone(UTC)
    except (ValueError, OverflowError):
        raise invalid_parameter(name, text, FORM) from None


def _within(starts: datetime, ending: datetime | None, now: datetime, most: timedelta) -> None:
    oldest = max(midnight(EARLIEST), now - OLDEST)
    if not oldest <= starts < now:
        raise invalid_parameter("starting_at", shown(starts), f"from {shown(oldest)} on, and before now, {shown(now)}")
    if ending is not None and not starts < ending <= starts + most:
        hours = most // timedelta(hours=1)
        raise invalid_parameter(
            "ending_at", shown(ending), f"after starting_at, {shown(starts)}, and at most {hours} hours after it"
        )


def _kept(begins: datetime, now: datetime) -> None:
    oldest = floor(now - MINUTES_BACK, WIDTHS["1m"]) + 2 * WIDTHS["1m"]
    if begins < oldest:
        raise invalid_parameter(
            "starting_at", shown(begins), f"{shown(oldest)} or later by the minute: minutes are kept for 7 days"
        )
