"""The parameters in a page's address: the days, and the choices of each figure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from api.errors import BadRequest, invalid_parameter
from api.parameters import choice, read_date
from api.principal import Viewer
from reports.metric_windows import window
from reports.metrics import QueryContext
from reports.periods import FIRST_KEPT_DAY, Period

TOPS = ("10", "100", "1000")
"""The lengths of a ranking that a page can show."""


@dataclass(frozen=True)
class PageView:
    """The viewer, the organization, and how far its tables reached before any number was read."""

    viewer: Viewer
    organization: str
    reading: QueryContext


@dataclass(frozen=True)
class Subject:
    """The name of the person or thing that a page is about; `detail` is shown below it."""

    name: str
    detail: str = ""


@dataclass(frozen=True)
class PageRequest:
    """One request for a page: its last day, its choices, and its person or thing (`asked_of`, '' for none).

    `today` is the day whose month, quarter and year the to-date periods belong to: the day in the address if it has
    one.
    """

    view: PageView
    page: str
    last: date
    today: date
    chosen: Mapping[str, str]
    given: Mapping[str, str]
    asked_of: str = ""

    @property
    def reading(self) -> QueryContext:
        """The query context: how far the tables reach, and the client that reads them."""
        return self.view.reading

    @property
    def viewer(self) -> Viewer:
        """The viewer."""
        return self.view.viewer

    def window(self, name: str) -> Period:
        """Return the days of the choice `name`. Raises NoCompleteDay."""
        return self.days(self.chosen[name])

    def days(self, kind: str) -> Period:
        """Return the days of a window of that kind. Raises NoCompleteDay."""
        return window(kind, self.last, self.today)

    def top(self) -> int:
        """Return the number of places of a ranking to show."""
        return int(self.chosen["top"])

    def link(self, page: str = "", anchor: str = "", **changes: str) -> str:
        """Return the address of this page with its choices, or of another page of the organization for the same day."""
        same = page in ("", self.page)
        kept = {name: value for name, value in self.given.items() if same or name == "until"}
        return address(self.viewer.organization_id, page or self.page, kept | changes, anchor)

    def csv(self, figure: str) -> str:
        """Return the address of a figure's CSV, with this page's choices and its last day. The day is left out if it is
        in another month than today, because this month has no complete day."""
        same = (self.last.year, self.last.month) == (self.today.year, self.today.month)
        given = {**self.given, "until": str(self.last)} if same else self.given
        return address(self.viewer.organization_id, f"{self.page}/{figure}.csv", given)

    def person(self, account: str, kind: str) -> str:
        """Return the address of a person's page for a period that ends with this page's last day."""
        return self.link("person", account=account, days=kind, until=str(self.last))

    def connector(self, key: str, kind: str) -> str:
        """Return the address of a connector's page for such a period."""
        return self.link("connector", connector=key, days=kind, until=str(self.last))

    def people(self, of: str, days: Period, **more: str) -> str:
        """Return the address of the list of people behind a number, relative to this page's address."""
        return f"people?{urlencode({'of': of, 'first': days.first, 'last': days.last, **more})}"


def address(organization_id: str, page: str, given: Mapping[str, str], anchor: str = "") -> str:
    """Return the address of a page."""
    query = f"?{urlencode(given)}" if given else ""
    return f"/organizations/{organization_id}/{page}{query}{'#' * bool(anchor)}{anchor}"


def read_once(items: Iterable[tuple[str, str]], allowed: Iterable[str]) -> dict[str, str]:
    """Return the parameters of an address. Raises BadRequest for a parameter that is unknown or repeated."""
    known, given = set(allowed), dict[str, str]()
    for name, value in items:
        if name not in known:
            raise BadRequest(f"{name[:100]}: unknown parameter. Allowed: {', '.join(sorted(known))}.")
        if name in given:
            raise BadRequest(f"{name}: given twice. Allowed: once.")
        given[name] = value
    return given


def read_number(name: str, given: Mapping[str, str]) -> int:
    """Return a whole number from 1, the default. Raises BadRequest."""
    text = given.get(name, "1")
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text):
        raise invalid_parameter(name, text, "a whole number from 1 to 999999")
    return int(text)


def read_choices(given: Mapping[str, str], periods: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Return the choice for each of the page's parameters, by default the first. Raises BadRequest."""
    every = {**periods, "top": TOPS}
    return {name: choice(*allowed)(name, given.get(name, allowed[0])) for name, allowed in every.items()}


def read_until(given: Mapping[str, str], newest: date | None, today: date) -> date:
    """Return the last day to show, by default the newest complete one. Raises BadRequest."""
    usual = newest or today
    if "until" not in given:
        return usual
    asked = read_date("until", given["until"])
    if not FIRST_KEPT_DAY <= asked <= today:
        raise BadRequest(f"until: {asked} is not allowed. Allowed: a UTC day from {FIRST_KEPT_DAY} to {today}.")
    return asked
