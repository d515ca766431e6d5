"""How much is remembered, and for how long."""

import pytest

from queries.result_cache import ResultCache


@pytest.fixture
def asked() -> list[str]:
    return []


def test_an_answer_is_read_once_for_a_state(asked: list[str]) -> None:
    memory = ResultCache()

    def read() -> list[int]:
        asked.append("read")
        return [len(asked)]

    assert [memory.get_or_compute("question", state, read) for state in ("a", "a", "b", "b", "a")] == [
        [1],
        [1],
        [2],
        [2],
        [3],
    ]
    assert memory.get_or_compute("another", "a", read) == [4]


def test_what_was_not_asked_for_longest_gives_way(asked: list[str]) -> None:
    memory = ResultCache(most_rows=10)

    def ask(question: str, rows: int = 3) -> None:
        memory.get_or_compute(question, "state", lambda: asked.append(question) or [0] * rows)  # type: ignore[func-returns-value]

    for question in ("one", "two", "one", "three", "one", "two"):
        ask(question)
    assert asked == ["one", "two", "three", "two"]
    ask("long", rows=11)
    ask("long", rows=11)
    ask("one")
    assert asked[4:] == ["long", "long"]


def test_a_long_list_within_a_row_is_long() -> None:
    memory, answer = ResultCache(most_rows=10), [(9, ["somebody"] * 9)]
    assert memory.get_or_compute("question", "state", lambda: answer) is answer
    assert memory.get_or_compute("question", "state", lambda: []) == []


def test_a_failed_read_is_not_remembered() -> None:
    memory = ResultCache()
    with pytest.raises(ZeroDivisionError):
        memory.get_or_compute("question", "state", lambda: [1 // 0])
    assert memory.get_or_compute("question", "state", lambda: [2]) == [2]
