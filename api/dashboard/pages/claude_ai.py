"""Claude.ai: chats, projects and artifacts, by day and in total, and who makes any or most of them."""

from collections.abc import Callable

from msgspec import Struct

from api.dashboard.components import choices, day_rows, leader_rows, more_links, range_of, ratio_text
from api.dashboard.figures import PERSON_COLUMNS, BuiltFigure, Column, DashboardPage, Figure, FigureBuilder, Row, Tile
from api.dashboard.page_request import PageRequest
from reports import metrics
from reports.metrics import Leaders, QueryContext, Share, Totals
from reports.periods import TITLES, Period

PICKED = ("1-week", "1-month", "3-months", "1-year")
TO_DATE = ("mtd", "qtd", "ytd", "1-year")
PERIODS: dict[str, tuple[str, ...]] = {
    "days": ("1-month", "1-week", "3-months", "1-year"),
    "projects": TO_DATE,
    "artifacts": TO_DATE,
}


class Kind(Struct, frozen=True, kw_only=True):
    """One kind of thing that people make; `made` is the metric of their number, `having` of the people with any."""

    thing: metrics.Thing
    title: str
    made: str
    having: str
    count: Callable[[QueryContext, Period], Totals[int]]

    @property
    def plural(self) -> str:
        """The kind's name in the plural."""
        return f"{self.thing}s"


CHATS = Kind(thing="chat", title="Chats per day", made="chats started", having="people with a chat",
             count=metrics.chats_started)  # fmt: skip
PROJECTS = Kind(thing="project", title="Projects created per day", made="projects created",
                having="people with a project", count=metrics.projects_created)  # fmt: skip
ARTIFACTS = Kind(thing="artifact", title="Artifacts created per day", made="artifacts created",
                 having="people with an artifact", count=metrics.artifacts_created)  # fmt: skip


KINDS = (CHATS, PROJECTS, ARTIFACTS)


def by_day(kind: Kind) -> Callable[[PageRequest], BuiltFigure]:
    """Return a builder for the number made per day and in total, and the share of people with any."""

    def make(ask: PageRequest) -> BuiltFigure:
        found = kind.count(ask.reading, ask.window("days"))
        share = metrics.people_with(ask.reading, kind.thing, ask.window("days"))
        figure = Figure(
            name=kind.plural,
            title=kind.title,
            unit=f"{kind.plural} per day",
            shape="bars",
            about=found.about,
            columns=(
                Column(key="day", title="Day", kind="day"),
                Column(key=kind.plural, title=kind.plural.title(), drawn=True),
            ),
            rows=day_rows(found.days, lambda count: (count,), 1),
            choices=choices(ask, "days", PERIODS["days"], kind.plural),
            metrics=(kind.made, kind.having),
            tiles=(_total_tile(kind, found), *_share_tiles(ask, kind, share)),
            empty=f"No {kind.plural} in this period.",
        )
        return BuiltFigure(figure=figure)

    return make


def _total_tile(kind: Kind, found: Totals[int]) -> Tile:
    return Tile(label=f"{kind.plural.title()} in this period", value=found.total, detail="distinct over all days")


def _share_tiles(ask: PageRequest, kind: Kind, share: Share) -> tuple[Tile, Tile]:
    people = ask.people(kind.thing, ask.window("days")) if share.of_seats.numerator is not None else ""
    return (
        Tile(
            label=kind.having.capitalize(),
            value=share.of_seats.percent,
            kind="percent",
            detail=ratio_text(share.of_seats, "seats"),
            href=people,
        ),
        Tile(
            label=f"{kind.having.capitalize()}, of those active",
            value=share.of_active.percent,
            kind="percent",
            detail=ratio_text(share.of_active, "active people"),
            href=people,
        ),
    )


def totals(ask: PageRequest) -> BuiltFigure:
    """Return the number made in each of the usual periods; chats, shown first, as tiles too."""
    found = [(kind, [of.count(ask.reading, ask.days(kind)) for of in KINDS]) for kind in PICKED]
    figure = Figure(
        name="totals",
        title="Totals",
        unit="distinct things over the whole period: a thing that was active on two days counts once",
        about=found[0][1][0].about,
        columns=(
            Column(key="period", title="Period", kind="text"),
            Column(key="days", title="Days (UTC)", kind="text"),
            Column(key="chats", title="Chats"),
            Column(key="projects_created", title="Projects created"),
            Column(key="artifacts_created", title="Artifacts created"),
        ),
        rows=tuple(
            Row(cells=(TITLES[kind], range_of(made[0].about), *(each.total for each in made))) for kind, made in found
        ),
        metrics=("chats", "projects created", "artifacts created"),
    )
    tiles = tuple(
        Tile(
            label=f"Chats, {TITLES[kind]}",
            value=made[0].total,
            detail=range_of(made[0].about),
            href=ask.link(anchor="chats", days=kind),
        )
        for kind, made in found
    )
    return BuiltFigure(figure=figure, tiles=tiles)


def top(
    name: str, title: str, unit: str, metric: str, read: Callable[[QueryContext, Period, int], Leaders[int]]
) -> Callable[[PageRequest], BuiltFigure]:
    """Return a builder for a ranking of people."""

    def make(ask: PageRequest) -> BuiltFigure:
        parameter = name.removeprefix("top-")
        found = read(ask.reading, ask.window(parameter), ask.top())
        figure = Figure(
            name=name,
            title=title,
            unit=unit,
            shape="ranks",
            about=found.about,
            columns=(*PERSON_COLUMNS, Column(key=parameter, title=parameter.title(), drawn=True)),
            rows=leader_rows(ask, parameter, found.leaders, lambda count: (count,)),
            choices=choices(ask, parameter, PERIODS[parameter], name),
            more=more_links(ask, found.ranked, name),
            metrics=(metric,),
            empty=f"No one has {parameter} in this period.",
        )
        return BuiltFigure(figure=figure)

    return make


TOP_PROJECTS = top(
    "top-projects",
    "Top people by projects used",
    "distinct projects that the person worked in",
    "top people by projects used",
    metrics.top_people_by_projects_used,
)
TOP_ARTIFACTS = top(
    "top-artifacts",
    "Top people by artifacts made",
    "distinct artifacts that the person made",
    "top people by artifacts made",
    metrics.top_people_by_artifacts_made,
)

CLAUDE_AI = DashboardPage(
    name="claude-ai",
    title="Claude.ai",
    lead="Chats, projects and artifacts: how many there are, who has any, and who has most.",
    periods=PERIODS,
    makers=(
        FigureBuilder(name="totals", title="Totals", build=totals),
        FigureBuilder(name="chats", title=CHATS.title, build=by_day(CHATS)),
        FigureBuilder(name="projects", title=PROJECTS.title, build=by_day(PROJECTS)),
        FigureBuilder(name="top-projects", title="Top people by projects used", build=TOP_PROJECTS),
        FigureBuilder(name="artifacts", title=ARTIFACTS.title, build=by_day(ARTIFACTS)),
        FigureBuilder(name="top-artifacts", title="Top people by artifacts made", build=TOP_ARTIFACTS),
    ),
)
