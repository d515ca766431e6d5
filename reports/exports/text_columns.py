"""Arrow columns of text, some thousand rows at a time: operations on cells apply to whole columns."""

import hashlib
from collections.abc import Callable, Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

# Arrow's default allocator keeps some 30 MB, several times what parts of a report need, and is not faster with them.
pa.set_memory_pool(pa.system_memory_pool())


def of_rows(rows: Sequence[Sequence[str]], names: Sequence[str]) -> pa.RecordBatch:
    """Return rows, at least one, as columns with these names. Every row has a cell for each name."""
    return pa.record_batch([pa.array(cells, pa.string()) for cells in zip(*rows, strict=True)], names=list(names))


def each_text(column: pa.Array, change: Callable[[str], str]) -> pa.Array:
    """Return the column with every text changed. `change` is called once for each distinct text."""
    coded = column.dictionary_encode()
    texts = coded.dictionary.to_pylist()
    changed = list(map(change, texts))
    return column if changed == texts else pa.array(changed, pa.string()).take(coded.indices)


def joined(columns: Iterable[pa.Array], separator: str) -> pa.Array:
    """Return the cells of each row joined to one text."""
    return pc.binary_join_element_wise(*columns, separator)


def lines(column: pa.Array, end: str) -> bytes:
    """Return the texts as bytes, each followed by `end`."""
    every = pa.ListArray.from_arrays(pa.array([0, len(column)], pa.int32()), column)
    text: bytes = pc.binary_join(every, end)[0].as_buffer().to_pybytes()
    return text + end.encode()


def digests(column: pa.Array) -> bytes:
    """Return the SHA-256 of each text, 32 bytes each, concatenated."""
    texts = column.cast(pa.binary()).to_numpy(zero_copy_only=False)
    return b"".join([hashlib.sha256(text).digest() for text in texts])
