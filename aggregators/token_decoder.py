"""Token events read into columns by compiled code; records that it declines are decoded and folded one by one.

The compiled code learns every part of a record from the fold's result for it, so both backends return the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aggregators.cell_rows import PageKey
from aggregators.cell_tables import MINUTE, SPEND
from aggregators.compiled import tokens
from aggregators.compiled.names import first_places
from aggregators.deduplication import Occurrence
from aggregators.increments import BY_OFFSET, CellColumns, Folded
from aggregators.live import OLDEST_LIVE
from aggregators.prepared_batch import PreparedBatch, Record, RejectedRecord
from aggregators.record_decoder import DecodedRun, RecordDecoder, gather
from aggregators.validity import EARLIEST_MINUTE
from aggregators.windows import MINUTES_BEFORE_1970
from tally_client.events import TOKEN, TokenUsed

NOTHING: Folded = ((), ())
"""The changes of a record that is only in the columns."""

REMEMBERED = 100_000
"""Limit of remembered parts of records, and of numbers of cells that are no longer open."""

KEY_TERMS = slice(SPEND.key.index("product"), SPEND.key.index("attribution_id"))
"""The part of a spend cell's key between its actor and its attribution."""

Matrix = NDArray[np.int64]
"""A row per record, with the columns that `tokens` names."""


@dataclass
class TokenRun(DecodedRun):
    """A run in which all records except the `declined` ones are in a matrix."""

    matrix: Matrix
    declined: Sequence[int]
    reader: tokens.TokenReader

    def gather(self, verdicts: Sequence[Occurrence], place: int, prepared: PreparedBatch) -> None:
        """Add the columns to the batch, and the declined records one by one."""
        are_first = verdicts.count(Occurrence.FIRST) == len(verdicts)
        counts = (self.matrix[:, tokens.SPEND_CELL] >= 0) & (self.matrix[:, tokens.OFFSET] >= place)
        if not are_first:
            counts &= np.fromiter((verdict is Occurrence.FIRST for verdict in verdicts), np.bool_, len(verdicts))
        before, others = len(prepared.rows), self.declined if are_first else range(len(verdicts))
        gather(((self.records[at], self.folds[at], verdicts[at]) for at in others), place, prepared)
        self._gather_columns(self.matrix if counts.all() else self.matrix[counts], prepared)
        prepared.rows[before:] = sorted(prepared.rows[before:], key=BY_OFFSET)

    def _gather_columns(self, matrix: Matrix, prepared: PreparedBatch) -> None:
        if not len(matrix):
            return
        reader = self.reader
        spent, pages = matrix[:, tokens.SPENT : tokens.LIVE], self._pages(matrix, tokens.SPEND_PAGE)
        cells = matrix[:, tokens.SPEND_CELL], spent, pages, reader.spend_cells, reader.unknown_spend
        prepared.columns[SPEND].append(CellColumns(matrix[:, tokens.OFFSET], *cells))
        for offset, number in _each_once(matrix, tokens.ATTRIBUTED):
            prepared.rows += ((offset, row) for row in reader.attribution_rows(number))
        is_live = matrix[:, tokens.LIVE_CELL] >= 0
        if not is_live.all():
            matrix = matrix[is_live]
        live, pages = matrix[:, tokens.LIVE :], self._pages(matrix, tokens.LIVE_PAGE)
        cells = matrix[:, tokens.LIVE_CELL], live, pages, reader.live_cells, reader.unknown_live
        prepared.columns[MINUTE].append(CellColumns(matrix[:, tokens.OFFSET], *cells))

    def _pages(self, matrix: Matrix, column: int) -> list[tuple[int, PageKey]]:
        return [(offset, self.reader.page_key(number)) for offset, number in _each_once(matrix, column)]


def _each_once(matrix: Matrix, column: int) -> list[tuple[int, int]]:
    """Return (offset of the first use, number) of each number in a column."""
    first = first_places(matrix[:, column])
    return list(zip(matrix[first, tokens.OFFSET].tolist(), matrix[first, column].tolist(), strict=True))


class TokenReader(RecordDecoder):
    """Reads token events."""

    def __init__(self) -> None:
        super().__init__(TOKEN)
        self._begin()

    def _begin(self) -> None:
        self._tokens = tokens.TokenReader(EARLIEST_MINUTE, MINUTES_BEFORE_1970, OLDEST_LIVE)

    def read(self, records: Sequence[Record], place: int, letters: list[RejectedRecord]) -> TokenRun:
        """Read records as RecordDecoder does; the changes of each plain record are in the run's columns."""
        matrix = np.empty((len(records), tokens.COLUMNS), np.int64)
        folds = [NOTHING] * len(records)
        declined: list[int] = []
        malformed = set()

        def decline(at: int) -> None:
            read = self._read_one(records[at], place, letters)
            if read is None:
                malformed.add(at)
                return
            event, identity, folds[at] = read
            matrix[at, tokens.IDENTITY], matrix[at, tokens.PAYLOAD] = identity, hash(records[at].value)
            declined.append(at)
            if isinstance(event, TokenUsed):
                self._learn(records[at].value or b"", folds[at])

        self._tokens.read(records, matrix, decline)
        if malformed:
            formed = [at for at in range(len(records)) if at not in malformed]
            records, folds, matrix = [records[at] for at in formed], [folds[at] for at in formed], matrix[formed]
            declined = np.flatnonzero(matrix[:, tokens.SPEND_CELL] < 0).tolist()
        identities, payloads = matrix[:, tokens.IDENTITY], matrix[:, tokens.PAYLOAD]
        return TokenRun(records, identities, payloads, folds, matrix, declined, self._tokens)

    def _learn(self, value: bytes, folded: Folded) -> None:
        (_, page_key, key, _), *_ = folded[0]
        attribution = key[KEY_TERMS.stop], folded[1]
        self._tokens.learn(value, page_key[0], key[: KEY_TERMS.start], key[KEY_TERMS], attribution)

    def forget(self, open_cells: int) -> bool:
        """Restart the numbering if too much is remembered."""
        tokens_ = self._tokens
        cells = tokens_.spend_cells + tokens_.live_cells
        if tokens_.parts <= open_cells + REMEMBERED and cells <= 2 * open_cells + REMEMBERED:
            return False
        self._begin()
        return True
