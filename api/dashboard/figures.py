"""The parts of a page: tiles and figures. A figure's chart, table and CSV show the same rows."""

from collections.abc import Callable
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from api.dashboard.formatting import Kind, Value
from api.dashboard.page_request import PageRequest, Subject
from reports.metrics import Person, ResultMeta

Shape = Literal["lines", "bars", "ranks", "table"]

UNKNOWN_PERSON = "Unknown"


class Column(Struct, frozen=True, kw_only=True):
    """One column. `drawn`: the chart shows it. `key` is its name in the CSV, `title` its name on the page."""

    key: str
    title: str
    kind: Kind = "count"
    drawn: bool = False


class Row(Struct, frozen=True, kw_only=True):
    """One row. `links`: by column key, the address of the details behind a number.

    `complete` False: the row may still grow. `known` False: the tables do not reach it.
    """

    cells: tuple[Value, ...]
    links: dict[str, str] = {}
    complete: bool = True
    known: bool = True


class Choice(Struct, frozen=True, kw_only=True):
    """One way to show a figure: the parameter that it sets, a link, and whether it is the current one."""

    parameter: str
    label: str
    href: str
    chosen: bool


class Tile(Struct, frozen=True, kw_only=True):
    """One large number. `href` links to its details; `detail` names its scope, `note` its change."""

    label: str
    value: Value
    kind: Kind = "count"
    detail: str = ""
    note: str = ""
    href: str = ""


class Figure(Struct, frozen=True, kw_only=True):
    """A chart, its table and its CSV.

    `about`: the days that it covers and how far they are known. `metrics`: names of the catalogue's entries that define
    how it is counted. `tiles`: numbers for the same days. `failed`: the reason why there is nothing to show. `empty`:
    what having no rows means.
    """

    name: str
    title: str
    unit: str = ""
    shape: Shape = "table"
    about: ResultMeta | None = None
    columns: tuple[Column, ...] = ()
    rows: tuple[Row, ...] = ()
    tiles: tuple[Tile, ...] = ()
    choices: tuple[Choice, ...] = ()
    orders: tuple[Choice, ...] = ()
    more: tuple[Choice, ...] = ()
    notes: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    empty: str = "Nothing happened in this period."
    failed: str = ""
    csv: str = ""

    @property
    def places(self) -> tuple[tuple[int, Column], ...]:
        """The columns on the page with their positions; ids are for programs, and an e-mail is shown below its name."""
        return tuple((n, column) for n, column in enumerate(self.columns) if column.kind not in ("id", "email"))

    @property
    def email_place(self) -> int | None:
        """The position of the e-mail column, or None."""
        return next((n for n, column in enumerate(self.columns) if column.kind == "email"), None)

    @property
    def highest(self) -> float:
        """The largest number in a ranking's drawn column, which scales the ranking's bars."""
        drawn = [place for place, column in enumerate(self.columns) if column.drawn and self.shape == "ranks"]
        values = [row.cells[place] for row in self.rows for place in drawn]
        return max((float(value) for value in values if isinstance(value, int | float | Decimal)), default=0.0)

    @property
    def has_numbers(self) -> bool:
        """True if any row has a number other than 0."""
        places = [place for place, column in enumerate(self.columns) if column.kind in ("count", "percent", "usd")]
        return any(row.cells[place] for row in self.rows for place in places)


class BuiltFigure(Struct, frozen=True, kw_only=True):
    """The figure and tiles that one read of the tables gives for a page."""

    figure: Figure
    tiles: tuple[Tile, ...] = ()


class FigureBuilder(Struct, frozen=True, kw_only=True):
    """Builds one figure of a page, by name. A viewer without spend gets no figure that `exposes_spend`."""

    name: str
    title: str
    build: Callable[[PageRequest], BuiltFigure]
    exposes_spend: bool = False


class DashboardPage(Struct, frozen=True, kw_only=True):
    """One page. `periods`: its parameters, each with its choices, the first of which is the default.

    A page about one person or thing has a `parameter` that identifies it; `read_parameter` parses the parameter, and
    `subject` returns the name. All figures of such a page cover the same days, so the choice of days, `shared`, is
    shown once, above them.
    """

    name: str
    title: str
    lead: str
    periods: dict[str, tuple[str, ...]]
    makers: tuple[FigureBuilder, ...]
    exposes_spend: bool = False
    notes: Callable[[PageRequest], tuple[str, ...]] = lambda _: ()
    parameter: str = ""
    read_parameter: Callable[[str], str] = str
    subject: Callable[[PageRequest], Subject | None] = lambda _: None
    shared: str = ""


PERSON_COLUMNS = (
    Column(key="rank", title="Rank"),
    Column(key="name", title="Person", kind="text"),
    Column(key="email", title="E-mail", kind="email"),
    Column(key="account_uuid", title="Account", kind="id"),
)


def person_cells(person: Person) -> tuple[Value, ...]:
    """Return the cells of PERSON_COLUMNS after the rank."""
    return (person.name or UNKNOWN_PERSON, person.email or "", person.account_id)
