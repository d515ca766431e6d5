"""The Claude Code report: one day by actor, terminal, and remote or local."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Annotated, Any

from clickhouse_connect.driver.client import Client
from litestar import Request, Router, get
from litestar.di import Provide
from litestar.params import QueryParameter

from api.auth.guards import require_viewer
from api.context import Context
from api.cursors import Cursor, encode_cursor
from api.errors import BadRequest, invalid_parameter
from api.pagination import newest_day, query_digest, read_consistently, read_cursor
from api.parameters import MOST_ROWS, QueryParams, read_date, read_limit, single
from api.principal import Viewer, current_viewer
from api.requests import REFUSALS, Declared, given_of
from api.schemas.claude_code import ClaudeCodePage, claude_code_day
from queries.paging import AfterRow, Ranking, cut_page
from queries.sql_files import Row
from reports.claude_code.day import day_stamp, plan_of, read_day
from reports.periods import FIRST_KEPT_DAY

PREFIX = "/v1/organizations/usage_report"
NAME = "claude_code"
PARAMETERS = ("starting_at", "limit", "page")
USUAL_ROWS = 20


def _declared_as(name: str, description: str) -> Any:
    return QueryParameter(name=name, required=False, description=description)


async def declared(
    starting_at: Annotated[str | None, _declared_as("starting_at", "The UTC day, YYYY-MM-DD.")] = None,
    limit: Annotated[
        str | None, _declared_as("limit", f"Rows per page, 1 to {MOST_ROWS}; default {USUAL_ROWS}.")
    ] = None,
    page: Annotated[str | None, _declared_as("page", "`next_page` of the previous page.")] = None,
) -> None:
    """Declare the report's parameters for the OpenAPI document."""


@get(
    f"/{NAME}",
    responses=REFUSALS,
    dependencies={"_declared": Provide(declared)},
    summary="Claude Code by actor and terminal",
    exposes_spend=True,
)
async def claude_code(request: Request[Any, Any, Any], _declared: Declared) -> ClaudeCodePage:
    """Each person's and key's use of Claude Code on one day, and what its models would cost at list price."""
    context: Context = request.app.state.context
    given = given_of(request, PARAMETERS)
    return await context.run(partial(answer_claude_code, context=context, viewer=current_viewer(request), given=given))


def answer_claude_code(client: Client, context: Context, viewer: Viewer, given: QueryParams) -> ClaudeCodePage:
    """Return one page of a day. Positions are read before cells, so the page includes at least what they cover."""
    freshness = context.freshness(client)
    day, limit = read_starting_at(given, newest_day(context, freshness)), read_limit(given, USUAL_ROWS)
    query = query_digest(NAME, viewer, given)
    secret = partial(context.secret, client)
    cursor = read_cursor(given, secret, query, Cursor)
    organization_id = viewer.organization_id
    ranking = Ranking(after=cursor.after if cursor else AfterRow())
    stamp, found = read_consistently(
        lambda: read_day(client, organization_id, day, ranking.of_page(limit)),
        lambda: day_stamp(client, organization_id, day),
        cursor,
        f"the day {day}",
    )
    page, plan = cut_page(found, limit), plan_of(client, organization_id, day)
    following = Cursor(query, stamp, page.end.ranks, page.end.key) if page.end else None
    return ClaudeCodePage(
        data=[
            claude_code_day(row, organization_id, day, plan, viewer.can_read_spend, viewer.can_read_detail)
            for row in page.rows
        ],
        has_more=following is not None,
        next_page=encode_cursor(following, secret()) if following else None,
        organization_id=organization_id,
        data_refreshed_at=freshness.data_refreshed_at,
        unpriced_models=unpriced(page.rows) if viewer.can_read_spend else None,
    )


def read_starting_at(given: QueryParams, newest: date) -> date:
    """Return the requested day. Raises BadRequest."""
    text = single(given, "starting_at")
    if text is None:
        raise BadRequest(f"starting_at: missing. Allowed: a UTC day as YYYY-MM-DD, from {FIRST_KEPT_DAY} to {newest}.")
    day = read_date("starting_at", text)
    if not FIRST_KEPT_DAY <= day <= newest:
        raise invalid_parameter("starting_at", day, f"a day from {FIRST_KEPT_DAY} to {newest}, the newest complete day")
    return day


def unpriced(rows: Sequence[Row]) -> list[str]:
    """Return the models in these rows whose cost is unknown."""
    return sorted({model for row in rows for model, *_, usd in row["models"] if not usd})


usage_report = Router(
    PREFIX,
    route_handlers=[claude_code],
    guards=[require_viewer],
    tags=["usage reports"],
    security=[{"bearer": []}, {"api_key": []}],
)
