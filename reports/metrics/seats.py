"""Seats, invites, and utilization of seats."""

from collections.abc import Sequence
from typing import Any

from reports.metrics.active_users import active_users
from reports.metrics.query_context import QueryContext
from reports.metrics.result_types import Actives, Adoption, Day, Ratio, Seats, Series
from reports.periods import Period
from reports.presence.activity_kinds import ACTIVITY_PRODUCTS


def seats(reading: QueryContext, window: Period) -> Series[Seats]:
    """Return assigned and purchased seats at the end of each day of the window, by the directory's history."""
    rows = _rows(reading, window)
    found = {day: Seats(assigned=assigned, purchased=purchased) for day, assigned, purchased, _ in rows}
    return Series(about=reading.about(window), days=reading.by_day(window, found, Seats(assigned=0, purchased=None)))


def pending_invites(reading: QueryContext, window: Period) -> Series[int]:
    """Return the invites sent and not closed by the end of each day of the window."""
    found = {day: int(pending) for day, _, _, pending in _rows(reading, window)}
    return Series(about=reading.about(window), days=reading.by_day(window, found, 0))


def utilization(reading: QueryContext, window: Period, products: Sequence[str] = ACTIVITY_PRODUCTS) -> Series[Adoption]:
    """Return active people as a share of the seats assigned at the day's end, for each day of the window.

    Utilization is the weekly share: WAU / seats.
    """
    active, held = active_users(reading, window, products), seats(reading, window)
    days = tuple(_adoption(of_day, seats_of_day) for of_day, seats_of_day in zip(active.days, held.days, strict=True))
    return Series(about=active.about, days=days)


def _rows(reading: QueryContext, window: Period) -> Sequence[Sequence[Any]]:
    """Return (day, seats assigned, seats purchased, invites pending) of the window's days; none if no day is known."""
    return reading.rows_of_days("seats", window) if reading.overlaps(window) else []


def _adoption(active: Day[Actives], held: Day[Seats]) -> Day[Adoption]:
    if active.value is None or held.value is None:
        return Day(day=active.day, value=None, complete=False)
    people, assigned = active.value, held.value.assigned
    value = Adoption(
        daily=Ratio(numerator=people.daily, denominator=assigned),
        weekly=Ratio(numerator=people.weekly, denominator=assigned),
        monthly=Ratio(numerator=people.monthly, denominator=assigned),
        purchased_seats=held.value.purchased,
    )
    return Day(day=active.day, value=value, complete=active.complete)
