"""The allowed values of each field of each event, written a second time from the contract (docs/events.md).

A check takes one JSON value and returns True if a field may have it. `SCHEMAS` (events.py) maps a topic to its event
types, and a type to its fields. Nothing is imported from the contract's own code, since a mistake there must show.
"""

import re
from collections.abc import Callable
from typing import Any
from unicodedata import category

from verify.json_parser import pairs_of
from verify.timestamps import parse_moment

Check = Callable[[Any], bool]

MAX_COUNT = 1_000_000_000


Field = Check | tuple[Check, Any]
"""A required field, or an optional one with its default."""


class FieldRules:
    """The fields of an object. Unknown fields are ignored.

    `ids` are the fields that tables store as UUIDs; `defaults` has the value of each absent field.
    """

    def __init__(self, fields: dict[str, Field]) -> None:
        self.fields = {name: of[0] if isinstance(of, tuple) else of for name, of in fields.items()}
        self.defaults = {name: of[1] for name, of in fields.items() if isinstance(of, tuple)}
        self.required = frozenset(self.fields).difference(self.defaults)
        self.ids = tuple(name for name, check in self.fields.items() if check in (is_id, is_optional_id))

    def problem(self, value: Any) -> str | None:
        """Return what is wrong with `value`, or None."""
        if not isinstance(value, dict):
            return f"expected an object, found {type(value).__name__}"
        for name, found in pairs_of(value):
            check = self.fields.get(name)
            if check is not None and not check(found):
                return f"{name} may not be {found!r:.80}"
        missing = self.required.difference(value)
        return f"{min(missing)} is missing" if missing else None


def is_id(value: Any) -> bool:
    """36 characters; the form of a UUID is a separate rule."""
    return type(value) is str and len(value) == 36 and (value.isascii() or _is_text(value))


def is_count(value: Any) -> bool:
    """An integer written as such: true, 1.0 and 1e3 are invalid."""
    return type(value) is int and 0 <= value <= MAX_COUNT


def is_bool(value: Any) -> bool:
    """true or false."""
    return value is True or value is False


def is_moment(value: Any) -> bool:
    """A text that `parse_moment` accepts."""
    return type(value) is str and parse_moment(value) is not None


def text(shortest: int, longest: int) -> Check:
    """A text with a length from `shortest` to `longest`, without control characters and line ends."""
    return lambda value: (
        type(value) is str
        and shortest <= len(value) <= longest
        and ((value.isascii() and value.isprintable()) or (_is_text(value) and not any(map(_is_control, value))))
    )


def one_of(*values: str) -> Check:
    """One of these texts."""
    allowed = frozenset(values)
    return lambda value: type(value) is str and value in allowed


def optional(check: Check) -> Check:
    """Null, or a value that passes `check`."""
    return lambda value: value is None or check(value)


def matching(pattern: str, shortest: int = 0, longest: int = 1 << 30) -> Check:
    """A text that a pattern matches as a whole."""
    is_long_enough, matches = text(shortest, longest), re.compile(pattern).fullmatch
    return lambda value: is_long_enough(value) and matches(value) is not None


is_optional_id = optional(is_id)


def list_of(check: Check, longest: int) -> Check:
    """A list of at most `longest` values that pass `check`."""
    return lambda value: type(value) is list and len(value) <= longest and all(map(check, value))


def shaped(shape: FieldRules) -> Check:
    """An object that follows these rules."""
    return lambda value: shape.problem(value) is None


def _is_text(value: str) -> bool:
    # A lone surrogate is a byte that was not UTF-8 (json_parser.parse), which a known field must not contain.
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _is_control(character: str) -> bool:
    return category(character) in ("Cc", "Zl", "Zp")


name = text(1, 512)
tag = text(1, 128)

ENVELOPE: dict[str, Field] = {"event_id": is_id, "occurred_at": is_moment, "organization_id": is_id}
"""The fields of every event."""
