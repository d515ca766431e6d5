"""What a page's address asks for: which days, and which choice of each figure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from api.errors import BadRequest, invalid_parameter
from api.parameters import choice, read_date
from api.principal import Viewer
from reports.metric_windows import window
from reports.metrics import FIRST_KEPT_DAY, QueryContext
from reports.periods import Period

TOPS = ("10", "100", "1000")
"""How many of a ranking a page can show."""


@dataclass(frozen=True)
class Look:
    """Who looks at which organization, and how far its tables reached before any number was read."""

    viewer: Viewer
    organization: str
    reading: QueryContext


@dataclass(frozen=True)
class Subject:
    """Whom or what a page is about, by name; `detail` stands below it."""

    name: str
    detail: str = ""


@dataclass(frozen=True)
class PageRequest:
    """One request for a page: up to which day, with which choices, of whom or what (`asked_of`, '' for all).

    `today` is the day whose month, quarter and year are to date: the day of the address where it has one.
    """

    look: Look
    page: str
    last: date
    today: date
    chosen: Mapping[str, str]
    given: Mapping[str, str]
    asked_of: str = ""

    @property
    def reading(self) -> QueryContext:
        """How far the tables reach, and the way to them."""
        return self.look.reading

    @property
    def viewer(self) -> Viewer:
        """Who looks."""
        return self.look.viewer

    def window(self, name: str) -> Period:
        """The days of the choice `name`. Raises NoCompleteDay."""
        return self.days(self.chosen[name])

    def days(self, kind: str) -> Period:
        """The days of a window of that kind. Raises NoCompleteDay."""
        return window(kind, self.last, self.today)

    def top(self) -> int:
        """How many of a ranking are shown."""
        return int(self.chosen["top"])

    def link(self, page: str = "", anchor: str = "", **changes: str) -> str:
        """The address of a page of this organization; of this page it keeps the other choices, of another the day."""
        same = page in ("", self.page)
        kept = {name: value for name, value in self.given.items() if same or name == "until"}
        return address(self.viewer.organization_id, page or self.page, kept | changes, anchor)

    def csv(self, figure: str) -> str:
        """The address of a figure's CSV, with the choices of this page and its very last day (which would be another
        month's if this one has no complete day)."""
        same = (self.last.year, self.last.month) == (self.today.year, self.today.month)
        given = {**self.given, "until": str(self.last)} if same else self.given
        return address(self.viewer.organization_id, f"{self.page}/{figure}.csv", given)

    def person(self, account: str, kind: str) -> str:
        """The address of what a person did in a period that ends with this page's last day."""
        return self.link("person", account=account, days=kind, until=str(self.last))

    def connector(self, key: str, kind: str) -> str:
        """The same of a connector."""
        return self.link("connector", connector=key, days=kind, until=str(self.last))

    def people(self, of: str, days: Period, **more: str) -> str:
        """The address, beside this page's, of the list of people behind a number."""
        return f"people?{urlencode({'of': of, 'first': days.first, 'last': days.last, **more})}"


def address(organization_id: str, page: str, given: Mapping[str, str], anchor: str = "") -> str:
    """The address of a page."""
    query = f"?{urlencode(given)}" if given else ""
    return f"/organizations/{organization_id}/{page}{query}{'#' * bool(anchor)}{anchor}"


def read_once(items: Iterable[tuple[str, str]], allowed: Iterable[str]) -> dict[str, str]:
    """The parameters of an address. Raises BadRequest for one that is unknown or there twice."""
    known, given = set(allowed), dict[str, str]()
    for name, value in items:
        if name not in known:
            raise BadRequest(f"{name[:100]}: there is no such parameter here. Allowed: {', '.join(sorted(known))}.")
        if name in given:
            raise BadRequest(f"{name}: there twice. Allowed: once.")
        given[name] = value
    return given


def read_number(name: str, given: Mapping[str, str]) -> int:
    """A whole number from 1, which it is where the address has none. Raises BadRequest."""
    text = given.get(name, "1")
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text):
        raise invalid_parameter(name, text, "a whole number from 1 to 999999")
    return int(text)


def read_choices(given: Mapping[str, str], periods: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """The choice of each of the page's parameters, the usual one where the address has none. Raises BadRequest."""
    every = {**periods, "top": TOPS}
    return {name: choice(*allowed)(name, given.get(name, allowed[0])) for name, allowed in every.items()}


def read_until(given: Mapping[str, str], newest: date | None, today: date) -> date:
    """The last day that is shown: the newest complete one unless the address says another. Raises BadRequest."""
    usual = newest or today
    if "until" not in given:
        return usual
    asked = read_date("until", given["until"])
    if not FIRST_KEPT_DAY <= asked <= today:
        raise BadRequest(f"until: {asked} is not allowed. Allowed: a UTC day from {FIRST_KEPT_DAY} to {today}.")
    return asked
