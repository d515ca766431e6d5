"""The state before the first event: a page without anything to show has what to do next."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from api.auth.guards import require_organization, require_page_viewer
from api.context import Context
from api.dashboard.page_context import open_view, query_of
from api.dashboard.page_request import PageRequest, address, read_once
from api.dashboard.rendering import HEADERS
from api.principal import current_viewer
from reports.metrics import QueryContext

FIRST_DAY = "first-day"


@dataclass(frozen=True)
class FirstEvent:
    """The day of the organization's first event, None before it, and the addresses at which to look for it."""

    day: date | None
    look: str
    show: str


def first_event(ask: PageRequest) -> FirstEvent | None:
    """Return the state to report if the page's days contain no event because none is as old; None if there are any."""
    day = _first_day(ask.reading)
    if day is not None and day <= ask.last:
        return None
    look = address(ask.viewer.organization_id, FIRST_DAY, {})
    return FirstEvent(day, look, ask.link(until=str(day)) if day else "")


@get("/organizations/{organization:str}/" + FIRST_DAY, include_in_schema=False, guards=[require_page_viewer])
async def first_day(request: Request[Any, Any, Any], organization: FromPath[str]) -> Response[str]:
    """The day of the organization's first event as text, empty before it: what a waiting page looks at."""
    context: Context = request.app.state.context
    require_organization(current_viewer(request), organization)
    read_once(query_of(request), ())
    seen = await open_view(request)
    found = await context.run(lambda _: _first_day(seen.reading))
    return Response(str(found or ""), headers=HEADERS, media_type="text/plain")


def _first_day(reading: QueryContext) -> date | None:
    days = reading.state.days
    return days[0] if days else None
