"""The dashboard's routes. An address contains organization, page and choices, so a shared link shows the same page."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import anyio
from litestar import Request, Response, Router, get
from litestar.exceptions import HTTPException
from litestar.params import FromPath
from litestar.response import Redirect

from api.audit import EXPOSES_SPEND, set_row_count
from api.auth.authenticate import authenticate
from api.auth.guards import NO_PAGE, require_organization, require_page_viewer, require_spend_page
from api.context import Context
from api.dashboard.components import choices
from api.dashboard.error_pages import refuse
from api.dashboard.export_routes import exports
from api.dashboard.figures import BuiltFigure, DashboardPage, Figure, FigureBuilder
from api.dashboard.first_event import first_day, first_event
from api.dashboard.formatting import exact
from api.dashboard.live_routes import live
from api.dashboard.page_context import DETAILS, PAGES, open_view, page_context, query_of
from api.dashboard.page_request import PageRequest, address, read_choices, read_once, read_until
from api.dashboard.pages.activity import ACTIVITY
from api.dashboard.pages.operator import OPERATOR, operator
from api.dashboard.pages.people import PARAMETERS, list_people
from api.dashboard.rendering import HEADERS, html
from api.errors import BadRequest, NotFound, Unavailable
from api.principal import Operator, Viewer, current_viewer
from api.static_files import assets
from queries.errors import NoCompleteDay
from reports.exports.csv_cells import csv_line, safe_text
from reports.metrics import METRICS
from reports.periods import FIRST_KEPT_DAY

logger = logging.getLogger("tally.api")

OF_ORGANIZATION = "/organizations/{organization:str}"

DEFINITIONS = {metric.name: metric for metric in METRICS}


def makers_of(page: DashboardPage, viewer: Viewer) -> list[FigureBuilder]:
    """Return the figures of the page that the viewer may see."""
    return [maker for maker in page.makers if viewer.can_read_spend or not maker.exposes_spend]


async def read_page_request(request: Request[Any, Any, Any], page: DashboardPage) -> PageRequest:
    """Parse the address. The freshness of the tables is read first, so every number includes at least that much."""
    context: Context = request.app.state.context
    given = read_once(query_of(request), ("until", "top", *page.periods, *filter(None, [page.parameter])))
    asked_of = read_subject(page, given)
    seen = await open_view(request)
    today = context.clock().date()
    last = read_until(given, seen.reading.newest_complete_day, today)
    to_date = last if "until" in given else max(today, last)
    return PageRequest(seen, page.name, last, to_date, read_choices(given, page.periods), given, asked_of)


def read_subject(page: DashboardPage, given: Mapping[str, str]) -> str:
    """Return the person or thing that the page is about; empty for a general page. Raises BadRequest."""
    if page.parameter and page.parameter not in given:
        raise BadRequest(f"{page.parameter}: missing. Allowed: an address with {page.parameter}.")
    return page.read_parameter(given[page.parameter]) if page.parameter else ""


async def make_parts(
    context: Context, ask: PageRequest, page: DashboardPage, makers: Sequence[FigureBuilder]
) -> list[BuiltFigure]:
    """Build figures concurrently. A figure that fails shows its error in its place and does not affect the others."""
    parts: dict[str, BuiltFigure] = {}

    async def make(maker: FigureBuilder) -> None:
        try:
            parts[maker.name] = await context.run(lambda _: maker.build(ask))
        except NoCompleteDay as error:
            parts[maker.name] = empty_part(ask, page, maker, error)
        except Unavailable as error:
            parts[maker.name] = failed_part(maker, error.message)
        except Exception:
            logger.exception("the figure %s of the page %s failed", maker.name, ask.page)
            parts[maker.name] = failed_part(maker, "Something went wrong here. The server's log has the details.")

    async with anyio.create_task_group() as group:
        for maker in makers:
            group.start_soon(make, maker)
    return [parts[maker.name] for maker in makers]


def failed_part(maker: FigureBuilder, why: str) -> BuiltFigure:
    """Return the replacement of a figure that cannot be read."""
    return BuiltFigure(figure=Figure(name=maker.name, title=maker.title, failed=why))


def empty_part(ask: PageRequest, page: DashboardPage, maker: FigureBuilder, why: NoCompleteDay) -> BuiltFigure:
    """Return the replacement of a figure whose period has no complete day: the reason, and the other periods."""
    kinds = () if maker.name == page.shared else page.periods.get(maker.name, ())
    others = choices(ask, maker.name, kinds, maker.name)
    said = f"{why.why[:1].upper()}{why.why[1:]}."
    return BuiltFigure(figure=Figure(name=maker.name, title=maker.title, choices=others, empty=said))


@get("/", include_in_schema=False)
async def home(request: Request[Any, Any, Any]) -> Redirect:
    """Redirect to the first page of the signed-in person or operator."""
    who = await authenticate(request, request.app.state.context)
    first = OPERATOR if isinstance(who, Operator) else address(who.organization_id, ACTIVITY.name, {})
    return Redirect(first, status_code=303, headers=HEADERS)


async def show(request: Request[Any, Any, Any], organization: str, page: DashboardPage) -> Response[bytes]:
    """A whole page."""
    context: Context = request.app.state.context
    viewer = current_viewer(request)
    require_organization(viewer, organization)
    ask = await read_page_request(request, page)
    subject = await context.run(lambda _: page.subject(ask))
    parts = await make_parts(context, ask, page, makers_of(page, viewer))
    notes = await context.run(lambda _: page.notes(ask))
    return html(
        request,
        "page.html",
        **page_context(ask.view, page.name, ask.given.get("until", "")),
        ask=ask,
        page=page,
        subject=subject,
        tiles=[tile for part in parts for tile in part.tiles],
        figures=[part.figure for part in parts],
        notes=notes,
        first_event=await context.run(lambda _: first_event(ask)) if page in PAGES else None,
        choices=choices(ask, page.shared, page.periods[page.shared]) if page.shared else (),
        definitions=DEFINITIONS,
        first_day=FIRST_KEPT_DAY,
        today=context.clock().date(),
    )


async def show_figure(
    request: Request[Any, Any, Any], organization: str, page: DashboardPage, file: str
) -> Response[bytes]:
    """A figure of a page as CSV, exact and unrounded, or several (`a,b.html`) as HTML that replaces them."""
    context: Context = request.app.state.context
    viewer = current_viewer(request)
    require_organization(viewer, organization)
    wanted, _, kind = file.rpartition(".")
    names = set(wanted.split(",")) if kind == "html" else {wanted}
    makers = [maker for maker in makers_of(page, viewer) if maker.name in names]
    if len(makers) != len(names) or kind not in ("csv", "html"):
        raise NotFound(NO_PAGE)
    ask = await read_page_request(request, page)
    await context.run(lambda _: page.subject(ask))
    parts = await make_parts(context, ask, page, makers)
    if kind == "html":
        figures = [part.figure for part in parts]
        return html(request, "fragment.html", figures=figures, ask=ask, definitions=DEFINITIONS)
    [part] = parts
    if part.figure.failed:
        raise Unavailable(part.figure.failed, 5)
    if not part.figure.columns:
        raise BadRequest(part.figure.empty)
    set_row_count(request, len(part.figure.rows))
    name = csv_name(viewer.organization_id, page, part.figure, ask)
    headers = {**HEADERS, "content-disposition": f'attachment; filename="{name}"'}
    return Response(csv_of(part.figure), headers=headers, media_type="text/csv")


def csv_name(organization_id: str, page: DashboardPage, figure: Figure, ask: PageRequest) -> str:
    """Return the file name of a figure's CSV. It does not name the person or thing that the page is about."""
    days = figure.about.window if figure.about else None
    first, last = (days.first, days.last) if days else (ask.last, ask.last)
    return f"{page.name}-{figure.name}-{organization_id}-{first}-{last}.csv"


def routes_of(page: DashboardPage) -> Router:
    """Return the routes of the page and its figures; those that expose spend are in the audit log."""
    guards = [require_page_viewer, *([require_spend_page] if page.exposes_spend else [])]
    told = {EXPOSES_SPEND: any(maker.exposes_spend for maker in page.makers)}

    @get("/", include_in_schema=False, opt=told)
    async def whole(request: Request[Any, Any, Any], organization: FromPath[str]) -> Response[bytes]:
        return await show(request, organization, page)

    @get("/{file:str}", include_in_schema=False, opt=told)
    async def figure(
        request: Request[Any, Any, Any], organization: FromPath[str], file: FromPath[str]
    ) -> Response[bytes]:
        return await show_figure(request, organization, page, file)

    return Router(f"{OF_ORGANIZATION}/{page.name}", route_handlers=[whole, figure], guards=guards)


@get([OF_ORGANIZATION, OF_ORGANIZATION + "/{rest:path}"], include_in_schema=False, guards=[require_page_viewer])
async def elsewhere(request: Request[Any, Any, Any], organization: FromPath[str]) -> None:
    """Any other address under an organization: not found."""
    require_organization(current_viewer(request), organization)
    raise NotFound(NO_PAGE)


@get(OF_ORGANIZATION + "/people", include_in_schema=False, guards=[require_page_viewer])
async def people(request: Request[Any, Any, Any], organization: FromPath[str]) -> Response[bytes]:
    """The people behind a number."""
    context: Context = request.app.state.context
    viewer = current_viewer(request)
    require_organization(viewer, organization)
    given = read_once(query_of(request), PARAMETERS)
    today = context.clock().date()
    seen = await open_view(request)
    listed = await context.run(lambda _: list_people(seen.reading, viewer.organization_id, given, today))
    return html(request, "people.html", **page_context(seen, "people"), listed=listed)


def csv_of(of: Figure) -> bytes:
    """Return a figure's rows as CSV (RFC 4180). Text that a spreadsheet would run gets a leading apostrophe."""
    lines = [csv_line(column.key for column in of.columns)]
    lines += [
        csv_line(safe_text(cell) if isinstance(cell, str) else exact(cell) for cell in row.cells) for row in of.rows
    ]
    return "".join(lines).encode()


REFUSALS: dict[int | type[Exception], Any] = {Exception: refuse, HTTPException: refuse}

dashboard = Router(
    "/",
    route_handlers=[
        *(home, assets, people, first_day, exports, live, operator, elsewhere),
        *(routes_of(page) for page in (*PAGES, *DETAILS) if page.makers),
    ],
    exception_handlers=REFUSALS,
)
