"""The export formats of an organization's spend, by name, for commands and downloads alike.

Importing this loads no writer, since the command line reads the names at every start.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Literal

from reports.exports.spend_columns import DAILY, Layout
from reports.periods import Period

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from reports.exports.manifest import WrittenReport

    OnRows = Callable[[int], None]
    Writer = Callable[[Client, str, Period, BinaryIO, OnRows | None], WrittenReport]

FOCUS_SUFFIXES = (".csv", ".parquet")


@dataclass(frozen=True)
class ExportFormat:
    """A format's content, file name, and the function that writes an organization's period to any sink, row by row.

    `format` is its name in the manifest.
    """

    stem: str
    format: str
    suffix: str
    write: "Writer"

    def file_name(self, organization_id: str, period: Period) -> str:
        """Return the default file name, which contains everything that distinguishes the file's content."""
        provisional = ".provisional" if period.provisional else ""
        return f"{self.stem}-{organization_id}-{period.first}-{period.last}{provisional}{self.suffix}"


def spend_format(layout: Layout = DAILY) -> ExportFormat:
    """Return the spend report as CSV, with the columns of `layout`."""
    from reports.exports.spend_report import write_spend_report

    return ExportFormat(f"spend-{layout.name}", layout.name, ".csv", partial(write_spend_report, layout=layout))


def focus_form(suffix: str) -> ExportFormat:
    """Return FOCUS 1.2 as CSV or Parquet, by one of FOCUS_SUFFIXES."""
    from reports.exports.focus.focus_report import FORMAT, write_focus
    from reports.exports.focus.writers import CsvFile, ParquetFile

    return ExportFormat(
        FORMAT, FORMAT, suffix, partial(write_focus, file_of=ParquetFile if suffix == ".parquet" else CsvFile)
    )


FormatName = Literal["csv", "focus", "focus-parquet"]


@dataclass(frozen=True)
class NamedFormat:
    """A format to choose by name: its title for people, its media type, and the function that returns it."""

    title: str
    media_type: str
    form: Callable[[], ExportFormat]


FORMATS: dict[FormatName, NamedFormat] = {
    "csv": NamedFormat("CSV: one row per person, product, model and day", "text/csv", spend_format),
    "focus": NamedFormat("FOCUS 1.2, CSV", "text/csv", partial(focus_form, ".csv")),
    "focus-parquet": NamedFormat(
        "FOCUS 1.2, Parquet", "application/vnd.apache.parquet", partial(focus_form, ".parquet")
    ),
}
"""Every format; the first is the default."""
