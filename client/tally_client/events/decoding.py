"""Decodes the bytes of a record into its event, exactly as the contract requires.

This differs from the Structs' own JSON decoder in two ways. That one rounds fractions finer than a microsecond, which
would move an event in the last instant of a day to the next day. It also accepts an object without `type` in topics
with only one type.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Literal

import msgspec
from msgspec import structs

from tally_client.events.envelope import Event, Moment

_FINE = re.compile(rb"\.[0-9]{7}").search
_FINER_DIGITS = re.compile(r"(\.[0-9]{6})[0-9]+")
_ESCAPED_ASCII = b"\\u00"
"""Digits and points may also be written as escapes."""


class EventDecoder:
    """Decodes and validates the records of one topic."""

    def __init__(self, kinds: Sequence[type[Event]]) -> None:
        union: Any = kinds[0]
        for kind in kinds[1:]:
            union = union | kind
        self._decode: Callable[[bytes], Event] = msgspec.json.Decoder(union).decode
        self._refuse_untyped = _untyped(kinds[0]) if len(kinds) == 1 else None

    def decode(self, value: bytes) -> Event:
        """Return the event in these bytes.

        Raises `msgspec.ValidationError`, `msgspec.DecodeError` or UnicodeDecodeError if they are not an event of the
        topic.
        """
        if self._refuse_untyped:
            self._refuse_untyped(value)
        event = self._decode(value)
        if _FINE(value) or _ESCAPED_ASCII in value:
            return _with_cut_moments(event, value)
        return event


def _untyped(kind: type[Event]) -> Callable[[bytes], Any]:
    """Return a decoder that rejects records whose `type` is not this one type."""
    tag = str(kind.__struct_config__.tag)
    return msgspec.json.Decoder(msgspec.defstruct("Typed", [("type", Literal[tag])])).decode


def _with_cut_moments(event: Event, value: bytes) -> Event:
    """Return the event with its timestamps parsed again from their text, truncated to six fractional digits."""
    told = _texts_of_moments(type(event)).decode(value)
    moments = {
        name: msgspec.convert(_FINER_DIGITS.sub(r"\1", text), datetime)
        for name in told.__struct_fields__
        for text in (getattr(told, name),)
    }
    return structs.replace(event, **moments)


@cache
def _texts_of_moments(kind: type[Event]) -> msgspec.json.Decoder[Any]:
    """Return a decoder that reads the timestamps of an event as text."""
    names = [field.name for field in structs.fields(kind) if field.type == Moment]
    return msgspec.json.Decoder(msgspec.defstruct("Texts", [(name, str) for name in names]))
