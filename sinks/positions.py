"""The position of a source in its log, and the checks before a worker continues from it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from aggregators.source import FOLD_VERSION

NO_WATERMARK = datetime(1970, 1, 1, tzinfo=UTC)
"""The watermark of a source that has none yet."""


@dataclass(frozen=True)
class Position:
    """The position of a source: everything below `next_offset` is in the tables."""

    source: str
    next_offset: int
    watermark: datetime
    fold_version: int
    last_record: str


def folded_until(position: Position | None) -> int:
    """Return the next offset to fold: 0 for a source that has no position yet."""
    return position.next_offset if position else 0


def missing_offsets(next_offset: int, log_start: int) -> range:
    """Return the offsets that were removed from the log before they were folded."""
    return range(next_offset, log_start)


def is_beyond(next_offset: int, log_end: int) -> bool:
    """Return True if a source is past its log's end: the topic was recreated or truncated."""
    return next_offset > log_end


def lag(next_offset: int, log_end: int, log_start: int = 0) -> int:
    """Return the number of offsets in the log `[log_start, log_end)` that are not folded yet."""
    return max(0, log_end - max(next_offset, log_start))


def position_problem(
    source: str, topic: str, partition: int, position: Position | None, log_start: int, log_end: int
) -> str:
    """Return why a worker must not continue from a source's position, or an empty text."""
    next_offset = folded_until(position)
    if position is not None and position.fold_version != FOLD_VERSION:
        return (
            f"{source} was folded by version {position.fold_version}, but this worker folds version {FOLD_VERSION}: "
            f"run the release that folded it, or fold it again with `tally epoch {topic} --mode replace`"
        )
    if missing := missing_offsets(next_offset, log_start):
        return (
            f"{source} is at offset {next_offset}, but the log begins at {log_start}: "
            f"offsets {missing[0]} to {missing[-1]} are gone; "
            f"accept the loss with `tally positions accept {topic} {partition}`"
        )
    if is_beyond(next_offset, log_end):
        return (
            f"{source} is at offset {next_offset}, but the log ends at {log_end}: "
            "the topic was recreated or truncated; "
            f"start a new epoch with `tally epoch {topic}`"
        )
    return ""
