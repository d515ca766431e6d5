"""The checks that all folds share."""

from datetime import UTC, datetime, timedelta

from aggregators.windows import MINUTES_BEFORE_1970, minute_of, minute_of_log, start_of_minute, utc
from tally_client.validity import AHEAD, DIRECTORY_EARLIEST, EARLIEST, NO_ID, InvalidRecord, is_uuid

EARLIEST_MINUTE = minute_of(EARLIEST)
AHEAD_MINUTES = AHEAD // timedelta(minutes=1)


def minute_in_bounds(moment: datetime, log_ms: int, field: str) -> int:
    """Return the minute number of `moment`. Raises InvalidRecord if it is before EARLIEST or ahead of the log."""
    if moment.tzinfo is UTC:  # nearly every event: fast path without a call
        minute = moment.toordinal() * 1440 + moment.hour * 60 + moment.minute
        if EARLIEST_MINUTE <= minute <= log_ms // 60_000 + MINUTES_BEFORE_1970:
            return minute
    _, minute = require_not_ahead(moment, log_ms, field)
    if minute < EARLIEST_MINUTE:
        raise InvalidRecord(
            "too_old", f"{field} {moment.isoformat()} is before {EARLIEST.isoformat()}, the oldest day kept"
        )
    return minute


def require_not_ahead(moment: datetime, log_ms: int, field: str) -> tuple[datetime, int]:
    """Return `moment` in UTC and its minute number. Raises InvalidRecord if it is more than AHEAD of the log."""
    try:
        at = utc(moment)
    except OverflowError:
        raise InvalidRecord("out_of_calendar", f"{field} {moment.isoformat()} has no UTC form") from None
    minute = minute_of(at)
    # Minutes first: comparing datetimes costs more than the rest of the check.
    if minute > minute_of_log(log_ms) and at > _moment_of_log(log_ms) + AHEAD:
        raise InvalidRecord(
            "in_the_future", f"{field} {moment.isoformat()} is more than {AHEAD_MINUTES} minutes ahead of its log time"
        )
    return at, minute


def history_moment(moment: datetime, log_ms: int, field: str) -> datetime:
    """Return `moment` in UTC. Raises InvalidRecord if it is before the directory begins or ahead of the log."""
    at, _ = require_not_ahead(moment, log_ms, field)
    if at < DIRECTORY_EARLIEST:
        raise InvalidRecord("too_old", f"{field} {moment.isoformat()} is before {DIRECTORY_EARLIEST.year}")
    return at


def _moment_of_log(log_ms: int) -> datetime:
    return start_of_minute(minute_of_log(log_ms)) + timedelta(milliseconds=log_ms % 60_000)


class IdInterner:
    """Remembers ids that have the right form, so that the pattern runs once per id and not per event.

    Equal ids become one object: keys of cells then share their strings, and compare by identity.
    """

    def __init__(self, limit: int = 500_000) -> None:
        self._limit = limit
        self._known: dict[str, str] = {}
        self.known = self._known.get
        """`check` of an id that was checked before; None for others. Saves a call for nearly every event."""

    def check(self, value: str, field: str) -> str:
        """Return `value` as the same object each time. Raises InvalidRecord unless `is_uuid` accepts it.

        Two spellings of one UUID would be two cells in memory and one row in ClickHouse, each overwriting the other.
        """
        known = self._known.get(value)
        if known is not None:
            return known
        if not is_uuid(value):
            raise InvalidRecord("bad_id", f"{field} {value!r} {NO_ID}")
        if len(self._known) >= self._limit:
            self._known.clear()
        self._known[value] = value
        return value
