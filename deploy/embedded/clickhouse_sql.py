"""Just enough of ClickHouse's SQL to route a statement: where inlined data begins, which format comes out.

The engine does the parsing. Over HTTP a statement and its data arrive as one body, and chdb takes them
apart: these functions find the seam without reading the data.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

_TOKEN = re.compile(
    rb"""(?P<skip>\s+|--[^\n]*|\#[\x20!][^\n]*|/\*.*?\*/)
    |(?P<word>[A-Za-z_]\w*)
    |(?P<other>\d[\w.]*|\$(\w*)\$.*?\$\4\$
        |'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`\\]|\\.|``)*`|.)""",
    re.DOTALL | re.VERBOSE,
)
_RESULT_STATEMENTS = frozenset(
    b"SELECT WITH FROM SHOW DESCRIBE DESC EXISTS EXPLAIN CHECK KILL VALUES BACKUP RESTORE".split()
)


@dataclass(frozen=True)
class Token:
    """A token of a statement: its upper-cased text, its end, and how many parentheses are open around it."""

    text: bytes
    is_word: bool
    end: int
    depth: int


@dataclass(frozen=True)
class InsertHead:
    """`INSERT INTO ... SETTINGS ... FORMAT x` without its last two clauses, these, and where its data begins."""

    statement: bytes
    settings: bytes
    format: str
    data_start: int


def tokens(sql: bytes) -> Iterator[Token]:
    """The statement's tokens in order, without comments and white space."""
    depth = 0
    for match in _TOKEN.finditer(sql):
        if match.lastgroup == "skip":
            continue
        text = match.group()
        depth -= text == b")"
        yield Token(text.upper(), match.lastgroup == "word", match.end(), depth)
        depth += text == b"("


def split_insert(sql: bytes) -> InsertHead | None:
    """Take `INSERT ... FORMAT x data` apart; None for anything else, whose whole text goes to the engine.

    Reads no further than the format's name, so that data of any size and kind may follow.
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


def reads_inlined_data(sql: bytes) -> bool:
    """Whether it is an INSERT that selects from the `input` table function."""
    if _first_word(sql) != b"INSERT" or b"INPUT" not in sql.upper():
        return False
    words = [token.text for token in tokens(sql)]
    return any(pair == (b"INPUT", b"(") for pair in pairwise(words))


def returns_rows(sql: bytes) -> bool:
    """Whether the statement is of a kind that answers with a result set, though perhaps an empty one."""
    return _first_word(sql) in _RESULT_STATEMENTS


def may_stream(sql: bytes) -> bool:
    """Whether the statement begins as a query does that chdb may be able to stream."""
    return _first_word(sql) in (b"SELECT", b"WITH", b"FROM")


def _first_word(sql: bytes) -> bytes:
    return next((token.text for token in tokens(sql) if token.text != b"("), b"")


def result_format(sql: bytes) -> str | None:
    """The name in the statement's own trailing FORMAT clause, None if it has none."""
    found: tuple[Token, Token] | None = None
    before: Token | None = None
    for token in tokens(sql):
        if before is not None and before.text == b"FORMAT" and token.is_word and token.depth == 0:
            found = (before, token)
        elif found and token.text not in (b";", b"SETTINGS") and before == found[1]:
            found = None  # FORMAT was a column or an alias
        before = token
    return sql[found[1].end - len(found[1].text) : found[1].end].decode() if found else None
