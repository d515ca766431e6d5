"""What each field of each event may be, written out a second time from the contract (docs/events.md).

A check takes one JSON value and says whether a field may hold it. `SCHEMAS` maps a topic to its event types, and a
type to its fields. Nothing here is imported from the contract's own code: a mistake there must show.
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
"""A field that must be there, or one with the value that its absence means."""


class FieldRules:
    """The fields of one object. Unknown fields are ignored.

    `ids` names the fields that go into tables as UUIDs, `defaults` what is meant by the absence of a field.
    """

    def __init__(self, fields: dict[str, Field]) -> None:
        self.fields = {name: of[0] if isinstance(of, tuple) else of for name, of in fields.items()}
        self.defaults = {name: of[1] for name, of in fields.items() if isinstance(of, tuple)}
        self.required = frozenset(self.fields).difference(self.defaults)
        self.ids = tuple(name for name, check in self.fields.items() if check in (is_id, is_optional_id))

    def problem(self, value: Any) -> str | None:
        """What is wrong with `value`, or None."""
        if not isinstance(value, dict):
            return f"expected an object, found {type(value).__name__}"
        for name, found in pairs_of(value):
            check = self.fields.get(name)
            if check is not None and not check(found):
                return f"{name} may not be {found!r:.80}"
        missing = self.required.difference(value)
        return f"{min(missing)} is missing" if missing else None


def is_id(value: Any) -> bool:
    """36 characters; the form of a UUID is a rule of its own."""
    return type(value) is str and len(value) == 36 and (value.isascii() or _is_text(value))


def is_count(value: Any) -> bool:
    """An integer that is written as one: true, 1.0 and 1e3 are not."""
    return type(value) is int and 0 <= value <= MAX_COUNT


def is_bool(value: Any) -> bool:
    """true or false."""
    return value is True or value is False


def is_moment(value: Any) -> bool:
    """A text that `parse_moment` reads."""
    return type(value) is str and parse_moment(value) is not None


def text(shortest: int, longest: int) -> Check:
    """A text of so many characters, none of which is a control character or ends a line."""
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
    """Null, or what `check` takes."""
    return lambda value: value is None or check(value)


def matching(pattern: str, shortest: int = 0, longest: int = 1 << 30) -> Check:
    """A text all of which a pattern matches."""
    is_long_enough, matches = text(shortest, longest), re.compile(pattern).fullmatch
    return lambda value: is_long_enough(value) and matches(value) is not None


is_optional_id = optional(is_id)


def list_of(check: Check, longest: int) -> Check:
    """A list of at most so many, each of which `check` takes."""
    return lambda value: type(value) is list and len(value) <= longest and all(map(check, value))


def shaped(shape: FieldRules) -> Check:
    """An object of this shape."""
    return lambda value: shape.problem(value) is None


def _is_text(value: str) -> bool:
    # A lone surrogate stands for a byte that was no UTF-8 (json_text.parse), which a known field may not hold.
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _is_control(character: str) -> bool:
    return category(character) in ("Cc", "Zl", "Zp")


name = text(1, 512)
tag = text(1, 128)

ENVELOPE: dict[str, Field] = {"event_id": is_id, "occurred_at": is_moment, "organization_id": is_id}
"""What every event has."""
