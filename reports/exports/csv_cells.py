"""Cells of CSV that no spreadsheet runs or splits, whatever a text is."""

import re
import unicodedata
from collections.abc import Iterable

SIGNS = frozenset("=+-@\u2212")
"""What a formula begins with, for one spreadsheet or another."""

STARTS = SIGNS | frozenset("\t\r\n")
"""What makes a text dangerous as its very first character."""

FILLERS = frozenset("\N{HANGUL CHOSEONG FILLER}\N{HANGUL JUNGSEONG FILLER}\N{HANGUL FILLER}\N{HALFWIDTH HANGUL FILLER}")
"""Letters that show nothing."""

QUOTED = re.compile('[,;"\r\n\t]')
"""What separates cells or lines, for one reader or another: where numbers have a decimal comma, `;` separates cells."""


def safe_text(cell: str) -> str:
    """The cell, such that no spreadsheet takes it for a formula: one with a sign first, in any width and behind
    whatever shows nothing, gets an apostrophe."""
    if cell[:1].isalnum() and cell.isascii():
        return cell
    # Of itself, too: with what follows it a sign may make another character.
    seen = (_plain(_first_seen(cell)), _first_seen(_plain(cell)))
    return f"'{cell}" if cell[:1] in STARTS or not SIGNS.isdisjoint(seen) else cell


def quoted(cell: str) -> str:
    """The cell as RFC 4180 wants it, also for readers whose separator is a semicolon or a tab."""
    return '"{}"'.format(cell.replace('"', '""')) if QUOTED.search(cell) else cell


def csv_line(cells: Iterable[str]) -> str:
    """A line of CSV with its end."""
    return f"{','.join(map(quoted, cells))}\r\n"


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _first_seen(text: str) -> str:
    """The first character that shows: no blank, control, format character, lone mark or filler."""
    for each in text:
        if unicodedata.category(each)[0] not in "CZM" and each not in FILLERS:
            return each
    return ""
