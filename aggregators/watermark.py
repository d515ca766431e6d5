"""The watermark of a source: everything that its log had received by then is in ClickHouse."""

from dataclasses import dataclass
from datetime import datetime, timedelta

CLOCKS = timedelta(seconds=5)
"""Tolerated clock difference of workers and brokers: a disconnected worker must not consider itself caught up."""


@dataclass(frozen=True)
class EndOffset:
    """The end of a log: at `requested_at`, before it was requested, the log ended at or before `end`."""

    requested_at: datetime
    end: int


def watermark(log_end: EndOffset | None, next_offset: int) -> datetime | None:
    """Return the watermark that a stored `next_offset` proves; None while it has not reached `log_end`."""
    if log_end is None or next_offset < log_end.end:
        return None
    return log_end.requested_at - CLOCKS
