"""Export: the available periods and formats, and the issued reports."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from clickhouse_connect.driver.client import Client
from msgspec import Struct

from api.dashboard.figures import DashboardPage
from api.dashboard.page_request import PageView, address, read_number
from api.parameters import choice, read_date
from queries.errors import NoCompleteDay, PeriodError
from reports.exports.formats import FORMATS, NamedFormat
from reports.exports.issued_reports import issued_reports
from reports.periods import DAY, DAYS_BACK, KINDS, TITLES, Kind, Period, resolve

AT_ONCE = 31
PARAMETERS = ("period", "start", "end", "format", "page")

EXPORTS = DashboardPage(name="exports", title="Export", lead="", periods={}, makers=(), exposes_spend=True)


class Offer(Struct, frozen=True, kw_only=True):
    """A period to choose. `days` is None if it has no days at present, and `why` is the reason."""

    kind: str
    title: str
    days: Period | None
    why: str = ""


def offers(now: datetime, newest: date | None) -> list[Offer]:
    """Return the periods, each with its days now."""
    return [_offer(kind, now, newest) for kind in KINDS]


def _offer(kind: Kind, now: datetime, newest: date | None) -> Offer:
    if kind == "custom":
        return Offer(kind=kind, title=TITLES[kind], days=None, why=f"at most {DAYS_BACK} days back")
    try:
        days = resolve(kind, now, newest)
    except PeriodError as error:
        why = error.why if isinstance(error, NoCompleteDay) else str(error)
        return Offer(kind=kind, title=TITLES[kind], days=None, why=why)
    return Offer(kind=kind, title=TITLES[kind], days=days)


def read_period(given: Mapping[str, str], now: datetime, newest: date | None) -> Period:
    """Return the requested period. Raises BadRequest, PeriodError."""
    kind = choice(*KINDS)("period", given.get("period", ""))
    start, end = (read_date(name, given[name]) if given.get(name) else None for name in ("start", "end"))
    return resolve(kind, now, newest, *((start, end) if kind == "custom" else ()))


def read_format(given: Mapping[str, str]) -> NamedFormat:
    """Return the requested format. Raises BadRequest."""
    return FORMATS[choice(*FORMATS)("format", given.get("format", next(iter(FORMATS))))]


def export_values(client: Client, view: PageView, given: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """Return the values that the page shows."""
    newest, number = view.reading.newest_complete_day, read_number("page", given)
    found = issued_reports(client, view.viewer.organization_id, AT_ONCE + 1, (number - 1) * AT_ONCE)

    def link(to: int) -> str:
        return address(view.viewer.organization_id, EXPORTS.name, {"page": str(to)}, "issued")

    offered = offers(now, newest)
    usual = next((offer.kind for offer in offered if offer.days), "custom")
    return {
        "base": address(view.viewer.organization_id, EXPORTS.name, {}),
        "given": given,
        "offers": offered,
        "chosen": given.get("period", usual),
        "formats": FORMATS,
        "oldest": now.date() - DAYS_BACK * DAY,
        "newest": newest,
        "issued": found[:AT_ONCE],
        "newer": link(number - 1) if number > 1 else "",
        "older": link(number + 1) if len(found) > AT_ONCE else "",
    }
