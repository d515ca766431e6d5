"""What a verification shows, and what its comparison takes for a difference."""

import io
from typing import Any

import orjson
from rich.console import Console

from verify.compare import compare, paired
from verify.render import show
from verify.verdict import Difference, TableResult, TopicResult, Verdict


def shown(verdict: Verdict) -> str:
    text = io.StringIO()
    show(verdict, Console(file=text, width=120))
    return text.getvalue()


def found(name: str, expected: dict[Any, Any], rows: list[tuple[Any, Any]], **options: Any) -> TableResult:
    return compare(name, ("a", "b"), ("x", "y"), paired(sorted(expected.items()), sorted(rows)), **options)


def test_rows_that_are_wrong_missing_unexpected_or_twice_differ() -> None:
    expected = {(1, 1): [1, 2], (1, 2): [3, 4], (1, 3): [5, 6], (1, 4): [7, 8]}
    rows = [((1, 1), [1, 2]), ((1, 2), [3, 5]), ((2, 2), [0, 0]), ((1, 4), [7, 8]), ((1, 4), [7, 8])]
    result = found("t", expected, rows)
    assert result.different == 4
    by_key = {tuple(each.key.values()): each for each in result.differences}
    assert by_key[1, 2] == Difference({"a": 1, "b": 2}, {"y": 4}, {"y": 5})
    assert by_key[2, 2].expected is None
    assert by_key[1, 3].found is None
    assert by_key[1, 4].found == by_key[1, 4].expected == {"x": 7, "y": 8}


def test_rows_that_a_worker_goes_on_changing_are_left_out() -> None:
    result = found("t", {(1, 1): [1, 2]}, [((1, 1), [9, 2]), ((1, 2), [9, 2])], is_moving=lambda _key, row: row[0] == 9)
    assert (result.compared, result.moving, result.different) == (0, 2, 0)


def test_at_most_so_many_differences_are_kept() -> None:
    result = found("t", {(n, n): [n, n] for n in range(50)}, [], show=3)
    assert (result.different, len(result.differences)) == (50, 3)
    assert "t: 47 more differences" in shown(Verdict(tables=[result]))


def test_a_difference_shows_key_values_and_offsets() -> None:
    key, offsets = {"organization_id": "[bold]o"}, tuple(range(12))
    difference = Difference(key, {"messages": 3}, {"messages": 2}, offsets, events=20, explaining=(7,))
    verdict = Verdict(tables=[TableResult("chat_cells", 7, 0, 1, [difference])])
    lines = shown(verdict).splitlines()
    assert "chat_cells: organization_id [bold]o" in lines
    named = ", ".join(map(str, offsets))
    assert f"    expected messages 3 (offsets {named} and 8 more); offset 7 alone would explain it" in lines
    assert "    found    messages 2" in lines
    assert lines[-1] == "NOT equal: 1 row differs."
    assert verdict.exit_code == 1


def test_equal_is_said_only_of_all_of_the_log() -> None:
    topics = [TopicResult("tally.chat", 1200, 1000, 150, 50)]
    assert "Equal everywhere: 1,200 records" in shown(Verdict(topics))
    behind = Verdict(topics, unfinished=["tally.chat/0@0 is 5 records behind"])
    assert "not compared: tally.chat/0@0 is 5 records behind" in shown(behind)
    assert "which is not all" in shown(behind)
    assert behind.exit_code == 1


def test_a_verdict_is_json_able_with_bytes_and_decimals_as_texts() -> None:
    verdict = Verdict(tables=[TableResult("t", 1, 0, 1, [Difference({"k": 1}, {"value": b"x"}, None)])])
    assert orjson.loads(orjson.dumps(verdict.as_json(), default=str))["different"] == 1
