"""One person: activity and usage for the days of the number that linked here, and spend for owners."""

from collections.abc import Sequence

from api.auth.guards import NO_PAGE
from api.dashboard.components import day_rows, total_tiles
from api.dashboard.figures import UNKNOWN_PERSON, BuiltFigure, Column, DashboardPage, Figure, FigureBuilder, Row, Tile
from api.dashboard.formatting import EVERY_PERIOD, Value, usd
from api.dashboard.page_request import PageRequest, Subject
from api.dashboard.pages.spend import CODE_EXECUTION, NO_REPORT, SPEND_COLUMNS, spend_cells, unpriced_notes
from api.errors import NotFound, invalid_parameter
from reports import metrics
from reports.metrics import NamedValue, PersonActivity, PersonSpend, PersonUsage, Spend
from reports.product_labels import PRODUCT_LABELS
from tally_client.validity import bare

NO_PRODUCT = "No product"

DAY = Column(key="day", title="Day", kind="day")
PRODUCT = Column(key="product", title="Product", kind="text")
MODEL = Column(key="model", title="Model", kind="text")
DID_COLUMNS = (
    Column(key="messages", title="Messages", drawn=True),
    Column(key="chats", title="Chats"),
    Column(key="sessions", title="Sessions", drawn=True),
    Column(key="lines_accepted", title="Lines accepted"),
    Column(key="commits", title="Commits"),
    Column(key="pull_requests", title="Pull requests"),
    Column(key="projects", title="Projects used"),
    Column(key="artifacts", title="Artifacts made"),
    Column(key="connector_calls", title="Connector calls"),
)
USED_COLUMNS = (
    Column(key="requests", title="Requests", drawn=True),
    Column(key="prompt_tokens", title="Prompt tokens"),
    Column(key="completion_tokens", title="Completion tokens"),
)
NOTHING = "This person was not active in this period."


def read_account(text: str) -> str:
    """Return the requested account. Raises BadRequest."""
    try:
        return bare(text)
    except ValueError:
        raise invalid_parameter("account", text, "the UUID of an account") from None


def person_subject(ask: PageRequest) -> Subject:
    """Return the person's name and e-mail. Raises NotFound for an account outside the organization."""
    found = metrics.person_of(ask.reading, ask.window("days"), ask.asked_of)
    if found is None:
        raise NotFound(NO_PAGE)
    return Subject(name=found.name or UNKNOWN_PERSON, detail=found.email or "")


def did_cells(did: PersonActivity) -> tuple[Value, ...]:
    """Return the cells of DID_COLUMNS."""
    return tuple(getattr(did, column.key) for column in DID_COLUMNS)


def used_cells(used: PersonUsage) -> tuple[Value, ...]:
    """Return the cells of USED_COLUMNS."""
    return used.requests, used.prompt_tokens, used.completion_tokens


def product_name(product: str) -> str:
    """Return a product's name."""
    return PRODUCT_LABELS.get(product, product) or NO_PRODUCT


def by_day(ask: PageRequest) -> BuiltFigure:
    """Return the figure of the person's activity on each day, and in total."""
    found = metrics.person_activity(ask.reading, ask.window("days"), ask.asked_of)
    figure = Figure(
        name="days",
        title="By day",
        unit="messages in chats and sessions, and distinct sessions, per day",
        shape="lines",
        about=found.about,
        columns=(DAY, *DID_COLUMNS),
        rows=day_rows(found.days, did_cells, len(DID_COLUMNS)),
        metrics=("a person's activity",),
        tiles=total_tiles(DID_COLUMNS, found, "#products"),
        empty=NOTHING,
    )
    return BuiltFigure(figure=figure)


def by_product(ask: PageRequest) -> BuiltFigure:
    """Return the figure of the person's activity in each product."""
    found = metrics.person_activity(ask.reading, ask.window("days"), ask.asked_of)
    figure = Figure(
        name="products",
        title="By product",
        unit="distinct chats, sessions, projects and artifacts; activity without a product counts as chat",
        about=found.about,
        columns=(PRODUCT, *DID_COLUMNS),
        rows=tuple(Row(cells=(product_name(of.name), *did_cells(of.value))) for of in found.products),
        metrics=("a person's activity",),
        empty=NOTHING,
    )
    return BuiltFigure(figure=figure)


def by_model(ask: PageRequest) -> BuiltFigure:
    """Return the figure of the person's usage of each model."""
    found = metrics.person_usage(ask.reading, ask.window("days"), ask.asked_of)
    figure = Figure(
        name="models",
        title="Requests by model",
        unit="requests and their tokens, within a seat or beyond it",
        shape="ranks",
        about=found.about,
        columns=(MODEL, *USED_COLUMNS),
        rows=tuple(Row(cells=(of.name, *used_cells(of.value))) for of in found.models),
        metrics=("a person's usage",),
        empty="This person sent no requests in this period.",
    )
    return BuiltFigure(figure=figure)


def spend_by_day(ask: PageRequest) -> BuiltFigure:
    """Return the figure of the person's spend on each day, and in total."""
    found = _spend(ask)
    spend = found.spend
    total = spend.total if spend else None
    told = "" if total is None else f"{usd(total.priced_list_usd)} at list price"
    net = total.net_usd if total else None
    figure = Figure(
        name="spend",
        title="Spend by day",
        unit="USD; net is after your discount, gross is the list price",
        shape="bars",
        about=found.about,
        columns=(DAY, *SPEND_COLUMNS),
        rows=day_rows(spend.days, spend_cells, len(SPEND_COLUMNS)) if spend else (),
        notes=unpriced_notes([total]),
        metrics=("a person's spend",),
        tiles=(Tile(label="Net spend", value=net, kind="usd", detail=told, href="#spend-models"),) if spend else (),
        empty=_empty(found),
    )
    return BuiltFigure(figure=figure)


def spend_by_product(ask: PageRequest) -> BuiltFigure:
    """Return the figure of the person's spend in each product."""
    found = _spend(ask)
    products = found.spend.products if found.spend else ()
    rows = tuple(Row(cells=(product_name(of.name), *spend_cells(of.value))) for of in products)
    return _spend_ranks(found, "spend-products", "Spend by product", PRODUCT, rows, products)


def spend_by_model(ask: PageRequest) -> BuiltFigure:
    """Return the figure of the person's spend on each model."""
    found = _spend(ask)
    models = found.spend.models if found.spend else ()
    rows = tuple(Row(cells=(of.name or CODE_EXECUTION, *spend_cells(of.value))) for of in models)
    return _spend_ranks(found, "spend-models", "Spend by model", MODEL, rows, models)


def _spend_ranks(
    found: PersonSpend,
    name: str,
    title: str,
    first: Column,
    rows: tuple[Row, ...],
    parts: Sequence[NamedValue[Spend]],
) -> BuiltFigure:
    figure = Figure(
        name=name,
        title=title,
        unit="USD; the rows add up to the person's spend",
        shape="ranks",
        about=found.about,
        columns=(first, *SPEND_COLUMNS),
        rows=rows,
        notes=unpriced_notes(of.value for of in parts),
        metrics=("a person's spend",),
        empty=_empty(found),
    )
    return BuiltFigure(figure=figure)


def _spend(ask: PageRequest) -> PersonSpend:
    return metrics.person_spend(ask.reading, ask.window("days"), ask.asked_of)


def _empty(found: PersonSpend) -> str:
    return "This person spent nothing in this period." if found.reported else NO_REPORT


PERSON = DashboardPage(
    name="person",
    title="Person",
    lead="",
    periods={"days": EVERY_PERIOD},
    shared="days",
    parameter="account",
    read_parameter=read_account,
    subject=person_subject,
    makers=(
        FigureBuilder(name="days", title="By day", build=by_day),
        FigureBuilder(name="products", title="By product", build=by_product),
        FigureBuilder(name="models", title="Requests by model", build=by_model),
        FigureBuilder(name="spend", title="Spend by day", build=spend_by_day, exposes_spend=True),
        FigureBuilder(name="spend-products", title="Spend by product", build=spend_by_product, exposes_spend=True),
        FigureBuilder(name="spend-models", title="Spend by model", build=spend_by_model, exposes_spend=True),
    ),
)
