"""CSV cells that no spreadsheet evaluates or splits, whatever their text is."""

import re
import unicodedata
from collections.abc import Iterable

SIGNS = frozenset("=+-@\u2212")
"""The characters that begin a formula in some spreadsheet."""

STARTS = SIGNS | frozenset("\t\r\n")
"""The characters that make a text dangerous as its very first character."""

FILLERS = frozenset("\N{HANGUL CHOSEONG FILLER}\N{HANGUL JUNGSEONG FILLER}\N{HANGUL FILLER}\N{HALFWIDTH HANGUL FILLER}")
"""Letters without a visible glyph."""

QUOTED = re.compile('[,;"\r\n\t]')
"""Separators of cells or lines for some reader: where numbers have a decimal comma, `;` separates cells."""


def safe_text(cell: str) -> str:
    """Return the cell so that no spreadsheet takes it for a formula. A cell whose first visible character is a sign, in
    any width, gets an apostrophe."""
    if cell[:1].isalnum() and cell.isascii():
        return cell
    # The first character is normalized alone too: together with the next ones a sign may become another character.
    seen = (_plain(_first_seen(cell)), _first_seen(_plain(cell)))
    return f"'{cell}" if cell[:1] in STARTS or not SIGNS.isdisjoint(seen) else cell


def quoted(cell: str) -> str:
    """Return the cell quoted as in RFC 4180, also for readers whose separator is a semicolon or a tab."""
    return '"{}"'.format(cell.replace('"', '""')) if QUOTED.search(cell) else cell


def csv_line(cells: Iterable[str]) -> str:
    """Return a line of CSV with its line end."""
    return f"{','.join(map(quoted, cells))}\r\n"


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _first_seen(text: str) -> str:
    """Return the first visible character: no space, control or format character, lone mark or filler."""
    for each in text:
        if unicodedata.category(each)[0] not in "CZM" and each not in FILLERS:
            return each
    return ""
