"""The export formats of an organization's spend, for commands and downloads alike."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from clickhouse_connect.driver.client import Client

from reports.exports.manifest import WrittenReport
from reports.exports.spend_columns import DAILY, Layout
from reports.exports.spend_report import write_spend_report
from reports.periods import Period

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
    write: Writer

    def file_name(self, organization_id: str, period: Period) -> str:
        """Return the default file name, which contains everything that distinguishes the file's content."""
        provisional = ".provisional" if period.provisional else ""
        return f"{self.stem}-{organization_id}-{period.first}-{period.last}{provisional}{self.suffix}"


def spend_format(layout: Layout = DAILY) -> ExportFormat:
    """Return the spend report as CSV, with the columns of `layout`."""
    return ExportFormat(f"spend-{layout.name}", layout.name, ".csv", partial(write_spend_report, layout=layout))


def focus_form(suffix: str) -> ExportFormat:
    """Return FOCUS 1.2 as CSV or Parquet, by one of FOCUS_SUFFIXES."""
    from reports.exports.focus.focus_report import FORMAT, write_focus
    from reports.exports.focus.writers import CsvFile, ParquetFile  # a spend report need not load Parquet

    return ExportFormat(
        FORMAT, FORMAT, suffix, partial(write_focus, file_of=ParquetFile if suffix == ".parquet" else CsvFile)
    )
