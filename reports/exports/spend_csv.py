"""The spend report's file format: RFC 4180, safe to open in a spreadsheet, hashed while it is written.

Lines end with CRLF and cells are quoted where they must be, also for readers that split at `;` or a tab. A text cell
that a spreadsheet would run as a formula gets a leading apostrophe; numbers never do. Money is a plain exact decimal:
no exponent, no trailing zeros, as many digits as it takes, and empty when a price is unknown.
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
"""Between the cells of a row that is hashed."""


COUNT = pa.decimal128(38, 0)
MONEY = pa.decimal256(76, 38)
"""ClickHouse's money has 24 digits after the point. Arrow refuses what does not fit rather than round it."""
READ_AT_ONCE = 8_192
"""Rows of an earlier file that are read before they are hashed."""


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

    def add(self, rows: pa.RecordBatch) -> None:
        """Count rows, in columns of ROW."""
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

    def add(self, rows: pa.RecordBatch) -> None:
        """Take in rows, in the columns of the layout and as in the file."""
        hashes = digests(joined(rows.select(self.layout.facts).columns, SEPARATOR))
        self.total = (self.total + _total(hashes)) % (1 << 256)
        self.rows.frombytes(_first_64_bits(hashes))
        self.keys.frombytes(_first_64_bits(digests(joined(rows.select(self.layout.keys).columns, SEPARATOR))))

    @property
    def sha256(self) -> str:
        """The hash of all rows."""
        return f"{self.total:064x}"


def safe_rows(rows: pa.RecordBatch) -> pa.RecordBatch:
    """The rows, their text cells safe. Only these can be formulas: the others are numbers, days and UUIDs."""
    names = rows.schema.names
    columns = (each_text(rows[name], safe_text) if name in TEXTS else rows[name] for name in names)
    return pa.record_batch(list(columns), names=names)


class SpendCsv:
    """Writes a report to `sink` as its rows come, and knows its totals and facts."""

    def __init__(self, sink: BinaryIO, layout: Layout = DAILY) -> None:
        self.totals = Totals()
        self.facts = Facts(layout)
        self._layout = layout
        self._sink = HashingWriter(sink)

    def write(self, rows: pa.RecordBatch) -> None:
        """Add rows in columns of ROW, text cells already safe."""
        shown = rows.select(self._layout.columns)
        self._head()
        self._sink.write(_csv(shown))
        self.totals.add(rows)
        self.facts.add(shown)

    def close(self) -> str:
        """Write what is left and return the SHA-256 of the whole file. The sink stays open."""
        self._head()
        return self._sink.sha256

    def _head(self) -> None:
        """Nothing is written before the first rows are there: until then, whoever asked can be refused."""
        if not self._sink.tell():
            self._sink.write(f"{','.join(self._layout.columns)}\r\n".encode())


def read_facts(file: Iterable[str]) -> Facts:
    """The facts of a file that was issued before, which has the columns of DAILY."""
    facts = Facts()
    reader = csv.reader(file)
    next(reader, None)
    while rows := list(islice(reader, READ_AT_ONCE)):
        facts.add(of_rows(rows, DAILY.columns))
    return facts


def _csv(rows: pa.RecordBatch) -> bytes:
    """The rows as lines of CSV. Hardly any cell needs quotes, so all are joined without, and then it is counted whether
    what has to be quoted is there more often than it should be."""
    text = lines(joined(rows.columns, ","), "\r\n")
    written = {",": len(rows) * (rows.num_columns - 1), "\r": len(rows), "\n": len(rows), '"': 0, ";": 0, "\t": 0}
    letters = np.frombuffer(text, np.uint8)
    if all(np.count_nonzero(letters == ord(letter)) == count for letter, count in written.items()):
        return text
    return lines(joined([each_text(column, quoted) for column in rows.columns], ","), "\r\n")


def _sum(column: pa.Array, kind: pa.DataType) -> Decimal:
    """The exact sum of numbers that are texts."""
    total: Decimal = pc.sum(column.cast(kind), min_count=0).as_py()
    return total


def _total(hashes: bytes) -> int:
    """The sum of hashes of 256 bits. A sum of 32 bits each cannot overflow 64 with less than 2 ** 32 rows."""
    words = np.frombuffer(hashes, ">u4").reshape(-1, 8).sum(axis=0, dtype=np.uint64)
    return reduce(lambda total, word: (total << 32) + int(word), words, 0)


def _first_64_bits(hashes: bytes) -> bytes:
    """Of each hash of 256 bits, in the order of bytes of this machine."""
    return np.frombuffer(hashes, ">u8")[::4].astype(np.uint64).tobytes()
