"""The list of people behind a number, page by page."""

from collections.abc import Callable, Mapping
from datetime import date

from msgspec import Struct

from api.dashboard.formatting import EVERY_PERIOD
from api.dashboard.page_request import address, read_number
from api.dashboard.pages.connector import CONNECTOR, connector_name
from api.errors import BadRequest
from api.parameters import choice, read_date
from reports import metrics
from reports.metric_windows import YEAR_DAYS, days_between
from reports.metric_windows import window as window_of
from reports.metrics import Person, QueryContext, ResultMeta
from reports.periods import Period

AT_ONCE = 100
PARAMETERS = ("of", "first", "last", "page", CONNECTOR.parameter)


Answer = metrics.PeopleCount | metrics.Share
"""A result with account ids in ascending order; None if they are not known."""

OF: dict[str, tuple[str, Callable[[QueryContext, Period, str], Answer]]] = {
    "active": ("active people", lambda reading, window, _: metrics.active_people(reading, window, listed=True)),
    "claude_code": (
        "people active in Claude Code",
        lambda reading, window, _: metrics.active_people(reading, window, ("claude_code",), listed=True),
    ),
    "chat": ("people with a chat", lambda reading, window, _: metrics.people_with(reading, "chat", window, True)),
    "project": (
        "people with a project",
        lambda reading, window, _: metrics.people_with(reading, "project", window, True),
    ),
    "artifact": (
        "people with an artifact",
        lambda reading, window, _: metrics.people_with(reading, "artifact", window, True),
    ),
    "connector": ("people who called {}", metrics.connector_people),
}
"""The kinds of lists: heading and reader. The reader's text is the connector's key, and empty for other kinds."""


class Listed(Struct, frozen=True, kw_only=True):
    """One page of a list of people, each with the address of their page for the same days ('' if no period matches)."""

    heading: str
    about: ResultMeta
    count: int | None
    people: tuple[tuple[Person, str], ...]
    start: int
    previous: str
    following: str


def read_window(given: Mapping[str, str], today: date) -> Period:
    """Return the requested days. Raises BadRequest."""
    missing = {"of", "first", "last"} - given.keys()
    if missing:
        raise BadRequest(f"{sorted(missing)[0]}: missing. Allowed: an address with of, first and last.")
    first, last = (read_date(name, given[name]) for name in ("first", "last"))
    if not first <= last <= today or (last - first).days >= YEAR_DAYS:
        raise BadRequest(f"first, last: {first} to {last} is not allowed. Allowed: 1 to {YEAR_DAYS} days, to {today}.")
    return days_between(first, last)


def read_which(of: str, given: Mapping[str, str]) -> str:
    """Return the connector that the list is about, or "" for a list of another kind. Raises BadRequest."""
    name = CONNECTOR.parameter
    if (of == name) != (name in given):
        raise BadRequest(
            f"{name}: {'missing' if of == name else 'not allowed'}. Allowed: with of={name}, and only there."
        )
    return CONNECTOR.read_parameter(given[name]) if of == name else ""


def days_like(kind: str, days: Period) -> bool:
    """Return True if the period `kind` that ends on the last of these days covers exactly these days."""
    return window_of(kind, days.last).first == days.first


def list_people(reading: QueryContext, organization_id: str, given: Mapping[str, str], today: date) -> Listed:
    """Return one page of the people that the address requests. Raises BadRequest."""
    window, number = read_window(given, today), read_number("page", given)
    of = choice(*OF)("of", given["of"])
    (heading, read), which = OF[of], read_which(of, given)
    found = read(reading, window, which)
    accounts, start = found.account_ids or (), (number - 1) * AT_ONCE
    named = metrics.name_people(reading, accounts[start : start + AT_ONCE])

    def link(to: int) -> str:
        return address(organization_id, "people", {**given, "page": str(to)})

    kind = next((kind for kind in EVERY_PERIOD if days_like(kind, window)), "")

    def detail(account: str) -> str:
        days = {"account": account, "days": kind, "until": str(window.last)}
        return address(organization_id, "person", days) if kind else ""

    return Listed(
        heading=heading.format(connector_name(reading, which)) if which else heading,
        about=found.about,
        count=None if found.account_ids is None else len(accounts),
        people=tuple((named[account], detail(account)) for account in accounts[start : start + AT_ONCE]),
        start=start,
        previous=link(number - 1) if number > 1 else "",
        following=link(number + 1) if start + AT_ONCE < len(accounts) else "",
    )
