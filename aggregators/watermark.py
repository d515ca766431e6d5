"""The watermark of a source: everything that its log had received by then is in ClickHouse."""

from dataclasses import dataclass
from datetime import datetime, timedelta

CLOCKS = timedelta(seconds=5)
"""Tolerated clock difference of workers and brokers: a disconnected worker must not consider itself caught up."""


@dataclass(frozen=True)
class EndOffset:
    """An answered request for the log's end: at `asked_at`, before the request, the log ended at or before `end`."""

    asked_at: datetime
    end: int


def watermark(asked: EndOffset | None, place: int) -> datetime | None:
    """Return the watermark that a stored `place` proves, or None if the place has not reached the requested end."""
    if asked is None or place < asked.end:
        return None
    return asked.asked_at - CLOCKS
