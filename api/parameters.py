"""Query parameters as typed values. Every error has the parameter's name, its value and what is allowed."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from api.errors import BadRequest, invalid_parameter, one_of
from api.tagged_ids import untagged
from reports.periods import FIRST_KEPT_DAY

DAY = timedelta(days=1)
MOST_DAYS = 366
MOST_ENTRIES = 100
MOST_ROWS, USUAL_ROWS = 1000, 100

QueryParams = Mapping[str, Sequence[str]]
"""Each parameter's values, in the order of the request."""

Reader = Callable[[str, str], Any]
"""(parameter, text) to the value. Raises BadRequest."""


def collect(items: Iterable[tuple[str, str]], allowed: Sequence[str]) -> dict[str, list[str]]:
    """Return the parameters by name. Raises BadRequest if one is unknown, if one that is not a list is empty or
    repeated, and if a list is too long."""
    given: dict[str, list[str]] = {}
    for name, value in items:
        if name not in allowed:
            raise BadRequest(f"{name[:100]}: unknown parameter. Allowed: {', '.join(allowed)}.")
        given.setdefault(name, []).append(value)
    for name, values in given.items():
        most = MOST_ENTRIES if name.endswith("[]") else 1
        if len(values) > most:
            raise invalid_parameter(name, f"{len(values)} values", f"at most {most}")
        if most == 1 and not values[0]:  # an empty cursor would start at page 1 again, and paging would never end
            raise invalid_parameter(name, "", "a value, or leave the parameter out")
    return given


def single(given: QueryParams, name: str) -> str | None:
    """Return the value of a parameter that may be given once."""
    return given[name][0] if name in given else None


def read_date(name: str, text: str) -> date:
    """Parse a UTC day."""
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError:
        raise invalid_parameter(name, text, "a UTC day as YYYY-MM-DD") from None


def read_days(given: QueryParams, newest: date, ranged: bool) -> tuple[date, date]:
    """Return the first and last requested day; without an end, the last is the newest complete day."""
    named = {name: read_date(name, values[0]) for name, values in given.items() if name.endswith("date")}
    if "date" in named and "starting_date" in named:
        raise invalid_parameter("date", f"{named['date']} with starting_date", "date or starting_date, not both")
    if "ending_date" in named and "starting_date" not in named:
        raise invalid_parameter("ending_date", named["ending_date"], "an end only together with starting_date")
    if "date" in named:
        return _within("date", named["date"], "date", named["date"], newest)
    if "starting_date" not in named:
        either = " or starting_date" if ranged else ""
        raise BadRequest(f"date{either}: missing. Allowed: a UTC day as YYYY-MM-DD, from {FIRST_KEPT_DAY} to {newest}.")
    first = named["starting_date"]
    if "ending_date" not in named:
        return _within("starting_date", first, "starting_date", max(newest, first), newest)
    if named["ending_date"] <= first:  # checked first: the calendar's first day has no day before it
        raise invalid_parameter("ending_date", named["ending_date"], f"a day after starting_date, {first}")
    return _within("starting_date", first, "ending_date", named["ending_date"] - DAY, newest)


def _within(first_name: str, first: date, last_name: str, last: date, newest: date) -> tuple[date, date]:
    exclusive = last_name == "ending_date"
    if first < FIRST_KEPT_DAY:
        raise invalid_parameter(first_name, first, f"{FIRST_KEPT_DAY} or later")
    if last > newest:
        shown, latest = (last + DAY, newest + DAY) if exclusive else (max(first, last), newest)
        why = f"at most {latest}: the newest complete day is {newest}"
        raise invalid_parameter(last_name, shown, why)
    if (last - first).days + 1 > MOST_DAYS:
        raise invalid_parameter(last_name, last + DAY, f"at most {MOST_DAYS} days after starting_date, {first}")
    return first, last


def read_limit(given: QueryParams, usual: int = USUAL_ROWS, most: int = MOST_ROWS) -> int:
    """Return the maximum number of rows on a page; `usual` by default."""
    text = single(given, "limit")
    if text is None:
        return usual
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= most:
        raise invalid_parameter("limit", text, f"a whole number from 1 to {most}")
    return int(text)


def read_choice(given: QueryParams, name: str, choices: Sequence[str]) -> str | None:
    """Return one of `choices`, or None if the parameter is absent."""
    text = single(given, name)
    return None if text is None else choice(*choices)(name, text)


def read_choices(given: QueryParams, name: str, choices: Sequence[str]) -> list[str]:
    """Return a list of values out of `choices`."""
    return [choice(*choices)(name, text) for text in given.get(name, ())]


def read_filters(given: QueryParams, readers: Mapping[str, Reader]) -> dict[str, list[Any]]:
    """Return the values of each dimension: OR within a dimension, AND across dimensions."""
    filters: dict[str, list[Any]] = {dimension: [] for dimension in readers}
    for entry in given.get("filter[]", ()):
        dimension, colon, value = entry.partition(":")
        if not colon or dimension not in readers or not value:
            raise invalid_parameter("filter[]", entry, f"dimension:value, the dimension {one_of(readers)}")
        filters[dimension].append(readers[dimension](f"filter[]={dimension}", value))
    return filters


def an_id(prefix: str) -> Reader:
    """Return a reader of an id with this prefix, or of a bare UUID."""
    return lambda name, text: untagged(name, prefix, text)


def choice(*choices: str) -> Reader:
    """Return a reader of one of `choices`."""

    def read(name: str, text: str) -> str:
        if text not in choices:
            raise invalid_parameter(name, text, one_of(choices))
        return text

    return read


def a_name(name: str, text: str) -> str:
    """Read a name: any text of up to 512 characters."""
    if len(text) > 512:
        raise invalid_parameter(name, text, "at most 512 characters")
    return text


def a_flag(name: str, text: str) -> bool:
    """Read `true` or `false`."""
    return bool(choice("true", "false")(name, text) == "true")
