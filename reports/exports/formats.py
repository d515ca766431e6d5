"""The forms in which an organization's spend can be had, for commands and downloads alike."""

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
    """What is in its file, how that is called, and what writes an organization's period to any sink, row by row.

    `format` is what the manifest says it is.
    """

    stem: str
    format: str
    suffix: str
    write: Writer

    def file_name(self, organization_id: str, period: Period) -> str:
        """What a file is called where nobody says otherwise: by all that tells its content from another's."""
        provisional = ".provisional" if period.provisional else ""
        return f"{self.stem}-{organization_id}-{period.first}-{period.last}{provisional}{self.suffix}"


def spend_format(layout: Layout = DAILY) -> ExportFormat:
    """The spend report as CSV, in the columns of `layout`."""
    return ExportFormat(f"spend-{layout.name}", layout.name, ".csv", partial(write_spend_report, layout=layout))


def focus_form(suffix: str) -> ExportFormat:
    """FOCUS 1.2 as CSV or Parquet, by one of FOCUS_SUFFIXES."""
    from reports.exports.focus.focus_report import FORMAT, write_focus
    from reports.exports.focus.writers import CsvFile, ParquetFile  # Parquet need not be loaded for a spend report

    return ExportFormat(
        FORMAT, FORMAT, suffix, partial(write_focus, file_of=ParquetFile if suffix == ".parquet" else CsvFile)
    )
