"""Columns of cells' keys: each form gives what is encoded one value after the other."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregators.backend import joiner_of
from tests.support.backends import FORMS, form_name

VALUES = st.one_of(st.text(max_size=200), st.integers(0, 255), st.sampled_from(["", "chat", "claude_code"]))
KEYS = st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=60)


def encode(value: Any) -> bytes:
    return f"<{value!r}>".encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("compiled", FORMS, ids=form_name)
@given(keys=KEYS, at=st.integers(0, 2), doubled=st.booleans())
def test_a_column_is_its_values_encoded(compiled: bool, keys: Any, at: int, doubled: bool) -> None:
    keys = [key for key in keys for _ in range(1 + doubled)]
    joined = joiner_of(compiled)(keys, at, encode)
    assert joined == b"".join(encode(key[at]) for key in keys)
    wrong = joiner_of(compiled)(keys, at, lambda value: encode(value)[:-1])
    assert not keys or wrong != joined, "the control: another encoding is told apart"


@pytest.mark.parametrize("compiled", FORMS, ids=form_name)
def test_equal_values_are_encoded_once(compiled: bool) -> None:
    asked: list[str] = []

    def counted(value: str) -> bytes:
        asked.append(value)
        return value.encode()

    assert joiner_of(compiled)([("a",), ("a",), ("b",), ("a",)], 0, counted) == b"aaba"
    assert sorted(asked) == ["a", "b"]


@pytest.mark.parametrize("compiled", FORMS, ids=form_name)
@pytest.mark.parametrize("at", [2, 5])
def test_a_place_beyond_a_key_is_an_error(compiled: bool, at: int) -> None:
    join: Callable[..., bytes] = joiner_of(compiled)
    with pytest.raises(IndexError):
        join([("a", "b"), ("a", "b", "c")], at, encode)
