"""The people behind a number: who they are, a page at a time."""

from collections.abc import Callable, Mapping
from datetime import date

from msgspec import Struct

from api.dashboard.asking import address, read_number
from api.dashboard.formats import EVERY_PERIOD
from api.errors import BadRequest
from api.parameters import choice, read_date
from reports import metrics
from reports.metrics import About, Person, Reading
from reports.periods import Period
from reports.windows import YEAR_DAYS, days_between
from reports.windows import window as window_of

AT_ONCE = 100
PARAMETERS = ("of", "first", "last", "page")


class Found(Struct, frozen=True):
    """Who they are, in ascending order of their account ids; None when that is not known."""

    about: About
    account_ids: tuple[str, ...] | None


def _active(reading: Reading, window: Period, *products: str) -> Found:
    found = metrics.active_people(reading, window, products or metrics.ACTIVITY_PRODUCTS, listed=True)
    return Found(found.about, found.account_ids)


def _with(reading: Reading, window: Period, thing: metrics.Thing) -> Found:
    found = metrics.people_with(reading, thing, window, listed=True)
    return Found(found.about, found.account_ids)


OF: dict[str, tuple[str, Callable[[Reading, Period], Found]]] = {
    "active": ("active people", _active),
    "claude_code": ("people active in Claude Code", lambda reading, window: _active(reading, window, "claude_code")),
    "chat": ("people with a chat", lambda reading, window: _with(reading, window, "chat")),
    "project": ("people with a project", lambda reading, window: _with(reading, window, "project")),
    "artifact": ("people with an artifact", lambda reading, window: _with(reading, window, "artifact")),
}
"""What a list can be of: its heading, and how it is read."""


class Listed(Struct, frozen=True, kw_only=True):
    """One page of a list of people, each with the address of what they did in the same days ('' if it has no name)."""

    heading: str
    about: About
    count: int | None
    people: tuple[tuple[Person, str], ...]
    start: int
    previous: str
    following: str


def read_window(given: Mapping[str, str], today: date) -> Period:
    """The days that are asked for. Raises BadRequest."""
    missing = {"of", "first", "last"} - given.keys()
    if missing:
        raise BadRequest(f"{sorted(missing)[0]}: missing. Allowed: an address with of, first and last.")
    first, last = (read_date(name, given[name]) for name in ("first", "last"))
    if not first <= last <= today or (last - first).days >= YEAR_DAYS:
        raise BadRequest(f"first, last: {first} to {last} is not allowed. Allowed: 1 to {YEAR_DAYS} days, to {today}.")
    return days_between(first, last)


def days_like(kind: str, days: Period) -> bool:
    """Whether the period `kind` that ends with the last of these days is just these days."""
    return window_of(kind, days.last).first == days.first


def list_people(reading: Reading, organization_id: str, given: Mapping[str, str], today: date) -> Listed:
    """One page of the people whom the address asks for. Raises BadRequest."""
    window, number = read_window(given, today), read_number("page", given)
    heading, read = OF[choice(*OF)("of", given["of"])]
    found = read(reading, window)
    accounts, start = found.account_ids or (), (number - 1) * AT_ONCE
    named = metrics.name_people(reading, accounts[start : start + AT_ONCE])

    def link(to: int) -> str:
        return address(organization_id, "people", {**given, "page": str(to)})

    kind = next((kind for kind in EVERY_PERIOD if days_like(kind, window)), "")

    def detail(account: str) -> str:
        days = {"account": account, "days": kind, "until": str(window.last)}
        return address(organization_id, "person", days) if kind else ""

    return Listed(
        heading=heading,
        about=found.about,
        count=None if found.account_ids is None else len(accounts),
        people=tuple((named[account], detail(account)) for account in accounts[start : start + AT_ONCE]),
        start=start,
        previous=link(number - 1) if number > 1 else "",
        following=link(number + 1) if start + AT_ONCE < len(accounts) else "",
    )
