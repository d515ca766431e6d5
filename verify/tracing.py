"""Which records make a cell, and which one alone explains that it is not as the log says."""

from dataclasses import dataclass, field

MOST_OFFSETS = 12

Gap = tuple[int, ...] | None
"""By how much each counter that was found is more than it should be; None where there is no such row."""


@dataclass
class Trace:
    """The records of one cell: how many, the first of them, and those whose amounts are just the gap."""

    gap: Gap
    events: int = 0
    offsets: list[int] = field(default_factory=list)
    explaining: list[int] = field(default_factory=list)

    def note(self, offset: int, amounts: tuple[int, ...]) -> None:
        """One more record of the cell, and what it adds to each counter."""
        self.events += 1
        if len(self.offsets) < MOST_OFFSETS:
            self.offsets.append(offset)
        is_gap = self.gap is not None and self.gap in (amounts, tuple(-amount for amount in amounts))
        if is_gap and any(amounts) and len(self.explaining) < MOST_OFFSETS:
            self.explaining.append(offset)
