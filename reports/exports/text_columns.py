"""Rows of texts as Arrow's columns, some thousand rows at a time: what is done to cells is done to whole columns."""

import hashlib
from collections.abc import Callable, Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

# Arrow's usual allocator keeps some 30 MB, several times what pieces of a report need, and is no faster with them.
pa.set_memory_pool(pa.system_memory_pool())


def of_rows(rows: Sequence[Sequence[str]], names: Sequence[str]) -> pa.RecordBatch:
    """The rows, of which there is one at least, as columns of these names. Every row has a cell for each of them."""
    return pa.record_batch([pa.array(cells, pa.string()) for cells in zip(*rows, strict=True)], names=list(names))


def each_text(column: pa.Array, change: Callable[[str], str]) -> pa.Array:
    """The column with every text changed. `change` is asked once for each text, however many cells have it."""
    coded = column.dictionary_encode()
    texts = coded.dictionary.to_pylist()
    changed = list(map(change, texts))
    return column if changed == texts else pa.array(changed, pa.string()).take(coded.indices)


def joined(columns: Iterable[pa.Array], separator: str) -> pa.Array:
    """The cells of each row as one text."""
    return pc.binary_join_element_wise(*columns, separator)


def lines(column: pa.Array, end: str) -> bytes:
    """The texts one after the other, each with `end` behind it."""
    every = pa.ListArray.from_arrays(pa.array([0, len(column)], pa.int32()), column)
    text: bytes = pc.binary_join(every, end)[0].as_buffer().to_pybytes()
    return text + end.encode()


def digests(column: pa.Array) -> bytes:
    """The SHA-256 of each text, 32 bytes each, one after the other."""
    texts = column.cast(pa.binary()).to_numpy(zero_copy_only=False)
    return b"".join([hashlib.sha256(text).digest() for text in texts])
