"""Claude Code: people, sessions, accepted lines, decisions, commits, pull requests, spend, and a ranking of people."""

from collections.abc import Callable
from typing import cast, get_args

from api.dashboard.components import RANKED_NAMES, choices, day_rows, leader_rows, more_links, range_of, ratio_text
from api.dashboard.figures import (
    PERSON_COLUMNS,
    BuiltFigure,
    Column,
    DashboardPage,
    Figure,
    FigureBuilder,
    Row,
    Shape,
    Tile,
)
from api.dashboard.formatting import Value, usd
from api.dashboard.page_request import PageRequest
from api.dashboard.pages.spend import NO_REPORT, SPEND_COLUMNS, spend_cells, unpriced_notes
from reports import metrics
from reports.metrics import ClaudeCode, RankedBy, Totals

PERIODS: dict[str, tuple[str, ...]] = {
    "days": ("1-month", "1-week", "3-months", "1-year"),
    "people": ("mtd", "1-week", "1-month", "3-months", "1-year"),
    "ranked": get_args(RankedBy),
}
DAY = Column(key="day", title="Day", kind="day")
NOTHING = "No one used Claude Code in this period."

Cells = Callable[[ClaudeCode], tuple[Value, ...]]


def by_day(
    name: str, title: str, unit: str, shape: Shape, columns: tuple[Column, ...], cells: Cells, *counted: str
) -> Callable[[PageRequest], BuiltFigure]:
    """Return a builder for a figure of some of Claude Code's counts by day; the first figure has the totals too."""

    def make(ask: PageRequest) -> BuiltFigure:
        found = metrics.claude_code(ask.reading, ask.window("days"))
        figure = Figure(
            name=name,
            title=title,
            unit=unit,
            shape=shape,
            about=found.about,
            columns=(DAY, *columns),
            rows=day_rows(found.days, cells, len(columns)),
            choices=choices(ask, "days", PERIODS["days"], name),
            metrics=counted,
            tiles=_tiles(ask, found) if name == "sessions" else (),
            empty=NOTHING,
        )
        return BuiltFigure(figure=figure)

    return make


def _tiles(ask: PageRequest, found: Totals[ClaudeCode]) -> tuple[Tile, ...]:
    total, days = found.total, range_of(found.about)
    if total is None:
        return tuple(Tile(label=label, value=None, detail=days) for label in ("People", "Sessions", "Lines accepted"))
    rate = total.decisions.accept_rate
    return (
        Tile(label="People", value=total.people, detail=days, href=ask.people("claude_code", ask.window("days"))),
        Tile(label="Sessions", value=total.sessions, detail=days, href="#sessions"),
        Tile(label="Lines accepted", value=total.lines_accepted, detail=days, href="#lines"),
        Tile(
            label="Accept rate",
            value=rate.percent,
            kind="percent",
            detail=ratio_text(rate, "suggestions"),
            href="#accept-rate",
        ),
        Tile(label="Commits", value=total.commits, detail=days, href="#shipped"),
        Tile(label="Pull requests", value=total.pull_requests, detail=days, href="#shipped"),
    )


def _decided(counts: ClaudeCode) -> tuple[Value, ...]:
    tools = (counts.edit, counts.multi_edit, counts.write, counts.notebook_edit)
    rate = counts.decisions.accept_rate
    return rate.percent, *(number for tool in tools for number in (tool.accepted, tool.rejected))


SESSIONS = by_day(
    "sessions",
    "Sessions and people",
    "sessions and distinct people per day",
    "lines",
    (Column(key="sessions", title="Sessions", drawn=True), Column(key="people", title="People", drawn=True)),
    lambda counts: (counts.sessions, counts.people),
    "Claude Code sessions",
    "Claude Code people",
)
LINES = by_day(
    "lines",
    "Lines accepted",
    "added lines that were accepted, per day",
    "bars",
    (Column(key="lines_accepted", title="Lines accepted", drawn=True), Column(key="lines_removed", title="Removed")),
    lambda counts: (counts.lines_accepted, counts.lines_removed),
    "lines accepted",
)
ACCEPT_RATE = by_day(
    "accept-rate",
    "Accept rate",
    "suggestions of the four editing tools that were accepted, in % of those decided",
    "lines",
    (
        Column(key="accept_rate_percent", title="Accept rate", kind="percent", drawn=True),
        Column(key="edit_accepted", title="Edit accepted"),
        Column(key="edit_rejected", title="Edit rejected"),
        Column(key="multi_edit_accepted", title="MultiEdit accepted"),
        Column(key="multi_edit_rejected", title="MultiEdit rejected"),
        Column(key="write_accepted", title="Write accepted"),
        Column(key="write_rejected", title="Write rejected"),
        Column(key="notebook_edit_accepted", title="NotebookEdit accepted"),
        Column(key="notebook_edit_rejected", title="NotebookEdit rejected"),
    ),
    _decided,
    "accept rate",
)
SHIPPED = by_day(
    "shipped",
    "Commits and pull requests",
    "made with Claude Code, per day",
    "lines",
    (
        Column(key="commits", title="Commits", drawn=True),
        Column(key="pull_requests", title="Pull requests", drawn=True),
    ),
    lambda counts: (counts.commits, counts.pull_requests),
    "commits, pull requests",
)


def spend(ask: PageRequest) -> BuiltFigure:
    """Return the figure of Claude Code's spend."""
    found = metrics.spend_in_products(ask.reading, ask.window("days"), ["claude_code"])
    spent = found.spend
    told = "" if spent is None else f"{usd(spent.priced_list_usd)} at list price"
    figure = Figure(
        name="spend",
        title="Spend in Claude Code",
        unit="USD; net is after your discount, gross is the list price",
        about=found.about,
        columns=(Column(key="days", title="Days (UTC)", kind="text"), *SPEND_COLUMNS),
        rows=(Row(cells=(range_of(found.about), *spend_cells(spent))),) if spent else (),
        choices=choices(ask, "days", PERIODS["days"], "spend"),
        notes=unpriced_notes([spent]),
        metrics=("spend in Claude Code",),
        tiles=(Tile(label="Net spend", value=spent.net_usd, kind="usd", detail=told),) if spent else (),
        empty=NO_REPORT,
    )
    return BuiltFigure(figure=figure)


def _ranked_cells(counts: ClaudeCode) -> tuple[Value, ...]:
    return tuple(getattr(counts, key) for key in RANKED_NAMES)


def people(ask: PageRequest) -> BuiltFigure:
    """Return the ranking of people in Claude Code by the chosen count."""
    ranked_by = cast(RankedBy, ask.chosen["ranked"])
    found = metrics.top_people_by_claude_code(ask.reading, ask.window("people"), ranked_by, ask.top())
    columns = tuple(Column(key=key, title=title, drawn=key == ranked_by) for key, title in RANKED_NAMES.items())
    figure = Figure(
        name="people",
        title="Top people in Claude Code",
        unit=f"ranked by {RANKED_NAMES[ranked_by].lower()}",
        shape="ranks",
        about=found.about,
        columns=(*PERSON_COLUMNS, *columns),
        rows=leader_rows(ask, "people", found.leaders, _ranked_cells),
        choices=choices(ask, "people", PERIODS["people"], "people"),
        orders=choices(ask, "ranked", PERIODS["ranked"], "people"),
        more=more_links(ask, found.ranked, "people"),
        metrics=("top people in Claude Code",),
        empty=NOTHING,
    )
    return BuiltFigure(figure=figure)


CLAUDE_CODE = DashboardPage(
    name="claude-code",
    title="Claude Code",
    lead="Who codes with Claude, how many of its suggestions are accepted, and what is shipped.",
    periods=PERIODS,
    makers=(
        FigureBuilder(name="sessions", title="Sessions and people", build=SESSIONS),
        FigureBuilder(name="lines", title="Lines accepted", build=LINES),
        FigureBuilder(name="accept-rate", title="Accept rate", build=ACCEPT_RATE),
        FigureBuilder(name="shipped", title="Commits and pull requests", build=SHIPPED),
        FigureBuilder(name="spend", title="Spend in Claude Code", build=spend, exposes_spend=True),
        FigureBuilder(name="people", title="Top people in Claude Code", build=people),
    ),
)
