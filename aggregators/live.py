"""Live counters: what happens each minute, by product and model, without any person."""

from aggregators.changes import Change
from aggregators.declarations import MINUTE
from aggregators.table import Amounts
from aggregators.windows import minute_of_log
from streams.events import ActivityEvent

SHOWN_MINUTES = 7 * 1440
"""How old an event may be, against its record's log time, to count as live. The rows live one day longer."""

ONE_EVENT: Amounts = (0, 1, 0, 0, 0, 0, 0, 0)


def live_change(
    event: ActivityEvent, minute: int, log_ms: int, model: str = "", amounts: Amounts = ONE_EVENT
) -> tuple[Change, ...]:
    """The event's live counter, or nothing for one that is older than what live counters show."""
    if minute_of_log(log_ms) - minute > SHOWN_MINUTES:
        return ()
    return ((MINUTE, (event.organization_id, minute), (event.product or "", model), amounts),)
