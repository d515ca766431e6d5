"""Values as shown to people and as written for programs: what is shown may be rounded, the exact value is kept too."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal

from pricing.money import money_text
from reports.metric_windows import WINDOW_KINDS
from sinks.datetimes import rfc3339

Kind = Literal["text", "email", "id", "day", "minute", "count", "percent", "usd", "moment"]
"""The kind of value in a column or tile. An `id` is for programs: it is in the CSV but not on the page."""

Value = str | int | float | Decimal | date | datetime | None

UNKNOWN = "–"
CENT = Decimal("0.01")

EVERY_PERIOD = ("1-month", *(kind for kind in WINDOW_KINDS if kind != "1-month"))
"""Every period, the default first."""


def shown(value: Value, kind: Kind) -> str:
    """Return the value for a reader: thousands separated, money to the cent, percent to one place; UNKNOWN for None."""
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
    """Return the value for a program, not rounded; empty for None."""
    if isinstance(value, Decimal):
        return money_text(value) or ""
    if isinstance(value, datetime):
        return rfc3339(value, "seconds")
    return "" if value is None else str(value)


def usd(amount: Decimal) -> str:
    """Return US dollars to the cent; a positive amount below a cent is not shown as zero."""
    if 0 < amount < CENT:
        return "< $0.01"
    return f"${amount:,.2f}"


def day(value: date) -> str:
    """Return a UTC day as text."""
    return f"{value.day} {value:%b %Y}"


def days(first: date, last: date) -> str:
    """Return a range of UTC days, both included, without repeating the year or month."""
    if first == last:
        return day(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{day(last)}"
    return f"{first.day} {first:%b}–{day(last)}" if first.year == last.year else f"{day(first)} – {day(last)}"


def timestamp(value: datetime) -> str:
    """Return a moment in UTC, to the minute."""
    value = value.astimezone(UTC)
    return f"{day(value.date())}, {value:%H:%M} UTC"
