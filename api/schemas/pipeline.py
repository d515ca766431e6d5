"""The pipeline for operators: how far the tables are behind the log, without any organization or person."""

from datetime import datetime

from msgspec import Struct


class SourceStanding(Struct, frozen=True, kw_only=True):
    """One partition of a topic. The log has the offsets [log_start, log_end); all below `next_offset` is in the tables.
    `is_stuck`: the position is outside the log and needs an operator (docs/operations.md, Epochs and Retention).
    `is_held`: an open transaction hides the rest of its log (docs/operations.md, Transactions)."""

    source: str
    topic: str
    partition: int
    next_offset: int
    log_start: int
    log_end: int
    lag: int
    watermark: datetime | None
    is_stuck: bool
    is_held: bool = False


class Pipeline(Struct, frozen=True, kw_only=True):
    """The log against the tables. `lag` is in offsets over all sources; `data_refreshed_at` is null while unknown.

    `dead_letters`: the current number of records that cannot be counted, by reason.
    """

    lag: int
    data_refreshed_at: datetime | None
    sources: list[SourceStanding]
    dead_letters: dict[str, int]
    dead_letters_counted_at: datetime
