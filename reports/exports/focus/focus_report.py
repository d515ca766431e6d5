"""The export of charges as FOCUS, written to any sink."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, BinaryIO

from clickhouse_connect.driver.client import Client

from pricing.money import EXACT, money_text
from queries.organizations import organization_name
from reports.exports.focus.charges import METERS, Charge, read_charges
from reports.exports.focus.columns import NAMES, Account, row_of
from reports.exports.focus.writers import FileOf
from reports.periods import Period

FORMAT = "focus-1.2"


@dataclass
class Totals:
    """The totals of the charges."""

    rows: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    net_usd: Decimal = Decimal(0)
    list_usd: Decimal = Decimal(0)

    def add(self, charge: Charge) -> None:
        """Count one charge."""
        self.rows += 1
        if METERS[charge.price.unit].prompt:
            self.prompt_tokens += charge.quantity
        elif charge.price.unit == "output_tokens":
            self.completion_tokens += charge.quantity
        self.net_usd = EXACT.add(self.net_usd, charge.net_usd)
        self.list_usd = EXACT.add(self.list_usd, charge.list_usd)


@dataclass(frozen=True)
class FocusReport:
    """A finished export: the hash of its bytes and its totals. Every charge has a price."""

    sha256: str
    totals: Totals
    format: str = FORMAT
    columns: tuple[str, ...] = NAMES
    unpriced_models: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """The number of charges."""
        return self.totals.rows

    @property
    def totals_json(self) -> dict[str, Any]:
        """The totals by the spend report's names. No charge counts requests, so they are not included."""
        return {
            "total_prompt_tokens": self.totals.prompt_tokens,
            "total_completion_tokens": self.totals.completion_tokens,
            "total_net_spend_usd": money_text(self.totals.net_usd),
            "total_gross_spend_usd": money_text(self.totals.list_usd),
        }


def write_focus(
    client: Client,
    organization_id: str,
    period: Period,
    sink: BinaryIO,
    on_rows: Callable[[int], None] | None = None,
    *,
    file_of: FileOf,
) -> FocusReport:
    """Write the organization's charges in `period` to `sink` as the file that `file_of` makes, and return the totals.

    Memory does not grow with the number of rows; `on_rows` is called with their number from time to time.

    Raises RefusedError if a price is missing, with the models' names, or if ClickHouse breaks off the stream.
    """
    account = Account(organization_id, organization_name(client, organization_id) or None)
    file, totals = file_of(sink), Totals()
    for charge in read_charges(client, organization_id, period):
        file.add(row_of(account, charge))
        totals.add(charge)
        if on_rows and totals.rows % 10_000 == 0:
            on_rows(totals.rows)
    return FocusReport(file.close(), totals)
