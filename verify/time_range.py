"""The windows that are compared: all of them, or those in a range of whole UTC hours or days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from verify.errors import BadRange

Within = Mapping[str, tuple[str, str]]
"""By kind of window (day, hour, minute), the first window that is compared and the first one after the end, as texts;
an empty text leaves that side open."""

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class TimeRange:
    """The half-open range `[since, until)` of moments; None leaves a side open."""

    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_all(self) -> bool:
        """True if the range contains everything."""
        return self.since is None and self.until is None

    def within(self, live_from: str) -> Within:
        """Return the windows of each kind that are entirely in the range; minutes only from `live_from` on."""
        hours = _text(self.since), _text(self.until)
        since = self.since and -(-(self.since - _EPOCH) // _DAY) * _DAY + _EPOCH
        until = self.until and (self.until - _EPOCH) // _DAY * _DAY + _EPOCH
        days = _text(since)[:10], _text(until)[:10]
        return {"hour": hours, "day": days, "minute": (max(hours[0], live_from), hours[1])}


def span_of(since: str | None, until: str | None) -> TimeRange:
    """Return the range between two texts, each a UTC day (2026-11-01) or hour (2026-11-01T05). Raises BadRange."""
    span = TimeRange(_moment("--from", since), _moment("--to", until))
    if span.since and span.until and span.since >= span.until:
        raise BadRange(f"--from {since} is not before --to {until}", "The range excludes --to: use a later one.")
    return span


def _moment(flag: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    moment = found and (found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC))
    if moment is None or moment.minute or moment.second or moment.microsecond:
        raise BadRange(f"{flag} {text} is not a whole UTC hour or day", "Use the form 2026-11-01 or 2026-11-01T05.")
    return moment


def _text(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else ""


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
