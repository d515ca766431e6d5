"""The spend report's file format: RFC 4180, safe to open in a spreadsheet, hashed while it is written.

Lines end with CRLF, and cells are quoted where necessary, also for readers that split at `;` or a tab. A text cell that
a spreadsheet would run as a formula gets a leading apostrophe; numbers never do. Money is a plain exact decimal with no
exponent and no trailing zeros, as many digits as needed, and empty if a price is unknown.
"""

import csv
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce
from itertools import islice
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pricing.money import EXACT, money_text
from reports.exports.csv_cells import quoted, safe_text
from reports.exports.spend_columns import DAILY, Layout
from reports.exports.streaming import HashingWriter
from reports.exports.text_columns import digests, each_text, joined, lines, of_rows

TEXTS = frozenset(("user_email", "product", "model", "model_family", "slack_channel_id"))
SEPARATOR = "\x1f"
"""Separates the cells of a row for hashing."""


COUNT = pa.decimal128(38, 0)
MONEY = pa.decimal256(76, 38)
"""ClickHouse's amounts have 24 digits after the point. Arrow raises an error for a value that does not fit."""
READ_AT_ONCE = 8_192
"""Rows of an earlier file that are read before they are hashed."""


@dataclass
class Totals:
    """The totals of a file. The priced amounts exclude rows whose cost is unknown."""

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
        """The net spend of all rows; None if a row's is unknown."""
        return None if self.unpriced_rows else self.priced_net_spend_usd

    @property
    def gross_spend_usd(self) -> Decimal | None:
        """The gross spend of all rows; None if a row's is unknown."""
        return None if self.unpriced_rows else self.priced_gross_spend_usd

    def add(self, rows: pa.RecordBatch) -> None:
        """Add rows with the columns of ROW."""
        self.rows += len(rows)
        self.requests += int(_sum(rows["total_requests"], COUNT))
        self.prompt_tokens += int(_sum(rows["total_prompt_tokens"], COUNT))
        self.completion_tokens += int(_sum(rows["total_completion_tokens"], COUNT))
        unpriced = pc.equal(rows["total_gross_spend_usd"], "")
        if pc.any(unpriced).as_py():
            without = rows.filter(unpriced)
            self.unpriced_rows += len(without)
            self.unpriced_models.update(without["model"].unique().to_pylist())
            rows = rows.filter(pc.invert(unpriced))
        net, gross = (_sum(rows[column], MONEY) for column in ("total_net_spend_usd", "total_gross_spend_usd"))
        self.priced_net_spend_usd = EXACT.add(self.priced_net_spend_usd, net)
        self.priced_gross_spend_usd = EXACT.add(self.priced_gross_spend_usd, gross)

    def as_json(self) -> dict[str, Any]:
        """Return the totals by column name. Money is null if a row's is unknown; the priced part is never null."""
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
    """The facts of a report, which do not depend on names: a hash of the rows without e-mails, in any order.

    Renaming a person changes a file's bytes but not its facts. `keys` and `rows` have 64 bits of hash per row: enough
    to compare the rows of two revisions without keeping either in memory.
    """

    layout: Layout = DAILY
    total: int = 0
    keys: "array[int]" = field(default_factory=lambda: array("Q"))
    rows: "array[int]" = field(default_factory=lambda: array("Q"))

    def add(self, rows: pa.RecordBatch) -> None:
        """Add rows, with the columns of the layout and as written to the file."""
        hashes = digests(joined(rows.select(self.layout.facts).columns, SEPARATOR))
        self.total = (self.total + _total(hashes)) % (1 << 256)
        self.rows.frombytes(_first_64_bits(hashes))
        self.keys.frombytes(_first_64_bits(digests(joined(rows.select(self.layout.keys).columns, SEPARATOR))))

    @property
    def sha256(self) -> str:
        """The hash of all rows."""
        return f"{self.total:064x}"


def safe_rows(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Return the rows with safe text cells. Only these can be formulas: the others are numbers, days and UUIDs."""
    names = rows.schema.names
    columns = (each_text(rows[name], safe_text) if name in TEXTS else rows[name] for name in names)
    return pa.record_batch(list(columns), names=names)


class SpendCsv:
    """Writes a report to `sink` row by row, and keeps its totals and facts."""

    def __init__(self, sink: BinaryIO, layout: Layout = DAILY) -> None:
        self.totals = Totals()
        self.facts = Facts(layout)
        self._layout = layout
        self._sink = HashingWriter(sink)

    def write(self, rows: pa.RecordBatch) -> None:
        """Add rows with the columns of ROW, whose text cells are safe already."""
        shown = rows.select(self._layout.columns)
        self._head()
        self._sink.write(_csv(shown))
        self.totals.add(rows)
        self.facts.add(shown)

    def close(self) -> str:
        """Write the rest and return the SHA-256 of the whole file. The sink stays open."""
        self._head()
        return self._sink.sha256

    def _head(self) -> None:
        """Write the header. It waits for the first rows: until then, the request can still be refused."""
        if not self._sink.tell():
            self._sink.write(f"{','.join(self._layout.columns)}\r\n".encode())


def read_facts(file: Iterable[str]) -> Facts:
    """Return the facts of an issued file, which has the columns of DAILY."""
    facts = Facts()
    reader = csv.reader(file)
    next(reader, None)
    while rows := list(islice(reader, READ_AT_ONCE)):
        facts.add(of_rows(rows, DAILY.columns))
    return facts


def _csv(rows: pa.RecordBatch) -> bytes:
    """Return the rows as lines of CSV. Few cells need quotes, so all are joined without quotes first, and the result is
    used if it contains special characters only as often as separators require."""
    text = lines(joined(rows.columns, ","), "\r\n")
    written = {",": len(rows) * (rows.num_columns - 1), "\r": len(rows), "\n": len(rows), '"': 0, ";": 0, "\t": 0}
    letters = np.frombuffer(text, np.uint8)
    if all(np.count_nonzero(letters == ord(letter)) == count for letter, count in written.items()):
        return text
    return lines(joined([each_text(column, quoted) for column in rows.columns], ","), "\r\n")


def _sum(column: pa.Array, kind: pa.DataType) -> Decimal:
    """Return the exact sum of numbers given as text."""
    total: Decimal = pc.sum(column.cast(kind), min_count=0).as_py()
    return total


def _total(hashes: bytes) -> int:
    """Return the sum of 256-bit hashes. Sums of 32-bit words cannot overflow 64 bits with fewer than 2 ** 32 rows."""
    words = np.frombuffer(hashes, ">u4").reshape(-1, 8).sum(axis=0, dtype=np.uint64)
    return reduce(lambda total, word: (total << 32) + int(word), words, 0)


def _first_64_bits(hashes: bytes) -> bytes:
    """Return the first 64 bits of each 256-bit hash, in this machine's byte order."""
    return np.frombuffer(hashes, ">u8")[::4].astype(np.uint64).tobytes()
