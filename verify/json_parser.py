"""JSON parsing that is exactly as lenient as the decoder of the event contract.

That decoder reads the fields it knows and skips the rest, so it differs from `json.loads`: every occurrence of a
repeated key is checked, a lone surrogate is rejected even where it is skipped, and bytes that are not UTF-8 are
rejected only in a field that it knows.
"""

import json
import re
from typing import Any

MAX_DEPTH = 400
"""The maximum nesting depth of objects and lists; the outermost has depth 1."""


class Malformed(ValueError):
    """The bytes are not JSON."""


class Repeats(dict[str, Any]):
    """An object with repeated keys: as a dict it has the last value of each, `pairs` has all of them."""

    pairs: list[tuple[str, Any]]


def parse(value: bytes) -> Any:
    """Return the JSON value of `value`; bytes that are not UTF-8 become lone surrogates. Raises Malformed."""
    text = value.decode("utf-8", "surrogateescape")
    try:
        parsed = _read(text)
    except RecursionError:
        raise Malformed("it is nested too deeply") from None
    except ValueError as error:
        raise Malformed(str(error)) from None
    if "\\u" in text and not _surrogates_are_paired(text):
        raise Malformed("it has half a surrogate pair")
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth(parsed) > MAX_DEPTH:
        raise Malformed("it is nested too deeply")
    return parsed


def pairs_of(value: dict[str, Any]) -> Any:
    """Return all (key, value) pairs of an object, including every occurrence of a repeated key."""
    return value.pairs if isinstance(value, Repeats) else value.items()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    repeats = Repeats(pairs)
    repeats.pairs = pairs
    return repeats


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _any_length(digits: str) -> int | float:
    # int() rejects texts of thousands of digits. The value of such a number is irrelevant: it is not a valid count.
    return int(digits) if len(digits) < 100 else float("inf")


_USUAL = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant)
_PATIENT = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant, parse_int=_any_length)


def _read(text: str) -> Any:
    try:
        return _USUAL.decode(text)
    except json.JSONDecodeError:
        raise
    except ValueError:
        return _PATIENT.decode(text)


def _depth(value: Any) -> int:
    """Return the nesting depth of `value`, without recursion, since it may be deep."""
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, dict | list)]:
        depth += 1
        level = [
            inner for each in level for inner in (each if isinstance(each, list) else map(_second, pairs_of(each)))
        ]
    return depth


def _second(pair: tuple[str, Any]) -> Any:
    return pair[1]


_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)


def _surrogates_are_paired(text: str) -> bool:
    """Return True if every escaped high surrogate is directly followed by a low one, and no low one is alone."""
    wanted_at = -1
    for escape in _ESCAPE.finditer(text):
        code = int(escape[1], 16) if escape[1] else 0
        is_low = 0xDC00 <= code <= 0xDFFF
        if is_low != (escape.start() == wanted_at) or (wanted_at >= 0 and not is_low):
            return False
        wanted_at = escape.end() if 0xD800 <= code <= 0xDBFF else -1
    return wanted_at < 0
