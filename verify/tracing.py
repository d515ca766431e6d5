"""Traces: the records behind a cell, and those that alone explain why it differs from the log."""

from dataclasses import dataclass, field

MOST_OFFSETS = 12

Gap = tuple[int, ...] | None
"""The surplus found in each counter; None if the row was not found."""


@dataclass
class Trace:
    """The records of one cell: their number, the first of them, and those whose amounts equal the gap."""

    gap: Gap
    events: int = 0
    offsets: list[int] = field(default_factory=list)
    explaining: list[int] = field(default_factory=list)

    def note(self, offset: int, amounts: tuple[int, ...]) -> None:
        """Add a record of the cell, with its increment of each counter."""
        self.events += 1
        if len(self.offsets) < MOST_OFFSETS:
            self.offsets.append(offset)
        is_gap = self.gap is not None and self.gap in (amounts, tuple(-amount for amount in amounts))
        if is_gap and any(amounts) and len(self.explaining) < MOST_OFFSETS:
            self.explaining.append(offset)
