"""A report that is made column by column is, byte for byte and fact for fact, one that is made row by row.

Its rows come through a ClickHouse that answers with them in pieces of any size, and are recounted here with plain
Python: each row by itself.
"""

import hashlib
import io
import unicodedata
from collections.abc import Sequence
from datetime import date
from decimal import Context, Decimal
from itertools import cycle
from typing import Any, cast

import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from reports.exports.spend_columns import CLAUDE_2026_10, DAILY, LAYOUTS, Layout
from reports.exports.spend_csv import read_facts
from reports.exports.spend_report import Report, write_spend_report
from reports.periods import Period
from reports.tagged_ids import USER, tagged

PERIOD = Period("custom", date(2026, 11, 1), date(2026, 11, 30))
ESCAPES: dict[str, str | int | None] = {
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\0": "\\0",
    "'": "\\'",
}
TEXT_PLACES = (2, 4, 5, 6, 17)
MANY_DIGITS = Context(prec=300)
MODULO = 1 << 256

Row = list[str]
Known = dict[str, Any]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ("", "=1+1", "-2", "\t", 'say "hi", twice', "a\r\nb", "\\N", "o'neill", "\\n", "é\0\\", "claude-x", "a,b")
)
accounts = st.uuids().map(str) | st.sampled_from(("", "219a73aa-a319-b475-c9d3-9b11cce79112"))
counts = st.integers(0, 2**64 - 1).map(str)
money = st.decimals(0, 10**14, places=24).map(lambda amount: f"{amount:f}") | st.sampled_from(("0", "0.5", "12"))


@st.composite
def row(draw: st.DrawFn) -> Row:
    """A row as spend_report.sql selects it."""
    email, product, model, family, channel = (draw(texts) for _ in TEXT_PLACES)
    amounts = draw(st.tuples(money, money) | st.just(("", "")))
    numbers = [draw(counts) for _ in range(8)]
    start = [
        draw(st.sampled_from(("2026-11-01", "2026-11-02", ""))),
        "org",
        email,
        draw(accounts),
        product,
        model,
        family,
    ]
    return [*start, *numbers[:3], *amounts, *numbers[3:], channel]


def logs() -> st.SearchStrategy[list[Row]]:
    """Rows, of which some come more than once."""
    return st.lists(row(), max_size=4).flatmap(
        lambda rows: st.lists(st.sampled_from(rows), max_size=12) if rows else st.just([])
    )


class Answering:
    """A ClickHouse whose answer are these rows, read in pieces of these sizes."""

    def __init__(self, rows: Sequence[Row], sizes: Sequence[int]) -> None:
        lines = ("\t".join(cell.translate(str.maketrans(ESCAPES)) for cell in cells) + "\n" for cells in rows)
        self._body = io.BytesIO("".join(lines).encode())
        self._sizes = cycle(sizes)
        self.closed = False

    def raw_stream(self, *_: object, **asked: object) -> "Answering":
        assert asked["fmt"] == "TabSeparated"
        return self

    def read(self, most: int) -> bytes:
        return self._body.read(min(most, next(self._sizes)))

    def close(self) -> None:
        self.closed = True


def reported(rows: Sequence[Row], sizes: Sequence[int], layout: Layout) -> tuple[bytes, Report]:
    sink, answering = io.BytesIO(), Answering(rows, sizes)
    report = write_spend_report(cast(Client, answering), "org", PERIOD, sink, layout=layout)
    assert answering.closed
    return sink.getvalue(), report


def recounted(rows: Sequence[Row], layout: Layout) -> Known:
    """What a report of these rows is, row by row."""
    lines = [layout.columns]
    known: Known = {"requests": 0, "prompt": 0, "completion": 0, "net": Decimal(0), "gross": Decimal(0)}
    known |= {"unpriced": 0, "models": set(), "total": 0, "rows": [], "keys": []}
    for cells in rows:
        said = named(cells)
        lines.append(tuple(said[column] for column in layout.columns))
        count(known, said)
        digest = sha256(said[column] for column in layout.columns if column != "user_email")
        known["total"] = (known["total"] + int.from_bytes(digest)) % MODULO
        known["rows"].append(int.from_bytes(digest[:8]))
        known["keys"].append(int.from_bytes(sha256(said[key] for key in layout.keys)[:8]))
    return known | {"file": "".join(f"{','.join(map(in_quotes, cells))}\r\n" for cells in lines).encode()}


def in_quotes(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set(',;"\t\r\n') else cell


def is_formula(cell: str) -> bool:
    plain = unicodedata.normalize("NFKC", cell)
    first = unicodedata.normalize("NFKC", seen(cell)[:1])
    return cell.startswith(("\t", "\r", "\n")) or bool({first, seen(plain)[:1]} & set("=+-@\u2212"))


def seen(text: str) -> str:
    hidden = "\u115f\u1160\u3164\uffa0"
    return "".join(each for each in text if unicodedata.category(each)[0] not in "CMZ" and each not in hidden)


def named(cells: Row) -> dict[str, str]:
    """The cells of a row by their columns, as in the file."""
    columns = (*DAILY.columns, *CLAUDE_2026_10.columns[10:15], "slack_channel_id")
    safe = [f"'{cell}" if place in TEXT_PLACES and is_formula(cell) else cell for place, cell in enumerate(cells)]
    user = tagged(USER, cells[3]) if cells[3] else ""
    return dict(zip(columns, safe, strict=True)) | {"user_id": user, "teams_channel_id": ""}


def count(known: Known, said: dict[str, str]) -> None:
    for name, column in (("requests", "requests"), ("prompt", "prompt_tokens"), ("completion", "completion_tokens")):
        known[name] += int(said[f"total_{column}"])
    if not said["total_gross_spend_usd"]:
        known["unpriced"] += 1
        known["models"].add(said["model"])
        return
    for name in ("net", "gross"):
        known[name] = MANY_DIGITS.add(known[name], Decimal(said[f"total_{name}_spend_usd"]))


def sha256(cells: Any) -> bytes:
    return hashlib.sha256("\x1f".join(cells).encode()).digest()


def compare(rows: Sequence[Row], sizes: Sequence[int], layout: Layout) -> None:
    """Fails where the report and the recount differ."""
    file, report = reported(rows, sizes, layout)
    known, totals, facts = recounted(rows, layout), report.totals, report.facts
    assert file == known["file"]
    assert report.sha256 == hashlib.sha256(known["file"]).hexdigest()
    assert (report.rows, totals.requests) == (len(rows), known["requests"])
    assert (totals.prompt_tokens, totals.completion_tokens) == (known["prompt"], known["completion"])
    assert (totals.priced_net_spend_usd, totals.priced_gross_spend_usd) == (known["net"], known["gross"])
    assert (totals.unpriced_rows, totals.unpriced_models) == (known["unpriced"], known["models"])
    assert (facts.total, list(facts.rows), list(facts.keys)) == (known["total"], known["rows"], known["keys"])
    if layout == DAILY:
        assert read_facts(io.StringIO(file.decode(), newline="")) == facts


cases = given(logs(), st.lists(st.integers(1, 400), min_size=1, max_size=4), st.sampled_from(tuple(LAYOUTS.values())))


@settings(max_examples=300)
@cases
def test_columns_give_what_rows_give(rows: list[Row], sizes: list[int], layout: Layout) -> None:
    compare(rows, sizes, layout)


@pytest.mark.parametrize(
    ("what", "wrong"),
    [
        ("reports.exports.spend_csv.quoted", lambda cell: cell),
        ("reports.exports.spend_csv.safe_text", lambda cell: cell),
        ("reports.exports.spend_csv.SEPARATOR", ""),
        ("reports.exports.streaming._unescaped", lambda text: text.replace("\\n", "\n")),
        ("reports.exports.spend_report.tagged", lambda prefix, account: prefix + account),
    ],
)
def test_the_comparison_notices(what: str, wrong: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: a report that is wrong in one thing is found out."""
    monkeypatch.setattr(what, wrong)
    unlike = settings(
        max_examples=300,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        phases=[Phase.generate],
    )
    with pytest.raises(AssertionError):
        unlike(cases(compare))()
