"""Just enough of ClickHouse's SQL to route a statement: where its inlined data begins, and the format of its result.

The engine does the parsing. Over HTTP a statement and its data arrive as one body, but chdb takes them separately:
these functions find the boundary without reading the data. Each is linear in the length of the statement: an
unterminated string, comment or heredoc extends to the end.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

SHORT = 8 << 10
"""Bytes of a statement whose tokens are read within milliseconds."""
_KEPT = 32 << 10  # bytes of the longest statement whose facts are kept

_TOKEN = re.compile(
    rb"""(?P<skip>\s++|--[^\n]*+|\#[\x20!][^\n]*+|/\*.*?(?:\*/|\Z))
    |(?P<word>[A-Za-z_]\w*+)
    |(?P<other>\d[\w.]*+|\$(\w*+)\$.*?(?:\$\4\$|\Z)
        |'(?:[^'\\]++|\\.|'')*+'?|"(?:[^"\\]++|\\.|"")*+"?|`(?:[^`\\]++|\\.|``)*+`?|.)""",
    re.DOTALL | re.VERBOSE,
)
_RESULT_STATEMENTS = frozenset(
    b"SELECT WITH FROM SHOW DESCRIBE DESC EXISTS EXPLAIN CHECK KILL VALUES BACKUP RESTORE".split()
)
_QUERIES = frozenset(b"SELECT WITH FROM".split())
_READS = _QUERIES | frozenset(b"SHOW DESCRIBE DESC EXISTS EXPLAIN".split())
# The client inside chdb executes INFILE and OUTFILE itself, ignoring the engine's restrictions, so they are searched
# for in the bytes: a token may be read in two ways. Then come functions that open files or run programs, and those that
# evaluate expressions in a text, which would hide such a function.
_FILES = re.compile(rb"INFILE|OUTFILE", re.IGNORECASE)
_FILE_FUNCTIONS = frozenset(b"FILE DISK PYTHON EXECUTABLE CATBOOSTEVALUATE FORMAT EVAL".split())


@dataclass(frozen=True)
class Token:
    """A token of a statement: its upper-cased text, its end, and the number of open parentheses around it."""

    text: bytes
    is_word: bool
    end: int
    depth: int


@dataclass(frozen=True)
class InsertHead:
    """`INSERT INTO ... SETTINGS ... FORMAT x` without its last two clauses, the clauses, and where its data begins."""

    statement: bytes
    settings: bytes
    format: str
    data_start: int


@dataclass(frozen=True)
class Facts:
    """Facts from a statement's tokens, found in one pass.

    `reads` and `may_stream` follow from its first keywords. `returns_rows`: its kind returns a result set, though
    possibly an empty one. `format` is its own trailing FORMAT clause. `inlined`: it is an INSERT that selects from the
    table function `input`. `reaches_out` names what in it opens files or runs programs.
    """

    is_empty: bool
    reads: bool
    may_stream: bool
    returns_rows: bool
    inlined: bool
    format: str | None
    reaches_out: str | None


def facts_of(sql: bytes) -> Facts:
    """Return the facts of a statement. They are kept unless it is very long, because the same statements recur, with
    other parameters."""
    return _kept_facts(sql) if len(sql) <= _KEPT else _facts(sql)


@lru_cache(maxsize=512)
def _kept_facts(sql: bytes) -> Facts:
    return _facts(sql)


def _facts(sql: bytes) -> Facts:
    first, format_name, reaches_out, inlined = b"", _FormatClause(sql), _opens_files(sql), False
    for before, token in pairwise(_with_ends(sql)):
        first = first or (token.text if token.text not in (b"(", b"") else b"")
        format_name.see(before, token)
        if token.text == b"(":
            name = _unquoted(before.text)
            inlined = inlined or name == b"INPUT"
            if name in _FILE_FUNCTIONS:
                reaches_out = reaches_out or f"the function {name.decode().lower()}"
    return Facts(
        is_empty=not first,
        reads=first in _READS,
        may_stream=first in _QUERIES,
        returns_rows=first in _RESULT_STATEMENTS,
        inlined=first == b"INSERT" and inlined,
        format=format_name.found(),
        reaches_out=reaches_out,
    )


def _with_ends(sql: bytes) -> Iterator[Token]:
    end = Token(b"", is_word=False, end=0, depth=0)
    yield end
    yield from tokens(sql)
    yield end


def _opens_files(sql: bytes) -> str | None:
    found = _FILES.search(sql)
    return found.group().decode().upper() if found else None


def _unquoted(text: bytes) -> bytes:
    """Return the upper-cased name in a quoted identifier; no name that matters here needs escapes."""
    if text[:1] not in (b'"', b"`"):
        return text
    return re.sub(rb"\\X([0-9A-F]{2})|\\(.)", _unescaped, text[1:-1]).upper()


def _unescaped(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1], 16)]) if match[1] else match[2]


class _FormatClause:
    """Finds the statement's own trailing FORMAT clause while its tokens are read."""

    def __init__(self, sql: bytes) -> None:
        self._sql = sql
        self._name: Token | None = None

    def see(self, before: Token, token: Token) -> None:
        """Process the next token, given the one before it."""
        if before.text == b"FORMAT" and token.is_word and token.depth == 0:
            self._name = token
        elif before is self._name and token.text not in (b";", b"SETTINGS", b""):
            self._name = None  # FORMAT was a column or an alias

    def found(self) -> str | None:
        """Return the format's name as written, if there was one."""
        name = self._name
        return self._sql[name.end - len(name.text) : name.end].decode() if name else None


def tokens(sql: bytes) -> Iterator[Token]:
    """Yield the statement's tokens in order, without comments and white space."""
    depth = 0
    for match in _TOKEN.finditer(sql):
        if match.lastgroup == "skip":
            continue
        text = match.group()
        depth -= text == b")"
        yield Token(text.upper(), match.lastgroup == "word", match.end(), depth)
        depth += text == b"("


def split_insert(sql: bytes) -> InsertHead | None:
    """Split `INSERT ... FORMAT x data`; return None for anything else, whose whole text goes to the engine.

    Reads no further than the format's name, so any amount and kind of data may follow.
    """
    stream = tokens(sql)
    before = next(stream, None)
    settings: Token | None = None
    if before is None or before.text != b"INSERT":
        return None
    for token in stream:
        if token.depth == 0 and token.is_word and before.text not in (b"INTO", b"TABLE", b"."):
            if token.text in (b"SELECT", b"WITH", b"VALUES", b"INFILE"):
                return None
            if token.text == b"SETTINGS":
                settings = token
            if token.text == b"FORMAT":
                return _head(sql, settings, token, next(stream, None))
        before = token
    return None


def _head(sql: bytes, settings: Token | None, clause: Token, name: Token | None) -> InsertHead | None:
    if name is None or not name.is_word:
        return None
    seam = re.compile(rb"[ \t\f]*\r?\n?").match(sql, name.end)
    assert seam is not None
    end = clause.end - len(b"FORMAT")
    begin = settings.end - len(b"SETTINGS") if settings else end
    return InsertHead(sql[:begin], sql[begin:end], sql[name.end - len(name.text) : name.end].decode(), seam.end())
