"""What a flush takes of a source."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aggregators.cell_rows import Rows
from aggregators.page_cache import Page, Table
from aggregators.prepared_batch import Letter

if TYPE_CHECKING:
    from aggregators.source import Source


@dataclass
class Snapshot:
    """What a source has that ClickHouse does not: absolute rows by table, letters, and the place they reach."""

    source: "Source"
    place: int
    rows: dict[str, Rows]
    letters: list[Letter]
    last_record: str
    flights: list[tuple[Table, list[Page]]]


def landed(snapshot: Snapshot) -> None:
    """ClickHouse has confirmed all rows of the snapshot: its pages may be let go again."""
    for table, pages in snapshot.flights:
        table.landed(pages)
