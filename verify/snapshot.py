"""The positions of the sources and the bounds of their logs when a verification began."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from verify.log import Partition
from verify.recount import PROFILES

Bounds = Mapping[Partition, tuple[int, int]]


@dataclass(frozen=True)
class Snapshot:
    """The `positions` of sources by name, and the `bounds` of their logs as read after them. `awaited`: the bounds at
    the start, whose ends the positions should reach. `needed`: the offsets at which reading begins, if not at 0."""

    positions: Mapping[str, int]
    bounds: Bounds
    awaited: Bounds
    epochs: Mapping[str, int]
    needed: Mapping[Partition, int] = field(default_factory=dict)

    @property
    def sources(self) -> dict[str, Partition]:
        """Every source of the log, by name."""
        return {f"{topic}/{number}@{self.epochs.get(topic, 0)}": (topic, number) for topic, number in self.bounds}

    def reached(self) -> dict[str, int]:
        """Return the position of each source that can be recounted."""
        lost = self.lost()
        return {source: self.positions.get(source, 0) for source in self.sources if source not in lost}

    def behind(self) -> dict[str, int]:
        """Return how many offsets each source lacks to its awaited end, without sources that lack none."""
        ends = {source: self.awaited.get(each, (0, 0))[1] for source, each in self.sources.items()}
        lags = {source: end - self.positions.get(source, 0) for source, end in ends.items()}
        return {source: lag for source, lag in sorted(lags.items()) if lag > 0}

    def lost(self) -> dict[str, str]:
        """Return the sources that cannot be recounted, and why. Compacted profiles may begin late."""
        lost = {}
        for source, partition in self.sources.items():
            (start, end), place = self.bounds[partition], self.positions.get(source, 0)
            if start > self.needed.get(partition, 0) and partition[0] != PROFILES:
                lost[source] = f"its log begins at offset {start}, so earlier records cannot be recounted"
            elif place > end:
                lost[source] = f"its position is {place}, but its log ends at {end}: run `tally doctor` for what to do"
        return lost

    def is_whole(self) -> bool:
        """Return True if every source is counted to the end of its log."""
        return self.reached() == {source: self.bounds[each][1] for source, each in self.sources.items()}
