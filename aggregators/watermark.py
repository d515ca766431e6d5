"""The watermark of a source: all that its log had received by then is in ClickHouse."""

from dataclasses import dataclass
from datetime import datetime, timedelta

CLOCKS = timedelta(seconds=5)
"""How far the clocks of workers and brokers may differ; a cut-off worker cannot think itself caught up."""


@dataclass(frozen=True)
class EndOffset:
    """An answered request for the log's end: at `asked_at`, before the request, the log ended at or before `end`."""

    asked_at: datetime
    end: int


def watermark(asked: EndOffset | None, place: int) -> datetime | None:
    """The watermark that a stored `place` proves, or None while the place has not reached the end that was asked."""
    if asked is None or place < asked.end:
        return None
    return asked.asked_at - CLOCKS
