"""How the blocks of a streamed result are joined in each output format.

chdb returns a result as blocks, each written as if it were the whole result. If a format consists only of rows, the
blocks are concatenated; if it begins with a header, all headers except the first are removed; other formats (JSON,
Parquet, ...) have one envelope around everything and are written in one piece.
"""

import re

_ROWS_ONLY = frozenset(
    {
        "csv", "tsv", "tabseparated", "tsvraw", "tabseparatedraw", "tskv", "jsoneachrow", "jsonlines",
        "ndjson", "jsonstringseachrow", "jsoncompacteachrow", "jsoncompactstringseachrow", "rowbinary",
        "native", "lineasstring", "rawblob",
    }
)  # fmt: skip
_HEADER = re.compile(
    r"(csv|tsv|tabseparated|tsvraw|tabseparatedraw|jsoncompacteachrow|jsoncompactstringseachrow|rowbinary)"
    r"withnames(andtypes)?"
)
_CSV_LINE = re.compile(rb'(?:"(?:[^"]|"")*"|[^"\n])*\n')
_CONTENT_TYPES = (
    ("json", "application/json; charset=UTF-8"),
    ("csv", "text/csv; charset=UTF-8"),
    ("tsv", "text/tab-separated-values; charset=UTF-8"),
    ("tabseparated", "text/tab-separated-values; charset=UTF-8"),
)


def joins(format_name: str) -> bool:
    """Return True if a result in this format can be sent block by block."""
    return format_name.lower() in _ROWS_ONLY or has_header(format_name)


def has_header(format_name: str) -> bool:
    """Return True if a result in this format begins with names, or names and types, even without rows."""
    return _HEADER.fullmatch(format_name.lower()) is not None


def header_of(format_name: str, block: bytes) -> bytes:
    """Return the header with which the block begins; empty if the format has none."""
    match = _HEADER.fullmatch(format_name.lower())
    if match is None:
        return b""
    lines = 2 if match[2] else 1
    if match[1] == "rowbinary":
        return block[: _binary_header_size(block, lines)]
    end = 0
    for _ in range(lines):
        line = _CSV_LINE.match(block, end) if match[1] == "csv" else re.compile(rb"[^\n]*\n").match(block, end)
        end = line.end() if line else len(block)
    return block[:end]


def _binary_header_size(block: bytes, lists: int) -> int:
    columns, position = _varint(block, 0)
    for _ in range(columns * lists):
        length, position = _varint(block, position)
        position += length
    return position


def _varint(block: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = block[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position


def content_type(format_name: str) -> str:
    """Return the media type that ClickHouse uses for a format."""
    name = format_name.lower()
    return next((kind for start, kind in _CONTENT_TYPES if name.startswith(start)), "application/octet-stream")
