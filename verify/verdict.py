"""What a verification found: per topic, per table, and every way in which log and tables differ."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Difference:
    """One row that is not as the log says. `expected` or `found` is None where there should be, or is, no row.

    `events` is how many records make the expected row, and `offsets` are the first of theirs, where that was looked
    up. `explaining` are those among them each of which alone explains the difference: it is missing or stands twice.
    """

    key: dict[str, Any]
    expected: dict[str, Any] | None
    found: dict[str, Any] | None
    offsets: tuple[int, ...] = ()
    events: int = 0
    explaining: tuple[int, ...] = ()


@dataclass
class TableResult:
    """One table, view or topic of letters: rows compared, rows left out because a worker goes on, and differences."""

    name: str
    compared: int = 0
    moving: int = 0
    different: int = 0
    differences: list[Difference] = field(default_factory=list)


@dataclass(frozen=True)
class TopicResult:
    """What the recount made of one topic."""

    name: str
    records: int
    counted: int
    duplicates: int
    letters: int


@dataclass
class Verdict:
    """The whole result. `unfinished` says what could not be compared; `notes` what is only good to know."""

    topics: list[TopicResult] = field(default_factory=list)
    tables: list[TableResult] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def different(self) -> int:
        """How many rows differ."""
        return sum(table.different for table in self.tables)

    @property
    def equal(self) -> bool:
        """Whether all of the log was compared and every row is as the log says."""
        return not self.different and not self.unfinished

    @property
    def exit_code(self) -> int:
        """0 when equal, else 1."""
        return 0 if self.equal else 1

    def as_json(self) -> dict[str, Any]:
        """The verdict as JSON-able values."""
        return {"equal": self.equal, "different": self.different, **asdict(self)}
