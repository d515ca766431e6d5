"""Spend: totals, by model, and the people who spend most. For a viewer without spend, this page does not exist."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from api.dashboard.components import choices, leader_rows, more_links, range_of
from api.dashboard.figures import PERSON_COLUMNS, BuiltFigure, Column, DashboardPage, Figure, FigureBuilder, Row, Tile
from api.dashboard.formatting import Value, usd
from api.dashboard.page_request import PageRequest
from pricing.terms import Terms, read_terms
from queries.errors import NoCompleteDay
from reports import metrics
from reports.metrics import ModelSpend, Spend, SpendTotal
from reports.periods import DAY, TITLES, WindowKind, midnight

TOTALS: tuple[WindowKind, ...] = ("mtd", "qtd", "ytd")
Totals = dict[WindowKind, SpendTotal]
PERIODS: dict[str, tuple[str, ...]] = {"models": ("1-month", "3-months", "1-year", *TOTALS), "people": TOTALS}

SPEND_COLUMNS = (
    Column(key="net_spend_usd", title="Net spend", kind="usd", drawn=True),
    Column(key="gross_spend_usd", title="Gross spend", kind="usd"),
    Column(key="requests", title="Requests"),
    Column(key="prompt_tokens", title="Prompt tokens"),
    Column(key="completion_tokens", title="Completion tokens"),
)

NO_REPORT = (
    "There is no spend to show, which is not the same as 0: in the whole period the plan was seat-based with extra "
    "usage off, and usage within the seats is paid with the seats."
)
EXTRA_OFF = (
    "Your plan is seat-based and extra usage is off, so there is no spend: usage within the seats is paid with the "
    "seats. Spend appears here for the time in which extra usage is enabled (Organization settings, Usage), or on a "
    "usage-based plan."
)
ONLY_EXTRA = (
    "Your plan is seat-based: only extra usage is spend. Usage within the seats is paid with the seats and is not in "
    "these amounts."
)
CODE_EXECUTION = "Code execution"


def totals(ask: PageRequest) -> BuiltFigure:
    """Return the totals of month, quarter and year to date; one that has no complete day yet shows the reason."""
    found: Totals = {}
    early: dict[WindowKind, NoCompleteDay] = {}
    for kind in TOTALS:
        try:
            found[kind] = metrics.spend(ask.reading, ask.days(kind))
        except NoCompleteDay as why:
            early[kind] = why
    if not found:
        raise next(iter(early.values()))
    *_, longest = found.values()
    figure = Figure(
        name="totals",
        title="Total spend",
        unit="USD; net is after your discount, gross is the list price",
        about=next(iter(found.values())).about,
        columns=(
            *(Column(key="period", title="Period", kind="text"), Column(key="days", title="Days (UTC)", kind="text")),
            *SPEND_COLUMNS,
        ),
        rows=(*_early_rows(early), *_total_rows(found)),
        metrics=("spend",),
        notes=unpriced_notes([longest.spend]),
        empty=_empty(all(of.reported for of in found.values())),
    )
    tiles = [Tile(label=TITLES[kind], value=None, kind="usd", detail=why.why) for kind, why in early.items()]
    return BuiltFigure(figure=figure, tiles=(*tiles, *_total_tiles(ask, found)))


def _early_rows(early: Mapping[WindowKind, NoCompleteDay]) -> Iterator[Row]:
    for kind, why in early.items():
        yield Row(cells=(TITLES[kind], why.why, *spend_cells(None)), known=False)


def _total_rows(found: Totals) -> Iterator[Row]:
    for kind, of in found.items():
        if of.spend:
            cells = (TITLES[kind], range_of(of.about), *spend_cells(of.spend))
            yield Row(cells=cells, complete=of.about.complete)


def _total_tiles(ask: PageRequest, found: Totals) -> Iterator[Tile]:
    for kind, of in found.items():
        yield Tile(
            label=TITLES[kind],
            value=of.spend.net_usd if of.spend else None,
            kind="usd",
            detail=range_of(of.about),
            note=_before_discount(of),
            href=ask.link(anchor="models", models=kind, people=kind) if of.spend else "",
        )


def _before_discount(of: SpendTotal) -> str:
    spend = of.spend
    if spend is None:
        return "" if of.reported else "no extra usage, so no spend"
    if spend.net_usd is None:
        return f"{usd(spend.priced_net_usd)} has a price; the rest is unpriced"
    return f"{usd(spend.priced_list_usd)} at list price"


def by_model(ask: PageRequest) -> BuiltFigure:
    """Return the figure of spend on each model."""
    found = metrics.spend_by_model(ask.reading, ask.window("models"))
    models = found.models or ()
    figure = Figure(
        name="models",
        title="Spend by model",
        unit="USD; the rows add up to the total of the period",
        shape="ranks",
        about=found.about,
        columns=(
            Column(key="model", title="Model", kind="text"),
            Column(key="model_family", title="Family", kind="text"),
            *SPEND_COLUMNS,
        ),
        rows=tuple(Row(cells=(*_model(of), *spend_cells(of.spend))) for of in models),
        choices=choices(ask, "models", PERIODS["models"], "models"),
        metrics=("spend by model",),
        notes=unpriced_notes(of.spend for of in models),
        empty=_empty(found.reported),
    )
    return BuiltFigure(figure=figure)


def _model(of: ModelSpend) -> tuple[Value, Value]:
    return of.model or CODE_EXECUTION, of.family or ""


def by_person(ask: PageRequest) -> BuiltFigure:
    """Return the ranking of people by spend."""
    found = metrics.top_people_by_spend(ask.reading, ask.window("people"), ask.top())
    figure = Figure(
        name="people",
        title="Top people by spend",
        unit="USD; usage by machines (API keys, service accounts) belongs to no person, so this may add up to less",
        shape="ranks",
        about=found.about,
        columns=(*PERSON_COLUMNS, *SPEND_COLUMNS),
        rows=leader_rows(ask, "people", found.leaders, spend_cells),
        choices=choices(ask, "people", PERIODS["people"], "people"),
        more=more_links(ask, found.ranked, "people"),
        metrics=("top people by spend",),
        notes=unpriced_notes(of.value for of in found.leaders),
        empty=_empty(found.reported),
    )
    return BuiltFigure(figure=figure)


def spend_cells(spend: Spend | None) -> tuple[Value, ...]:
    """Return the cells of SPEND_COLUMNS. An amount is None if a part of it has no price."""
    if spend is None:
        return (None,) * len(SPEND_COLUMNS)
    return spend.net_usd, spend.list_usd, spend.requests, spend.prompt_tokens, spend.completion_tokens


def unpriced_notes(spends: Iterable[Spend | None]) -> tuple[str, ...]:
    """Return a note with the models that have no price, if there are any."""
    models = sorted({model or CODE_EXECUTION for spend in spends if spend for model in spend.unpriced_models})
    if not models:
        return ()
    return (f"No price is known for {', '.join(models)}, so amounts that include its usage are not known (–).",)


def _empty(reported: bool) -> str:
    return "Nothing was spent in this period." if reported else NO_REPORT


def plan_notes(ask: PageRequest) -> tuple[str, ...]:
    """Return notes on how the organization's plan affects its spend on the last day shown."""
    terms = _in_force(read_terms(ask.reading.client, ask.viewer.organization_id), midnight(ask.last + DAY))
    if terms is None or not terms.seat_based:
        return ()
    return (ONLY_EXTRA if terms.extra_usage else EXTRA_OFF,)


def _in_force(history: list[Terms], before: datetime) -> Terms | None:
    past = [terms for terms in history if terms.in_force_from < before]
    return past[-1] if past else None


SPENDING = DashboardPage(
    name="spend",
    title="Spend",
    lead="What usage costs. The CSV of each figure has the exact amounts.",
    periods=PERIODS,
    makers=(
        FigureBuilder(name="totals", title="Total spend", build=totals, exposes_spend=True),
        FigureBuilder(name="models", title="Spend by model", build=by_model, exposes_spend=True),
        FigureBuilder(name="people", title="Top people by spend", build=by_person, exposes_spend=True),
    ),
    exposes_spend=True,
    notes=plan_notes,
)
