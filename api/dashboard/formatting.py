"""Values as people read them, and as programs do: a shown number may be rounded, its exact one stands beside it."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal

from pricing.money import money_text
from reports.metric_windows import WINDOW_KINDS

Kind = Literal["text", "email", "id", "day", "minute", "count", "percent", "usd", "moment"]
"""What a column or a tile holds. An `id` is for programs: it stands in the CSV and not on the page."""

Value = str | int | float | Decimal | date | datetime | None

UNKNOWN = "–"
CENT = Decimal("0.01")

PERIOD_NAMES = {
    "1-day": "1 day",
    "1-week": "1 week",
    "1-month": "1 month",
    "3-months": "3 months",
    "1-year": "1 year",
    "mtd": "Month to date",
    "qtd": "Quarter to date",
    "ytd": "Year to date",
}
assert set(PERIOD_NAMES) == set(WINDOW_KINDS)

EVERY_PERIOD = ("1-month", *(kind for kind in PERIOD_NAMES if kind != "1-month"))
"""Every period, the usual one first."""


def shown(value: Value, kind: Kind) -> str:
    """The value for a reader: thousands apart, money to the cent, percent to one place; UNKNOWN for None."""
    if value is None:
        return UNKNOWN
    if isinstance(value, datetime):
        return f"{value:%H:%M}" if kind == "minute" else timestamp(value)
    if isinstance(value, date):
        return day(value)
    if kind == "usd":
        return usd(Decimal(value))
    if kind == "percent":
        return f"{float(value):,.1f} %"
    return f"{value:,}" if kind == "count" else str(value)


def exact(value: Value) -> str:
    """The value for a program, not rounded; empty for None."""
    if isinstance(value, Decimal):
        return money_text(value) or ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return "" if value is None else str(value)


def usd(amount: Decimal) -> str:
    """US dollars to the cent; what is less than a cent is not shown as nothing."""
    if 0 < amount < CENT:
        return "< $0.01"
    return f"${amount:,.2f}"


def day(value: date) -> str:
    """A UTC day."""
    return f"{value.day} {value:%b %Y}"


def days(first: date, last: date) -> str:
    """A range of UTC days, both included, without saying a year or month twice."""
    if first == last:
        return day(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{day(last)}"
    return f"{first.day} {first:%b}–{day(last)}" if first.year == last.year else f"{day(first)} – {day(last)}"


def timestamp(value: datetime) -> str:
    """A moment, to the minute, in UTC."""
    value = value.astimezone(UTC)
    return f"{day(value.date())}, {value:%H:%M} UTC"
