"""The routes of Export: the page, a streamed download, and the files of issued reports."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from litestar import Request, Response, Router, get
from litestar.params import FromPath
from litestar.response import File, Stream

from api.audit import EXPOSES_SPEND, set_row_count
from api.auth.guards import require_organization, require_page_viewer, require_spend_page
from api.context import Context
from api.dashboard.page_context import open_view, page_context, query_of
from api.dashboard.page_request import PageView, read_number, read_once
from api.dashboard.pages.exports import EXPORTS, PARAMETERS, export_values, read_format, read_period
from api.dashboard.rendering import HEADERS, html
from api.errors import Changed, NotFound
from api.parameters import read_date
from api.principal import current_viewer
from pricing.terms import require_report
from queries.errors import NotAsIssued, RefusedError
from reports.exports.formats import ExportFormat, spend_format
from reports.exports.issued_reports import past_report
from reports.exports.manifest import require_as_issued
from reports.periods import Period

logger = logging.getLogger("tally.api")
NOT_KEPT = "This file is not stored on this machine. Its checksum shows whether a copy is identical."


@get("/", include_in_schema=False)
async def page(request: Request[Any, Any, Any], organization: FromPath[str]) -> Response[bytes]:
    """The page with the possible exports and the issued reports."""
    require_organization(current_viewer(request), organization)
    return await _page(request, await open_view(request), read_once(query_of(request), PARAMETERS))


async def _page(
    request: Request[Any, Any, Any], seen: PageView, given: Mapping[str, str], refused: RefusedError | None = None
) -> Response[bytes]:
    context: Context = request.app.state.context
    values = await context.run(partial(export_values, view=seen, given=given, now=context.clock()))
    status = 200 if refused is None else 400
    return html(request, "exports.html", status, **page_context(seen, EXPORTS.name), **values, refused=refused)


@get("/download", include_in_schema=False)
async def download(request: Request[Any, Any, Any], organization: FromPath[str]) -> Response[bytes] | Stream:
    """Send the spend of a period while it is read. A period that is not available is explained on the page."""
    context: Context = request.app.state.context
    viewer = current_viewer(request)
    require_organization(viewer, organization)
    given = read_once(query_of(request), PARAMETERS)
    chosen, seen = read_format(given), await open_view(request)
    form = chosen.form()
    try:
        period = read_period(given, context.clock(), seen.reading.newest_complete_day)
        pieces = context.downloads.written(partial(_write, request, form, period), viewer)
        first = await anext(pieces)
    except RefusedError as refused:
        return await _page(request, seen, given, refused)
    name = form.file_name(viewer.organization_id, period)
    headers = {**HEADERS, "content-disposition": f'attachment; filename="{name}"'}
    return Stream(_all(first, pieces), headers=headers, media_type=chosen.media_type)


def _write(request: Request[Any, Any, Any], form: ExportFormat, period: Period, sink: BinaryIO) -> None:
    """Write the report to `sink` with a client of its own, since this may take longer than any page."""
    context: Context = request.app.state.context
    organization_id = current_viewer(request).organization_id
    with closing(context.connect_for_reports()) as client:
        require_report(client, organization_id, period.begins, period.ends)
        set_row_count(request, form.write(client, organization_id, period, sink, None).rows)


async def _all(first: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in others:
        yield piece


@get("/issued/{day:str}/{revision:str}", include_in_schema=False)
async def issued(
    request: Request[Any, Any, Any], organization: FromPath[str], day: FromPath[str], revision: FromPath[str]
) -> File:
    """Send an issued file, byte for byte."""
    context: Context = request.app.state.context
    viewer = current_viewer(request)
    require_organization(viewer, organization)
    asked = read_date("day", day), read_number("revision", {"revision": revision})
    found = await context.run(lambda client: past_report(client, viewer.organization_id, *asked))
    path = context.reports_dir / found.file_name if found and context.reports_dir else None
    if found is None or path is None:
        raise NotFound(NOT_KEPT)
    try:
        await context.run(lambda _: _require_as_issued(path, found.sha256))
    except NotAsIssued as error:
        logger.error("%s. %s", error, error.hint)
        raise Changed(
            "The file on this machine differs from the one that was issued, so it is not served. An operator can "
            "restore it."
        ) from None
    set_row_count(request, found.rows)
    name = f"{spend_format().stem}-{viewer.organization_id}-{path.name}"
    return File(path, filename=name, headers=HEADERS, media_type="text/csv")


def _require_as_issued(path: Path, sha256: str) -> None:
    try:
        require_as_issued(path, sha256)
    except FileNotFoundError:
        raise NotFound(NOT_KEPT) from None
    except OSError as error:
        logger.error("Cannot read %s: %s. Run the API and the exporter as the same user.", path, error.strerror)
        raise NotFound("This file cannot be read on this machine. An operator can fix that.") from None


exports = Router(
    "/organizations/{organization:str}/exports",
    route_handlers=[page, download, issued],
    guards=[require_page_viewer, require_spend_page],
    opt={EXPOSES_SPEND: True},
)
