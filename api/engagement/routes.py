"""The routes of the engagement lists. Parameters are declared here for the OpenAPI document; `query` parses them."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from litestar import Request, Router, get
from litestar.di import Provide
from litestar.params import QueryParameter

from api.auth.guards import require_viewer
from api.context import Context
from api.engagement.endpoints import (
    ARTIFACTS,
    CONNECTORS,
    PLUGINS,
    PROJECTS,
    SKILLS,
    SUMMARY_FILTERS,
    SUMMARY_PARAMETERS,
    USERS,
    Endpoint,
)
from api.engagement.query import answer, answer_summaries
from api.parameters import MOST_DAYS, MOST_ENTRIES, MOST_ROWS, USUAL_ROWS, Reader
from api.principal import current_viewer
from api.requests import REFUSALS, Declared, given_of
from api.schemas.common import ResponsePage
from api.schemas.lists import ArtifactActivity, ConnectorActivity, PluginActivity, ProjectActivity, SkillActivity
from api.schemas.summaries import SummaryPage
from api.schemas.users import UserActivity
from api.usage.endpoints import REPORTS
from api.usage.filters import Filter
from api.usage.routes import HANDLERS

PREFIX = "/v1/organizations/analytics"


def _declared(name: str, description: str) -> Any:
    return QueryParameter(name=name, required=False, description=description)


DateText = Annotated[str | None, _declared("date", "One UTC day, YYYY-MM-DD. Instead of starting_date.")]
Starting = Annotated[str | None, _declared("starting_date", "First UTC day.")]
Ending = Annotated[
    str | None,
    _declared("ending_date", f"The UTC day after the last one, at most {MOST_DAYS} days after starting_date. Default: "
              "the day after the newest complete day."),
]  # fmt: skip
FilterBy = Annotated[
    list[str] | None,
    _declared("filter[]", f"`dimension:value`. Repeat it: OR within a dimension, AND across. At most {MOST_ENTRIES}."),
]
GroupBy = Annotated[list[str] | None, _declared("group_by[]", "Dimensions to group rows by.")]
OrderBy = Annotated[str | None, _declared("order_by", "The list's sort column or the dotted name of a metric.")]
Order = Annotated[str | None, _declared("order", "`asc` or `desc`. Default: `asc`, or `desc` for a metric.")]
Limit = Annotated[str | None, _declared("limit", f"Rows per page, 1 to {MOST_ROWS}; default {USUAL_ROWS}.")]
Cursor = Annotated[str | None, _declared("page", "`next_page` of the previous page.")]


async def ranged(
    date: DateText = None,
    starting_date: Starting = None,
    ending_date: Ending = None,
    filter_: FilterBy = None,
    group_by: GroupBy = None,
    order_by: OrderBy = None,
    order: Order = None,
    limit: Limit = None,
    page: Cursor = None,
) -> None:
    """Declare the parameters of a list over days."""


async def one_day(
    date: DateText = None, filter_: FilterBy = None, group_by: GroupBy = None, limit: Limit = None, page: Cursor = None
) -> None:
    """Declare the parameters of a list for one day."""


async def daily(
    starting_date: Starting = None,
    ending_date: Ending = None,
    filter_: FilterBy = None,
    limit: Limit = None,
    page: Cursor = None,
) -> None:
    """Declare the parameters of the summaries."""


over_days = partial(get, responses=REFUSALS, dependencies={"_declared": Provide(ranged)})
of_a_day = partial(get, responses=REFUSALS, dependencies={"_declared": Provide(one_day)})


async def listed(request: Request[Any, Any, Any], endpoint: Endpoint) -> ResponsePage[Any]:
    """Return a page of a list."""
    context: Context = request.app.state.context
    given = given_of(request, endpoint.parameters)
    work = partial(answer, context=context, endpoint=endpoint, viewer=current_viewer(request), given=given)
    return await context.run(work)


@get(
    "/summaries",
    responses=REFUSALS,
    dependencies={"_declared": Provide(daily)},
    summary="Active people, seats and invitations by day",
)
async def summaries(request: Request[Any, Any, Any], _declared: Declared) -> SummaryPage:
    """Active people of each day by trailing window and product, and the seats and invitations at its end."""
    context: Context = request.app.state.context
    given = given_of(request, SUMMARY_PARAMETERS)
    return await context.run(partial(answer_summaries, context=context, viewer=current_viewer(request), given=given))


@over_days("/users", summary="Activity by person")
async def users(request: Request[Any, Any, Any], _declared: Declared) -> ResponsePage[UserActivity]:
    """People with any activity, or, with group_by[]=rbac_group_id, the groups that they were in."""
    return await listed(request, USERS)


@over_days("/apps/chat/projects", summary="Chat projects")
async def projects(request: Request[Any, Any, Any], _declared: Declared) -> ResponsePage[ProjectActivity]:
    """Projects that people worked in."""
    return await listed(request, PROJECTS)


@over_days("/connectors", summary="Connectors")
async def connectors(request: Request[Any, Any, Any], _declared: Declared) -> ResponsePage[ConnectorActivity]:
    """Connectors that people called."""
    return await listed(request, CONNECTORS)


@over_days("/skills", summary="Skills", exposes_spend=True)
async def skills(request: Request[Any, Any, Any], _declared: Declared) -> ResponsePage[SkillActivity]:
    """Skills that people used or enabled."""
    return await listed(request, SKILLS)


@over_days("/plugins", summary="Plugins")
async def plugins(request: Request[Any, Any, Any], _declared: Declared) -> ResponsePage[PluginActivity]:
    """Plugins that people used or installed."""
    return await listed(request, PLUGINS)


@of_a_day("/artifacts", summary="Artifacts by type")
async def artifacts(request: Request[Any, Any, Any], _declared: Declared) -> ResponsePage[ArtifactActivity]:
    """Artifacts made on a day, by type and by whether they were ever shared."""
    return await listed(request, ARTIFACTS)


LISTS = (USERS, PROJECTS, CONNECTORS, SKILLS, PLUGINS, ARTIFACTS)
FILTERS: dict[str, Mapping[str, Reader | Filter]] = {
    "summaries": SUMMARY_FILTERS,
    **{endpoint.name: endpoint.filters for endpoint in LISTS},
    **{report.name: report.filters for report in REPORTS},
}
"""The filters of each route, for code that iterates over all of them."""

analytics = Router(
    PREFIX,
    route_handlers=[summaries, users, projects, connectors, skills, plugins, artifacts, *HANDLERS],
    guards=[require_viewer],
    tags=["analytics"],
    security=[{"bearer": []}, {"api_key": []}],
)
