"""The spend report's file format: RFC 4180, safe to open in a spreadsheet, hashed while it is written.

Lines end with CRLF and cells are quoted where they must be. A text cell that a spreadsheet would run as a formula
gets a leading apostrophe; numbers never do. Money is a plain exact decimal: no exponent, no trailing zeros, as many
digits as it takes, and empty when a price is unknown.
"""

import csv
import hashlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import Any, BinaryIO

from reports.spend_columns import DAILY, Layout
from reports.streaming import HashedCsv

FORMULA = frozenset("=+-@\t\r\n")
EXACT = Context(prec=120)


@dataclass
class Totals:
    """What the file adds up to. The priced amounts leave out the rows whose money is unknown."""

    rows: int = 0
    unpriced_rows: int = 0
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    priced_net_spend_usd: Decimal = Decimal(0)
    priced_gross_spend_usd: Decimal = Decimal(0)
    unpriced_models: set[str] = field(default_factory=set)

    @property
    def net_spend_usd(self) -> Decimal | None:
        """Net spend of all rows; None when a row's is unknown."""
        return None if self.unpriced_rows else self.priced_net_spend_usd

    @property
    def gross_spend_usd(self) -> Decimal | None:
        """Gross spend of all rows; None when a row's is unknown."""
        return None if self.unpriced_rows else self.priced_gross_spend_usd

    def add(self, cells: Sequence[str]) -> None:
        """Count one row of cells, in the order of ROW."""
        self.rows += 1
        self.requests += int(cells[7])
        self.prompt_tokens += int(cells[8])
        self.completion_tokens += int(cells[9])
        if cells[11]:
            self.priced_net_spend_usd = EXACT.add(self.priced_net_spend_usd, Decimal(cells[10]))
            self.priced_gross_spend_usd = EXACT.add(self.priced_gross_spend_usd, Decimal(cells[11]))
        else:
            self.unpriced_rows += 1
            self.unpriced_models.add(cells[5])

    def as_json(self) -> dict[str, Any]:
        """The totals by the names of the columns; money is null when a row's is unknown, the priced part never is."""
        return {
            "total_requests": self.requests,
            "total_prompt_tokens": self.prompt_tokens,
            "total_completion_tokens": self.completion_tokens,
            "total_net_spend_usd": money_text(self.net_spend_usd),
            "total_gross_spend_usd": money_text(self.gross_spend_usd),
            "priced_net_spend_usd": money_text(self.priced_net_spend_usd),
            "priced_gross_spend_usd": money_text(self.priced_gross_spend_usd),
            "unpriced_rows": self.unpriced_rows,
        }


@dataclass
class Facts:
    """What a report says, apart from who is called what: a hash of the rows without their e-mails, in any order.

    A renamed person changes a file's bytes and not its facts. `keys` and `rows` hold 64 bits for each row: enough to
    tell which rows of two revisions differ without holding either.
    """

    layout: Layout = DAILY
    total: int = 0
    keys: "array[int]" = field(default_factory=lambda: array("Q"))
    rows: "array[int]" = field(default_factory=lambda: array("Q"))

    def add(self, cells: Sequence[str]) -> None:
        """Take in one row of cells, as in the file."""
        row = _digest(cell for place, cell in enumerate(cells) if place not in self.layout.name_places)
        self.total = (self.total + int.from_bytes(row)) % (1 << 256)
        self.rows.append(int.from_bytes(row[:8]))
        self.keys.append(int.from_bytes(_digest(cells[place] for place in self.layout.key_places)[:8]))

    @property
    def sha256(self) -> str:
        """The hash of all rows."""
        return f"{self.total:064x}"


def money_text(amount: Decimal | None) -> str | None:
    """A plain decimal without an exponent and trailing zeros."""
    if amount is None:
        return None
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def safe_text(cell: str) -> str:
    """The cell, such that no spreadsheet takes it for a formula."""
    return f"'{cell}" if cell and cell[0] in FORMULA else cell


class SpendCsv:
    """Writes a report to `sink`, 64 KiB at a time, and knows its totals and facts; `close` writes the rest."""

    def __init__(self, sink: BinaryIO, layout: Layout = DAILY) -> None:
        self.totals = Totals()
        self.facts = Facts(layout)
        self._pick = layout.pick
        self._csv = HashedCsv(sink, layout.columns)

    def write(self, cells: Sequence[str]) -> None:
        """Add one row, its cells in the order of ROW, text cells already safe."""
        shown = self._pick(cells)
        self._csv.add(shown)
        self.totals.add(cells)
        self.facts.add(shown)

    def close(self) -> str:
        """Write what is left and return the SHA-256 of the whole file."""
        return self._csv.close()


def read_facts(lines: Iterable[str]) -> Facts:
    """The facts of a file that was issued before, which has the columns of DAILY."""
    facts = Facts()
    reader = csv.reader(lines)
    next(reader, None)
    for cells in reader:
        facts.add(cells)
    return facts


def _digest(cells: Iterable[str]) -> bytes:
    return hashlib.sha256("\x1f".join(cells).encode()).digest()
