"""The routes of the dashboard. An address names organization, page and choices: a link shows the same to the next."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import anyio
from litestar import Request, Response, Router, get
from litestar.exceptions import HTTPException
from litestar.params import FromPath
from litestar.response import Redirect

from api.context import Context
from api.dashboard.activity import ACTIVITY
from api.dashboard.answering import HEADERS, html
from api.dashboard.asking import Ask, address, read_choices, read_once, read_until
from api.dashboard.assets import assets
from api.dashboard.exports import exports
from api.dashboard.figures import Figure, Maker, Page, Part
from api.dashboard.formats import exact
from api.dashboard.frame import PAGES, frame, opened, query_of
from api.dashboard.guard import NO_PAGE, refuse, require_organization, require_reader
from api.dashboard.people import PARAMETERS, list_people
from api.errors import ApiError, NotFound, Unavailable
from api.identity import identify
from api.viewer import Operator, Viewer, viewer_of
from reports.metrics import METRICS
from reports.spend_csv import safe_text

PIPELINE = "/operator/pipeline"
"""The page of operators."""

DEFINITIONS = {metric.name: metric for metric in METRICS}


def page_of(name: str, viewer: Viewer) -> Page:
    """The page of that name. Raises NotFound, also for a page of spend whose viewer may not see spend."""
    for page in PAGES:
        if page.name == name and (viewer.sees_spend or not page.of_spend):
            return page
    raise NotFound(NO_PAGE)


def makers_of(page: Page, viewer: Viewer) -> list[Maker]:
    """The parts of the page that its viewer may see."""
    return [maker for maker in page.makers if viewer.sees_spend or not maker.of_spend]


async def asked(request: Request[Any, Any, Any], page: Page) -> Ask:
    """What the address asks for; how far the tables reach is read first, so every number holds at least that."""
    context: Context = request.app.state.context
    given = read_once(query_of(request), ("until", "top", *page.periods))
    seen = await opened(request)
    last = read_until(given, seen.reading.newest_complete_day, context.clock().date())
    return Ask(seen, page.name, last, read_choices(given, page.periods), given)


async def make_parts(context: Context, ask: Ask, makers: Sequence[Maker]) -> list[Part]:
    """The parts of a page, read side by side. One that fails says so in its place and takes no other with it."""
    parts: dict[str, Part] = {}

    async def make(maker: Maker) -> None:
        try:
            parts[maker.name] = await context.run(lambda _: maker.make(ask))
        except Unavailable as error:
            parts[maker.name] = Part(figure=Figure(name=maker.name, title=maker.title, failed=error.message))

    async with anyio.create_task_group() as group:
        for maker in makers:
            group.start_soon(make, maker)
    return [parts[maker.name] for maker in makers]


@get("/", include_in_schema=False)
async def home(request: Request[Any, Any, Any]) -> Redirect:
    """The first page of whoever is signed in."""
    who = await identify(request, request.app.state.context)
    first = PIPELINE if isinstance(who, Operator) else address(who.organization_id, ACTIVITY.name, {})
    return Redirect(first, status_code=303, headers=HEADERS)


@get("/organizations/{organization:str}/{name:str}", include_in_schema=False)
async def page(request: Request[Any, Any, Any], organization: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """One page."""
    context: Context = request.app.state.context
    viewer = viewer_of(request)
    require_organization(viewer, organization)
    shown = page_of(name, viewer)
    ask = await asked(request, shown)
    parts = await make_parts(context, ask, makers_of(shown, viewer))
    notes = await context.run(lambda _: shown.notes(ask))
    return html(
        request,
        "page.html",
        **frame(ask.look, shown.name, ask.given.get("until", "")),
        ask=ask,
        page=shown,
        tiles=[tile for part in parts for tile in part.tiles],
        figures=[part.figure for part in parts],
        notes=notes,
        definitions=DEFINITIONS,
        today=context.clock().date(),
    )


@get("/organizations/{organization:str}/{name:str}/{file:str}", include_in_schema=False)
async def figure(
    request: Request[Any, Any, Any], organization: FromPath[str], name: FromPath[str], file: FromPath[str]
) -> Response[bytes]:
    """One figure of a page: as CSV, exact and unrounded, or as the HTML that takes its place in the page."""
    context: Context = request.app.state.context
    viewer = viewer_of(request)
    require_organization(viewer, organization)
    shown = page_of(name, viewer)
    wanted, _, kind = file.rpartition(".")
    makers = [maker for maker in makers_of(shown, viewer) if maker.name == wanted]
    if not makers or kind not in ("csv", "html"):
        raise NotFound(f"There is no {file[:100]!r} on this page.")
    ask = await asked(request, shown)
    [part] = await make_parts(context, ask, makers)
    if kind == "html":
        return html(request, "fragment.html", figure=part.figure, ask=ask, definitions=DEFINITIONS)
    if part.figure.failed:
        raise Unavailable(part.figure.failed, 5)
    headers = {**HEADERS, "content-disposition": f'attachment; filename="{wanted}-{ask.last}.csv"'}
    return Response(csv_of(part.figure), headers=headers, media_type="text/csv; charset=utf-8")


@get("/organizations/{organization:str}/people", include_in_schema=False)
async def people(request: Request[Any, Any, Any], organization: FromPath[str]) -> Response[bytes]:
    """The people behind a number."""
    context: Context = request.app.state.context
    viewer = viewer_of(request)
    require_organization(viewer, organization)
    given = read_once(query_of(request), PARAMETERS)
    today = context.clock().date()
    seen = await opened(request)
    listed = await context.run(lambda _: list_people(seen.reading, viewer.organization_id, given, today))
    return html(request, "people.html", **frame(seen, "people"), listed=listed)


def csv_of(of: Figure) -> bytes:
    """The rows of a figure as CSV (RFC 4180). A text that a spreadsheet would run gets a leading apostrophe."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column.key for column in of.columns])
    for row in of.rows:
        writer.writerow([safe_text(cell) if isinstance(cell, str) else exact(cell) for cell in row.cells])
    return text.getvalue().encode()


REFUSALS: dict[int | type[Exception], Any] = {ApiError: refuse, HTTPException: refuse}

pages = Router("/", route_handlers=[page, figure, people], guards=[require_reader])
dashboard = Router("/", route_handlers=[home, assets, pages, exports], exception_handlers=REFUSALS)
