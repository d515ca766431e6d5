"""The form of an entry in the catalogue of metrics."""

from msgspec import Struct

ANY = "any range"
DAILY = "each day of any range"
BOTH = "any range, and each of its days"
TO_DATE = "mtd, qtd, ytd"
PICKED = "1-week, 1-month, 3-months, 1-year"
LEADERS = "mtd, qtd, ytd, 1-year"
NONE = "-"

SEATS = "assigned seats at the end of the day"
AT_END = "assigned seats at the window's end; also active people of the window"
ACCOUNT = "account id"

PRESENCE = "presence"
"""Counts of people read the days on which people were active: reports/presence/presence.sql."""


class Metric(Struct, frozen=True):
    """One metric. `function` is its name in reports.metrics; `windows` are those that it is published for."""

    name: str
    unit: str
    windows: str
    numerator: str
    function: str
    denominator: str = NONE
    ties: str = NONE
    reads: tuple[str, ...] = ()

    @property
    def sql(self) -> tuple[str, ...]:
        """The files in reports/metrics/sql that it reads (or PRESENCE), by default the one named after its function."""
        return self.reads or (self.function,)
