from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aggregators.cell_rows import PageKey
from aggregators.increments import Row, Wanted
from aggregators.prepared_batch import Record

OFFSET: int
IDENTITY: int
PAYLOAD: int
ATTRIBUTED: int
SPEND_PAGE: int
SPEND_CELL: int
LIVE_PAGE: int
LIVE_CELL: int
SPENT: int
LIVE: int
COLUMNS: int

class TokenReader:
    def __init__(self, earliest: int, before_1970: int, oldest_live: int) -> None: ...
    def read(self, records: Sequence[Record], into: NDArray[np.int64], decline: Callable[[int], None]) -> None: ...
    def learn(
        self,
        value: bytes,
        organization: str,
        actor: tuple[Any, ...],
        terms: tuple[Any, ...],
        attribution: tuple[str, Sequence[Row]],
    ) -> None: ...
    @property
    def parts(self) -> int: ...
    @property
    def spend_cells(self) -> int: ...
    @property
    def live_cells(self) -> int: ...
    def page_key(self, number: int) -> PageKey: ...
    def unknown_spend(
        self, rows: NDArray[np.int32], cells: NDArray[np.int64], offsets: NDArray[np.int64]
    ) -> list[Wanted]: ...
    def unknown_live(
        self, rows: NDArray[np.int32], cells: NDArray[np.int64], offsets: NDArray[np.int64]
    ) -> list[Wanted]: ...
    def attribution_rows(self, number: int) -> Sequence[Row]: ...
