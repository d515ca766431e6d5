"""One connector: its callers and calls, by day and by product, for the days of the number that linked here."""

from api.dashboard.components import day_rows, total_tiles
from api.dashboard.figures import BuiltFigure, Column, DashboardPage, Figure, FigureBuilder, Row
from api.dashboard.formatting import EVERY_PERIOD, Value
from api.dashboard.page_request import PageRequest, Subject
from api.dashboard.pages.person import product_name
from api.errors import invalid_parameter
from reports import metrics
from reports.connector_names import connector_names
from reports.metric_windows import days_between
from reports.metrics import ConnectorCalls, QueryContext
from reports.periods import Period

LONGEST = 512
CALL_COLUMNS = (
    Column(key="people", title="People", drawn=True),
    Column(key="calls", title="Calls", drawn=True),
    Column(key="read_calls", title="Reads"),
    Column(key="write_calls", title="Writes"),
    Column(key="unclassified_calls", title="Unclassified"),
)
NOTHING = "No one called this connector in this period."


def read_connector(text: str) -> str:
    """Return the requested connector's key. Raises BadRequest."""
    if not 0 < len(text) <= LONGEST:
        raise invalid_parameter("connector", text[:100], f"the key of a connector, 1 to {LONGEST} characters")
    return text


def connector_subject(ask: PageRequest) -> Subject:
    """Return the connector's name and key."""
    name = connector_name(ask.reading, ask.asked_of)
    return Subject(name=name, detail="" if name == ask.asked_of else ask.asked_of)


def connector_name(reading: QueryContext, key: str) -> str:
    """Return the connector's current name in the directory, or its key."""
    return connector_names(reading.client, reading.organization_id).get(key) or key


def call_cells(calls: ConnectorCalls) -> tuple[Value, ...]:
    """Return the cells of CALL_COLUMNS."""
    return tuple(getattr(calls, column.key) for column in CALL_COLUMNS)


def callers(ask: PageRequest, days: Period) -> str:
    """Return the address of the list of people who called the connector."""
    return ask.people("connector", days, connector=ask.asked_of)


def by_day(ask: PageRequest) -> BuiltFigure:
    """Return the figure of the connector's people and calls on each day, and in total."""
    found = metrics.connector_use(ask.reading, ask.window("days"), ask.asked_of)
    figure = Figure(
        name="days",
        title="By day",
        unit="distinct people who called it, and all calls, per day",
        shape="lines",
        about=found.about,
        columns=(Column(key="day", title="Day", kind="day"), *CALL_COLUMNS),
        rows=day_rows(
            found.days, call_cells, len(CALL_COLUMNS), lambda of: {"people": callers(ask, days_between(of, of))}
        ),
        metrics=("a connector's use",),
        tiles=(
            *total_tiles(CALL_COLUMNS[:1], found, callers(ask, ask.window("days"))),
            *total_tiles(CALL_COLUMNS[1:], found, "#products"),
        ),
        empty=NOTHING,
    )
    return BuiltFigure(figure=figure)


def by_product(ask: PageRequest) -> BuiltFigure:
    """Return the figure of the connector's people and calls in each product."""
    found = metrics.connector_use(ask.reading, ask.window("days"), ask.asked_of)
    figure = Figure(
        name="products",
        title="By product",
        unit="distinct people, who may be in several rows; calls add up to the total",
        about=found.about,
        columns=(Column(key="product", title="Product", kind="text"), *CALL_COLUMNS),
        rows=tuple(Row(cells=(product_name(of.name), *call_cells(of.value))) for of in found.products),
        metrics=("a connector's use",),
        empty=NOTHING,
    )
    return BuiltFigure(figure=figure)


CONNECTOR = DashboardPage(
    name="connector",
    title="Connector",
    lead="",
    periods={"days": EVERY_PERIOD},
    shared="days",
    parameter="connector",
    read_parameter=read_connector,
    subject=connector_subject,
    makers=(
        FigureBuilder(name="days", title="By day", build=by_day),
        FigureBuilder(name="products", title="By product", build=by_product),
    ),
)
