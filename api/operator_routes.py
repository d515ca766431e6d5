"""The routes for operators: the installation's pipeline."""

from typing import Any

from litestar import Request, Router, get

from api.auth.guards import require_operator
from api.context import Context
from api.schemas.pipeline import Pipeline


@get("/pipeline")
async def pipeline(request: Request[Any, Any, Any]) -> Pipeline:
    """How far the tables are behind the log, by source, and how many records cannot be counted."""
    context: Context = request.app.state.context
    return await context.run(lambda _: context.pipeline())


operating = Router(
    "/operator",
    route_handlers=[pipeline],
    guards=[require_operator],
    include_in_schema=False,
)
