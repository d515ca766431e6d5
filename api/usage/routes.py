"""The routes of the reports. Their parameters are declared from the same tables that `query` parses them by."""

from functools import partial
from inspect import Parameter, Signature
from typing import Annotated, Any

from litestar import Request, get
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from api.audit import EXPOSES_SPEND
from api.auth.guards import require_spend
from api.context import Context
from api.errors import BadRequest
from api.principal import current_viewer
from api.requests import REFUSALS, Declared, given_of
from api.schemas.usage import Bucket, CostResult, CostRow, ReportPage, UsageResult, UsageRow, UserCost, UserUsage
from api.usage.endpoints import (
    BETA,
    COST,
    COST_REPORT,
    USAGE,
    USAGE_REPORT,
    USER_COST_REPORT,
    USER_USAGE_REPORT,
    Report,
)
from api.usage.query import answer

SAYS = {
    "starting_at": "The moment from which usage counts, RFC 3339 with a zone; rounded down to whole buckets or hours.",
    "ending_at": "The moment before which usage counts, at most 31 days later. Default: now, or 31 days later.",
    "bucket_width": "Width of the time buckets.",
    "time_bucket_width": "Width of the time buckets.",
    "group_by[]": "Dimensions to group rows by.",
    "order_by": "The metric to order rows by.",
    "order": "Direction of the order; default `desc`.",
    "exclude_deleted_users": "Whether to leave out people who have left.",
    "limit": "Rows per page, or time buckets per page.",
    "page": "`next_page` of the previous page.",
}


def declared(report: Report) -> Any:
    """Return a dependency whose parameters are the report's, for the OpenAPI document."""

    async def parameters(**_: Any) -> None: ...

    shapes = {f"given_{place}": _annotation(report, name) for place, name in enumerate(report.parameters)}
    keywords = [Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=kind) for name, kind in shapes.items()]
    parameters.__signature__ = Signature(keywords, return_annotation=None)  # type: ignore[attr-defined]
    parameters.__annotations__ = {**shapes, "return": None}
    return Provide(parameters)


def _annotation(report: Report, name: str) -> Any:
    says = report.filters[name].says if name in report.filters else SAYS[name]
    kind = list[str] | None if name.endswith("[]") else str | None
    return Annotated[kind, QueryParameter(name=name, required=False, description=says)]


def route(report: Report, summary: str) -> get:
    """Return the decorator of a report's route. Cost reports require spend and are in the audit log."""
    closed: dict[str, Any] = {"guards": [require_spend], EXPOSES_SPEND: True} if report.priced else {}
    declarations = {"_declared": declared(report)}
    return get(f"/{report.name}", responses=REFUSALS, dependencies=declarations, summary=summary, **closed)


async def reported(request: Request[Any, Any, Any], report: Report) -> ReportPage[Any]:
    """Return a page of a report. Raises BadRequest."""
    betas = [beta.strip() for header in request.headers.getall("anthropic-beta", []) for beta in header.split(",")]
    if report.newer and BETA not in betas:
        raise BadRequest(f"anthropic-beta: this report is in beta. Allowed: with the header anthropic-beta: {BETA}.")
    context: Context = request.app.state.context
    given = given_of(request, report.parameters)
    return await context.run(
        partial(answer, context=context, report=report, viewer=current_viewer(request), given=given)
    )


@route(USAGE_REPORT, "Tokens by time bucket")
async def usage_report(request: Request[Any, Any, Any], _declared: Declared) -> ReportPage[Bucket[UsageResult]]:
    """Usage of the whole organization in each bucket, in total or by dimension."""
    return await reported(request, USAGE_REPORT)


@route(COST_REPORT, "Costs by time bucket")
async def cost_report(request: Request[Any, Any, Any], _declared: Declared) -> ReportPage[Bucket[CostResult]]:
    """Costs of the whole organization in each bucket, in total or by dimension."""
    return await reported(request, COST_REPORT)


@route(USER_USAGE_REPORT, "Tokens by person")
async def user_usage_report(request: Request[Any, Any, Any], _declared: Declared) -> ReportPage[UserUsage]:
    """Usage by person."""
    return await reported(request, USER_USAGE_REPORT)


@route(USER_COST_REPORT, "Costs by person")
async def user_cost_report(request: Request[Any, Any, Any], _declared: Declared) -> ReportPage[UserCost]:
    """Costs by person."""
    return await reported(request, USER_COST_REPORT)


@route(USAGE, "Tokens by any dimension")
async def usage(request: Request[Any, Any, Any], _declared: Declared) -> ReportPage[UsageRow]:
    """Usage of each combination of dimensions. Requires the header `anthropic-beta`."""
    return await reported(request, USAGE)


@route(COST, "Costs by any dimension")
async def cost(request: Request[Any, Any, Any], _declared: Declared) -> ReportPage[CostRow]:
    """Costs of each combination of dimensions. Requires the header `anthropic-beta`."""
    return await reported(request, COST)


HANDLERS: list[HTTPRouteHandler] = [usage_report, cost_report, user_usage_report, user_cost_report, usage, cost]
