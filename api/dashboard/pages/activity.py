"""All activity: active people, seat utilization, pending invites, and connectors in use."""

from datetime import date

from api.dashboard.components import change_text, choices, day_rows, more_links, trailing
from api.dashboard.figures import BuiltFigure, Column, DashboardPage, Figure, FigureBuilder, Row, Tile
from api.dashboard.formatting import day, days
from api.dashboard.page_request import PageRequest
from reports import metrics
from reports.metric_windows import ACTIVE_DAYS, WEEK_DAYS
from reports.metrics import Actives, Adoption, Seats, Series
from reports.periods import DAY

PERIODS = {"days": ("1-month", "3-months", "1-year"), "connectors": ("1-month", "1-week", "3-months", "1-year")}


def active_users(ask: PageRequest) -> BuiltFigure:
    """Return the figure of DAU, WAU and MAU by day."""
    series = metrics.active_users(ask.reading, ask.window("days"))
    figure = Figure(
        name="active-users",
        title="Active people",
        unit="distinct people active on the day, and in the 7 and 30 days that end with it",
        shape="lines",
        about=series.about,
        columns=(
            Column(key="day", title="Day", kind="day"),
            Column(key="daily_active_users", title="Daily", drawn=True),
            Column(key="weekly_active_users", title="Weekly", drawn=True),
            Column(key="monthly_active_users", title="Monthly", drawn=True),
        ),
        rows=day_rows(series.days, lambda of: (of.daily, of.weekly, of.monthly), 3, lambda of: _people(ask, of)),
        choices=choices(ask, "days", PERIODS["days"], "active-users"),
        metrics=("daily active users", "weekly active users", "monthly active users"),
    )
    return BuiltFigure(figure=figure, tiles=_active_tiles(ask, series))


def _people(ask: PageRequest, last: date) -> dict[str, str]:
    return {f"{name}_active_users": ask.people("active", trailing(last, width)) for name, width in ACTIVE_DAYS.items()}


def _active_tiles(ask: PageRequest, series: Series[Actives]) -> tuple[Tile, ...]:
    now, before = series.days[-1].value, series.days[-1 - WEEK_DAYS].value
    since = ask.last - WEEK_DAYS * DAY

    def tile(label: str, name: str) -> Tile:
        value = getattr(now, name, None)
        window = trailing(ask.last, ACTIVE_DAYS[name])
        return Tile(
            label=label,
            value=value,
            detail=days(window.first, window.last),
            note=change_text(value, getattr(before, name, None), since),
            href=ask.people("active", window) if value is not None else "",
        )

    return (
        tile("Weekly active people", "weekly"),
        tile("Daily active people", "daily"),
        tile("Monthly active people", "monthly"),
    )


def utilization(ask: PageRequest) -> BuiltFigure:
    """Return the figure of WAU as a share of seats, by day."""
    series = metrics.utilization(ask.reading, ask.window("days"))
    figure = Figure(
        name="utilization",
        title="Utilization",
        unit="weekly active people in % of the seats assigned at the end of the day",
        shape="lines",
        about=series.about,
        columns=(
            Column(key="day", title="Day", kind="day"),
            Column(key="utilization_percent", title="Utilization", kind="percent", drawn=True),
            Column(key="weekly_active_users", title="Weekly active"),
            Column(key="assigned_seats", title="Assigned seats"),
        ),
        rows=day_rows(series.days, _used, 3, lambda of: _people(ask, of)),
        choices=choices(ask, "days", PERIODS["days"], "utilization"),
        metrics=("utilization",),
    )
    return BuiltFigure(figure=figure, tiles=(_utilization_tile(series),))


def _used(of: Adoption) -> tuple[float | None, int | None, int | None]:
    return of.weekly.percent, of.weekly.numerator, of.weekly.denominator


def _utilization_tile(series: Series[Adoption]) -> Tile:
    used = series.days[-1].value
    told = f"{used.weekly.numerator:,} of {used.weekly.denominator:,} seats" if used else ""
    if used and not used.weekly.denominator:
        told = "no seats are assigned"
    return Tile(
        label="Utilization",
        value=used.weekly.percent if used else None,
        kind="percent",
        detail=told,
        note="weekly active of assigned seats",
        href="#utilization",
    )


def seats(ask: PageRequest) -> BuiltFigure:
    """Return the figure of seats and pending invites at the end of each day."""
    held = metrics.seats(ask.reading, ask.window("days"))
    waiting = metrics.pending_invites(ask.reading, ask.window("days"))
    rows = tuple(
        Row(cells=(*_seat_cells(of.day, of.value), pending.value), complete=of.complete, known=of.value is not None)
        for of, pending in zip(held.days, waiting.days, strict=True)
    )
    figure = Figure(
        name="seats",
        title="Seats and invites",
        unit="seats and pending invites at the end of the day",
        shape="lines",
        about=held.about,
        columns=(
            Column(key="day", title="Day", kind="day"),
            Column(key="assigned_seats", title="Assigned", drawn=True),
            Column(key="purchased_seats", title="Purchased", drawn=True),
            Column(key="pending_invites", title="Pending invites", drawn=True),
        ),
        rows=rows,
        choices=choices(ask, "days", PERIODS["days"], "seats"),
        metrics=("seats", "pending invites"),
    )
    return BuiltFigure(figure=figure, tiles=_seat_tiles(held.days[-1].value, waiting.days[-1].value, ask.last))


def _seat_cells(of: date, held: Seats | None) -> tuple[date, int | None, int | None]:
    return of, held.assigned if held else None, held.purchased if held else None


def _seat_tiles(held: Seats | None, pending: int | None, last: date) -> tuple[Tile, ...]:
    bought = "" if held is None or held.purchased is None else f"of {held.purchased:,} purchased"
    at_end = f"at the end of {day(last)}"
    return (
        Tile(label="Assigned seats", value=held.assigned if held else None, detail=bought, note=at_end, href="#seats"),
        Tile(label="Pending invites", value=pending, detail=at_end, href="#seats"),
    )


def connectors(ask: PageRequest) -> BuiltFigure:
    """Return the ranking of connectors by the number of people who called them."""
    found = metrics.top_connectors(ask.reading, ask.window("connectors"), ask.top())
    rows = tuple(
        Row(
            cells=(
                *(of.rank, of.display_name or of.name, of.name, of.people, of.calls),
                *(of.read_calls, of.write_calls, of.unclassified_calls),
            ),
            links={
                "connector": ask.connector(of.name, ask.chosen["connectors"]),
                "people": ask.people("connector", ask.window("connectors"), connector=of.name),
            },
        )
        for of in found.connectors
    )
    figure = Figure(
        name="connectors",
        title="Top connectors",
        unit="distinct people who called it; calls are anyone's, and the three kinds add up to them",
        shape="ranks",
        about=found.about,
        columns=(
            Column(key="rank", title="Rank"),
            Column(key="connector", title="Connector", kind="text"),
            Column(key="connector_name", title="Key", kind="id"),
            Column(key="people", title="People", drawn=True),
            Column(key="calls", title="Calls"),
            Column(key="read_calls", title="Reads"),
            Column(key="write_calls", title="Writes"),
            Column(key="unclassified_calls", title="Unclassified"),
        ),
        rows=rows,
        choices=choices(ask, "connectors", PERIODS["connectors"], "connectors"),
        more=more_links(ask, found.ranked, "connectors"),
        metrics=("top connectors",),
        empty="No one called a connector in this period.",
    )
    return BuiltFigure(figure=figure)


ACTIVITY = DashboardPage(
    name="activity",
    title="All activity",
    lead="Who is active, how many of the seats are used, and which connectors people use.",
    periods=PERIODS,
    makers=(
        FigureBuilder(name="active-users", title="Active people", build=active_users),
        FigureBuilder(name="utilization", title="Utilization", build=utilization),
        FigureBuilder(name="seats", title="Seats and invites", build=seats),
        FigureBuilder(name="connectors", title="Top connectors", build=connectors),
    ),
)
