"""The operators' page: how far the tables are behind the log. It shows no organization and no person."""

from typing import Any

from litestar import Request, Response, get

from api.auth.guards import require_operator_page
from api.context import Context
from api.dashboard.figures import Column, Figure, Row, Tile
from api.dashboard.rendering import html
from api.principal import operator_of
from api.schemas.pipeline import Pipeline, SourceStanding

OPERATOR = "/operator"
"""The page to redirect operators to after sign-in."""


@get(OPERATOR, include_in_schema=False, guards=[require_operator_page])
async def operator(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The pipeline as it is now."""
    context: Context = request.app.state.context
    found = await context.run(lambda _: context.pipeline())
    return html(
        request,
        "operator.html",
        operator=operator_of(request),
        pipeline=found,
        tiles=tiles_of(found, context),
        figures=(letters_of(found), sources_of(found)),
    )


def tiles_of(found: Pipeline, context: Context) -> tuple[Tile, ...]:
    """Return the numbers that show whether the pipeline is healthy."""
    stuck = sum(source.is_stuck for source in found.sources)
    behind = None
    if found.data_refreshed_at is not None:
        behind = max(0, round((context.clock() - found.data_refreshed_at).total_seconds()))
    return (
        Tile(label="Lag", value=found.lag, detail="records in the log but not in the tables", href="#sources"),
        Tile(label="Watermark age", value=behind, detail="seconds", note="everything the log had by then is counted"),
        Tile(label="Sources that need attention", value=stuck, detail=f"of {len(found.sources):,}", href="#sources"),
        Tile(label="Dead letters", value=sum(found.dead_letters.values()), detail="now", href="#letters"),
    )


def letters_of(found: Pipeline) -> Figure:
    """Return the figure of records that cannot be counted, by reason."""
    ranked = sorted(found.dead_letters.items(), key=lambda item: (-item[1], item[0]))
    return Figure(
        name="letters",
        title="Dead letters by reason",
        unit="records that cannot be counted and were not replayed; `tally dead-letters list` shows them",
        shape="ranks",
        columns=(
            Column(key="reason", title="Reason", kind="text"),
            Column(key="dead_letters", title="Dead letters", drawn=True),
        ),
        rows=tuple(Row(cells=(reason, count)) for reason, count in ranked),
        empty="There are no dead letters.",
    )


def sources_of(found: Pipeline) -> Figure:
    """Return the figure of all sources, those that need attention first."""
    ordered = sorted(found.sources, key=lambda source: (not source.is_stuck, -source.lag, source.source))
    return Figure(
        name="sources",
        title="Sources",
        unit="one partition of a topic each; the log has offsets [start, end), the tables all offsets below next",
        columns=(
            Column(key="source", title="Source", kind="text"),
            Column(key="standing", title="Status", kind="text"),
            Column(key="lag", title="Lag"),
            Column(key="next_offset", title="Next"),
            Column(key="log_start", title="Start"),
            Column(key="log_end", title="End"),
            Column(key="watermark", title="Watermark", kind="moment"),
        ),
        rows=tuple(_row(source) for source in ordered),
        empty="The log has no partitions of event topics.",
    )


def _row(source: SourceStanding) -> Row:
    held = "held back by a transaction" if source.is_held else "reading"
    standing = "needs attention" if source.is_stuck else held if source.lag else "up to date"
    offsets = (source.lag, source.next_offset, source.log_start, source.log_end)
    return Row(cells=(source.source, standing, *offsets, source.watermark))
