"""The file format of the spend report: RFC 4180, no formulas, exact totals, facts that do not depend on names."""

import csv
import hashlib
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.dashboard.figures import Column, Figure, Row
from api.dashboard.routes import csv_of
from reports.exports.csv_cells import safe_text
from reports.exports.focus.columns import NAMES
from reports.exports.focus.writers import CsvFile
from reports.exports.spend_columns import DAILY
from reports.exports.spend_csv import SpendCsv, read_facts, safe_rows
from reports.exports.text_columns import of_rows

ROW = ["2026-11-01", "org", "a@example.com", "account", "Chat", "claude-x", "X", "3", "10", "5", "0.85", "1"]
of_rows([ROW], DAILY.columns)  # with the first of its columns Arrow loads what it needs, not within the time of a test


def finish(out: SpendCsv, sink: io.BytesIO) -> str:
    sha256 = out.close()
    assert sha256 == hashlib.sha256(sink.getvalue()).hexdigest()
    return sha256


def write(out: SpendCsv, row: list[str]) -> None:
    out.write(of_rows([row], DAILY.columns))


def other(**cells: str) -> list[str]:
    return [cells.get(column, cell) for column, cell in zip(DAILY.columns, ROW, strict=True)]


STARTS = ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\ufeff=", "\u200b\uff1d", "\u00a0\u2028@", "\x1b+", "\u202e-"]
STARTS += [
    "\u0301=",
    "\u3164=",
    "\x00\x7f=",
    "=\u0338",
    "\uff1d\u0338",
    "\uff1d",
    "\ufe66",
    "\uff0b",
    "\uff0d",
    "\uff20",
]
STARTS += ["\ufe6b", "\u207a", "\u2212"]


@pytest.mark.parametrize("start", STARTS)
def test_a_formula_becomes_text(start: str) -> None:
    assert safe_text(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("text", ["", "a=b", "'=1", "claude-x", " a=1", "\u00e9=1", "\u3164", "\ufeffa", "(=1)"])
def test_other_text_stays(text: str) -> None:
    assert safe_text(text) == text


HIDDEN = " \t\r\n\x00\x1b\u00a0\u00ad\u0301\u200b\u202e\u2028\u3000\u3164\ufe0f\ufeff"
SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u207a\u208a\u2212"
hidden, signs = st.text(st.sampled_from(HIDDEN), max_size=4), st.sampled_from(SIGNS)


@given(hidden, signs, st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
def test_no_sign_is_first_in_any_width_and_behind_what_shows_nothing(before: str, sign: str, after: str) -> None:
    """In every writer: by columns, by rows, and a figure's."""
    text = before + sign + after
    assert safe_text(text) == f"'{text}"
    sink, charges = io.BytesIO(), io.BytesIO()
    out, rows = SpendCsv(sink), CsvFile(charges)
    out.write(safe_rows(of_rows([other(model=text)], DAILY.columns)))
    rows.add([text, *[None] * (len(NAMES) - 1)])
    figure = csv_of(Figure(name="f", title="", columns=(Column(key="k", title=""),), rows=(Row(cells=(text,)),)))
    out.close()
    rows.close()
    for file in (sink.getvalue(), charges.getvalue(), figure):
        assert f"'{text}" in list(csv.reader(io.StringIO(file.decode(), newline="")))[1]


@pytest.mark.parametrize("text", ["x;=1+1", "x\t=2+2", "a,b", 'a"b', "a\r\nb"])
def test_what_separates_cells_for_any_reader_is_quoted(text: str) -> None:
    sink, charges = io.BytesIO(), io.BytesIO()
    out, rows = SpendCsv(sink), CsvFile(charges)
    write(out, other(model=text))
    rows.add([text, *[None] * (len(NAMES) - 1)])
    rows.close()
    figure = csv_of(Figure(name="f", title="", columns=(Column(key="k", title=""),), rows=(Row(cells=(text,)),)))
    inside = text.replace('"', '""')
    for file in (sink.getvalue(), charges.getvalue(), figure):
        assert f'"{inside}"'.encode() in file


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=12, max_size=12))
def test_any_text_comes_back(cells: list[str]) -> None:
    sink = io.BytesIO()
    out = SpendCsv(sink)
    row = [*cells[:7], "1", "2", "3", "", ""]
    write(out, row)
    out.close()
    assert list(csv.reader(io.StringIO(sink.getvalue().decode(), newline="")))[1] == row


def test_totals_are_exact_and_unknown_money_makes_the_whole_unknown() -> None:
    sink = io.BytesIO()
    out = SpendCsv(sink)
    for _ in range(10):
        write(
            out, other(total_net_spend_usd="0.1", total_gross_spend_usd="12345678901234567890.000000000000000000000001")
        )
    totals = out.totals
    assert (totals.rows, totals.requests, totals.prompt_tokens, totals.completion_tokens) == (10, 30, 100, 50)
    assert totals.net_spend_usd == 1
    assert totals.gross_spend_usd == Decimal("123456789012345678900.00000000000000000000001")
    write(out, other(model="new", total_net_spend_usd="", total_gross_spend_usd=""))
    assert (totals.net_spend_usd, totals.gross_spend_usd, totals.unpriced_rows) == (None, None, 1)
    assert (totals.priced_net_spend_usd, totals.unpriced_models) == (1, {"new"})
    finish(out, sink)


def facts_of(*rows: list[str]) -> str:
    sink = io.BytesIO()
    out = SpendCsv(sink)
    for row in rows:
        write(out, row)
    finish(out, sink)
    read = read_facts(io.StringIO(sink.getvalue().decode(), newline=""))
    assert read == out.facts
    return out.facts.sha256


def test_facts_know_everything_but_names_and_order() -> None:
    cowork = other(product="Cowork")
    same = facts_of(ROW, cowork)
    assert facts_of(cowork, ROW) == same
    assert facts_of(other(user_email="b@example.com"), cowork) == same
    for column in DAILY.columns:
        if column != "user_email" and not column.startswith("total_"):
            assert facts_of(other(**{column: "else"}), cowork) != same
    assert facts_of(other(total_requests="4"), cowork) != same
    assert facts_of(other(total_net_spend_usd="0.86"), cowork) != same
    assert facts_of(ROW) != same
    assert facts_of(ROW, cowork, cowork) != same
