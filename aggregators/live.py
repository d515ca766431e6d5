"""Live counters: events per minute, by product and model, without people."""

from aggregators.cell_tables import MINUTE
from aggregators.increments import Amounts, Change
from aggregators.windows import MINUTES_BEFORE_1970

LIVE_MINUTES = 7 * 1440
"""The maximum age of a live event, relative to its record's log time. The rows are kept one day longer."""

ONE_EVENT: Amounts = (0, 1, 0, 0, 0, 0, 0, 0)


OLDEST_LIVE = MINUTES_BEFORE_1970 - LIVE_MINUTES
"""Added to the minutes since 1970 of a record's log time, this gives the oldest live minute."""


def live_change(
    organization: str, product: str, minute: int, log_ms: int, model: str = "", amounts: Amounts = ONE_EVENT
) -> tuple[Change, ...]:
    """Return an event's live counter, or nothing if the event is too old for live counters."""
    if minute < log_ms // 60_000 + OLDEST_LIVE:
        return ()
    return ((MINUTE, (organization, minute), (product, model), amounts),)
