"""The context of every page: the viewer, the freshness of the tables, and the navigation."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from clickhouse_connect.driver.client import Client
from litestar import Request

from api.context import Context
from api.dashboard.figures import DashboardPage
from api.dashboard.page_request import PageView, address
from api.dashboard.pages.activity import ACTIVITY
from api.dashboard.pages.claude_ai import CLAUDE_AI
from api.dashboard.pages.claude_code import CLAUDE_CODE
from api.dashboard.pages.connector import CONNECTOR
from api.dashboard.pages.exports import EXPORTS
from api.dashboard.pages.live import LIVE
from api.dashboard.pages.person import PERSON
from api.dashboard.pages.spend import SPENDING
from api.principal import Viewer, current_viewer
from api.requests import parameters_of
from queries.organizations import organization_name
from reports.metrics import open_context

PAGES: tuple[DashboardPage, ...] = (ACTIVITY, SPENDING, EXPORTS, CLAUDE_AI, CLAUDE_CODE, LIVE)
DETAILS: tuple[DashboardPage, ...] = (PERSON, CONNECTOR)
"""Pages about one person or thing, which names link to."""


def query_of(request: Request[Any, Any, Any]) -> Sequence[tuple[str, str]]:
    """Return the parameters of the address, as given. Raises BadRequest."""
    return parameters_of(request, most=50)


async def open_view(request: Request[Any, Any, Any]) -> PageView:
    """Return the viewer and the freshness of the tables, read before any number that the page shows."""
    context: Context = request.app.state.context
    return await context.run(partial(_view, context=context, viewer=current_viewer(request)))


def _view(client: Client, context: Context, viewer: Viewer) -> PageView:
    reading = open_context(client, viewer.organization_id, context.sources(client), context.grace)
    return PageView(viewer, organization_name(client, viewer.organization_id), reading)


def page_context(seen: PageView, page: str, until: str = "") -> dict[str, Any]:
    """Return the navigation for a page: links to the pages that the viewer may see, for the same last day."""
    given = {"until": until} if until else {}
    shown = [each for each in PAGES if seen.viewer.can_read_spend or not each.exposes_spend]
    links = [(each, address(seen.viewer.organization_id, each.name, given if each.makers else {})) for each in shown]
    return {"view": seen, "current": page, "links": links}
