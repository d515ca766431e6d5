"""Live: the organization's events in this minute and the last hour, as figures for a page and its stream."""

from collections import Counter
from datetime import datetime

from clickhouse_connect.driver.client import Client
from msgspec import Struct

from api.dashboard.figures import Column, DashboardPage, Figure, Row, Tile
from api.dashboard.page_request import PageView
from reports.live import Minute, live_minutes
from reports.product_labels import PRODUCT_LABELS

LIVE = DashboardPage(name="live", title="Live", lead="", periods={}, makers=(), exposes_spend=True)
"""Only for owners, who see everything; the page shows no spend."""

UNKNOWN = "How far the data reaches is not known yet, so no minute is complete."


class Now(Struct, frozen=True, kw_only=True):
    """The figures of the last hour."""

    tiles: tuple[Tile, ...]
    figures: tuple[Figure, ...]
    refreshed_at: datetime | None


def read_now(client: Client, view: PageView, now: datetime) -> Now:
    """Return the figures of the last hour."""
    refreshed_at = view.reading.data_refreshed_at
    minutes = live_minutes(client, view.viewer.organization_id, now, refreshed_at)
    return Now(tiles=_tiles(minutes), figures=(_by_minute(minutes), _by_product(minutes)), refreshed_at=refreshed_at)


def _tiles(minutes: tuple[Minute, ...]) -> tuple[Tile, ...]:
    counts = [minute.counts for minute in minutes]
    return (
        Tile(label="Events this minute", value=counts[-1].events, detail=f"since {minutes[-1].begins:%H:%M} UTC"),
        Tile(label="Events in the last hour", value=sum(each.events for each in counts)),
        Tile(label="Requests in the last hour", value=sum(each.requests for each in counts)),
        Tile(
            label="Tokens in the last hour",
            value=sum(each.prompt_tokens + each.completion_tokens for each in counts),
            detail="prompt and completion",
        ),
    )


def _by_minute(minutes: tuple[Minute, ...]) -> Figure:
    return Figure(
        name="minutes",
        title="Events by minute",
        unit="events of all kinds by the minute (UTC) in which they happened",
        shape="bars",
        columns=(
            Column(key="minute", title="Minute", kind="minute"),
            Column(key="events", title="Events", drawn=True),
            Column(key="requests", title="Requests"),
            Column(key="prompt_tokens", title="Prompt tokens"),
            Column(key="completion_tokens", title="Completion tokens"),
        ),
        rows=tuple(_row(minute) for minute in minutes),
        empty="Nothing happened in the last hour.",
    )


def _row(minute: Minute) -> Row:
    of = minute.counts
    cells = (minute.begins, of.events, of.requests, of.prompt_tokens, of.completion_tokens)
    return Row(cells=cells, complete=minute.complete)


def _by_product(minutes: tuple[Minute, ...]) -> Figure:
    events: Counter[str] = Counter()
    for minute in minutes:
        events.update(minute.counts.products)
    ranked = sorted(events.items(), key=lambda item: (-item[1], item[0]))
    return Figure(
        name="products",
        title="Events by product",
        unit="events of the last hour",
        shape="ranks",
        columns=(
            Column(key="product", title="Product", kind="text"),
            Column(key="events", title="Events", drawn=True),
        ),
        rows=tuple(
            Row(cells=(PRODUCT_LABELS.get(product, product) or "No product", count)) for product, count in ranked
        ),
        empty="Nothing happened in the last hour.",
    )
