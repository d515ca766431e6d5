"""The OpenAPI document: the allowed values of parameters come from the same tables that parse requests."""

from collections.abc import Iterator

from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, OpenAPI, OpenAPIType, Operation, Reference, Schema, SecurityScheme
from litestar.openapi.spec.enums import OpenAPIFormat

from api.claude_code import routes
from api.engagement.endpoints import SUMMARY_FILTERS
from api.engagement.routes import LISTS, PREFIX
from api.parameters import MOST_ENTRIES, MOST_ROWS, USUAL_ROWS
from api.usage.buckets import BUCKETS
from api.usage.endpoints import REPORTS, Report
from api.usage.query import USUAL_ROWS as ROWS_OF_REPORTS

TEXT = OpenAPIType.STRING


def document() -> OpenAPIConfig:
    """Return the configuration of the document at /schema/openapi.json."""
    schemes: dict[str, SecurityScheme | Reference] = {
        "bearer": SecurityScheme(type="http", scheme="bearer"),
        "api_key": SecurityScheme(type="apiKey", name="x-api-key", security_scheme_in="header"),
    }
    return OpenAPIConfig(
        title="Tally Analytics API",
        version="1.0",
        description="Exact usage analytics. docs/api.md defines each number.",
        components=Components(security_schemes=schemes),
        render_plugins=[JsonRenderPlugin()],
        path="/schema",
    )


def restrict_parameters(document: OpenAPI) -> None:
    """Set the values that each list's parameters allow: routes share their declaration, but lists differ."""
    for path, operation in _operations(document):
        allowed = _ALLOWED.get(path, {})
        for parameter in operation.parameters or ():
            if not isinstance(parameter, Reference) and parameter.name in allowed:
                parameter.schema = allowed[parameter.name]


def _operations(document: OpenAPI) -> Iterator[tuple[str, Operation]]:
    for path, item in (document.paths or {}).items():
        if item.get is not None:
            yield path, item.get


def _one_of(*values: str) -> Schema:
    return Schema(type=TEXT, enum=list(values))


def _some(entry: Schema) -> Schema:
    return Schema(type=OpenAPIType.ARRAY, items=entry, max_items=MOST_ENTRIES)


def _filters(*dimensions: str) -> Schema:
    return _some(Schema(type=TEXT, pattern=f"^({'|'.join(dimensions)}):.+$"))


def _limit(usual: int) -> Schema:
    return Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=MOST_ROWS, default=usual)


def _report(report: Report) -> dict[str, Schema]:
    moment = Schema(type=TEXT, format=OpenAPIFormat.DATE_TIME)
    rows = _limit(ROWS_OF_REPORTS)
    buckets = Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=max(most for _, most in BUCKETS.values()))
    allowed = {"starting_at": moment, "ending_at": moment, "limit": rows if report.metrics else buckets}
    for name in report.parameters:
        entry = _one_of(*report.choices(name)) if report.choices(name) else Schema(type=TEXT)
        allowed.setdefault(name, _some(entry) if name.endswith("[]") else entry)
    return allowed


_DAY = Schema(type=TEXT, format=OpenAPIFormat.DATE)
_COMMON = {
    "date": _DAY,
    "starting_date": _DAY,
    "ending_date": _DAY,
    "limit": _limit(USUAL_ROWS),
    "order": _one_of("asc", "desc"),
    "page": Schema(type=TEXT, min_length=1),
}

_ALLOWED = (
    {f"{PREFIX}/summaries": _COMMON | {"filter[]": _filters(*SUMMARY_FILTERS)}}
    | {
        f"{PREFIX}/{endpoint.name}": _COMMON
        | {
            "filter[]": _filters(*endpoint.filters),
            "group_by[]": _some(_one_of(*endpoint.group_by)),
            "order_by": _one_of(endpoint.sort, *endpoint.metrics),
        }
        for endpoint in LISTS
    }
    | {f"{PREFIX}/{report.name}": _report(report) for report in REPORTS}
    | {f"{routes.PREFIX}/{routes.NAME}": {"starting_at": _DAY, "limit": _limit(routes.USUAL_ROWS)}}
)
