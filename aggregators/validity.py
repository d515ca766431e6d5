"""What a fold gives: increments for cells, and the checks that every fold shares."""

from datetime import UTC, datetime, timedelta

from aggregators.windows import MINUTES_BEFORE_1970, minute_of, minute_of_log, start_of_minute, utc
from tally_client.validity import AHEAD, DIRECTORY_EARLIEST, EARLIEST, NO_ID, InvalidRecord, is_uuid

EARLIEST_MINUTE = minute_of(EARLIEST)


def minute_in_bounds(moment: datetime, log_ms: int, field: str) -> int:
    """The minute number of `moment`. Raises InvalidRecord when it is before EARLIEST or ahead of the log."""
    if moment.tzinfo is UTC:  # nearly every event: no more than this is spent on it, and no call
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
    """`moment` in UTC and its minute number. Raises InvalidRecord if it is over five minutes ahead of the log."""
    try:
        at = utc(moment)
    except OverflowError:
        raise InvalidRecord("out_of_calendar", f"{field} {moment.isoformat()} has no UTC form") from None
    minute = minute_of(at)
    # Minutes first: an exact comparison of datetimes costs more than all the rest of the check.
    if minute > minute_of_log(log_ms) and at > _moment_of_log(log_ms) + AHEAD:
        raise InvalidRecord(
            "in_the_future", f"{field} {moment.isoformat()} is more than 5 minutes ahead of its log time"
        )
    return at, minute


def history_moment(moment: datetime, log_ms: int, field: str) -> datetime:
    """`moment` in UTC. Raises InvalidRecord when it is before the directory begins or ahead of the log."""
    at, _ = require_not_ahead(moment, log_ms, field)
    if at < DIRECTORY_EARLIEST:
        raise InvalidRecord("too_old", f"{field} {moment.isoformat()} is before {DIRECTORY_EARLIEST.year}")
    return at


def _moment_of_log(log_ms: int) -> datetime:
    return start_of_minute(minute_of_log(log_ms)) + timedelta(milliseconds=log_ms % 60_000)


class IdInterner:
    """Remembers which ids have the right form, so that the pattern runs once for each id and not for each event.

    It gives one object for equal ids: keys of cells then share their strings, and compare by identity.
    """

    def __init__(self, limit: int = 500_000) -> None:
        self._limit = limit
        self._known: dict[str, str] = {}
        self.known = self._known.get
        """`check` of an id that was checked before; None for others. It spares nearly every event a call."""

    def check(self, value: str, field: str) -> str:
        """`value`, as the same object each time. Raises InvalidRecord unless `is_uuid` takes it.

        Two spellings of one UUID would be two cells in memory and one row in ClickHouse, each losing to the other.
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
