"""Records of the log, and those among them that cannot be counted."""

from typing import NamedTuple

from verify.timestamps import microsecond_text


class Record(NamedTuple):
    """A record of the log; `timestamp_ms` is the broker's."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None

    @property
    def key_text(self) -> str:
        """The key as text."""
        return (self.key or b"").decode("ascii", "replace")

    @property
    def logged_at(self) -> str:
        """The broker's time as text, in milliseconds."""
        return microsecond_text(self.timestamp_ms * 1000)[:-3]


class DeadLetter(NamedTuple):
    """A record that must have a letter, and the reason."""

    record: Record
    reason: str
    detail: str
