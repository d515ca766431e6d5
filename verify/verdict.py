"""The result of a verification: per topic, per table, and every difference between log and tables."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Difference:
    """One row that differs from the log. `expected` is None if there should be no row, `found` if there is none.

    `events` is the number of records behind the expected row, and `offsets` has the first of them, if they were looked
    up. Each record in `explaining` explains the difference alone: it is missing from the row or counted twice.
    """

    key: dict[str, Any]
    expected: dict[str, Any] | None
    found: dict[str, Any] | None
    offsets: tuple[int, ...] = ()
    events: int = 0
    explaining: tuple[int, ...] = ()


@dataclass
class TableResult:
    """One table, view or topic of letters: rows compared, rows ignored because a worker continues, and differences."""

    name: str
    compared: int = 0
    moving: int = 0
    different: int = 0
    differences: list[Difference] = field(default_factory=list)


@dataclass(frozen=True)
class TopicResult:
    """The recount of one topic."""

    name: str
    records: int
    counted: int
    duplicates: int
    letters: int


@dataclass
class Verdict:
    """The whole result. `unfinished` lists what could not be compared; `notes` is for information only."""

    topics: list[TopicResult] = field(default_factory=list)
    tables: list[TableResult] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def different(self) -> int:
        """The number of rows that differ."""
        return sum(table.different for table in self.tables)

    @property
    def equal(self) -> bool:
        """True if all of the log was compared and no row differs."""
        return not self.different and not self.unfinished

    @property
    def exit_code(self) -> int:
        """0 if equal, else 1."""
        return 0 if self.equal else 1

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as JSON values."""
        return {"equal": self.equal, "different": self.different, **asdict(self)}
