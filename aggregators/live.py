"""Live counters: what happens each minute, by product and model, without any person."""

from aggregators.cell_tables import MINUTE
from aggregators.increments import Amounts, Change
from aggregators.windows import MINUTES_BEFORE_1970

LIVE_MINUTES = 7 * 1440
"""How old an event may be, against its record's log time, to count as live. The rows live one day longer."""

ONE_EVENT: Amounts = (0, 1, 0, 0, 0, 0, 0, 0)


OLDEST_LIVE = MINUTES_BEFORE_1970 - LIVE_MINUTES
"""Added to the minutes since 1970 of a record's log time, it is the oldest minute that is live."""


def live_change(
    organization: str, product: str, minute: int, log_ms: int, model: str = "", amounts: Amounts = ONE_EVENT
) -> tuple[Change, ...]:
    """An event's live counter, or nothing for one that is older than what live counters show."""
    if minute < log_ms // 60_000 + OLDEST_LIVE:
        return ()
    return ((MINUTE, (organization, minute), (product, model), amounts),)
