"""Usage for viewers without spend: without everything that only prices depend on, so that cost cannot be computed.

Everything besides the model that a price depends on can neither be grouped, filtered nor ordered by; all input tokens
are one class; and web searches, which have one price, are left out, both here and in the list of users. On a
seat-based plan the reports contain extra usage alone, which is a bill, so such viewers cannot read them.
"""

from collections.abc import Iterable

from api.errors import PricedDetail
from api.parameters import QueryParams, single
from api.principal import Viewer
from queries.sql_files import Row

PRICED_BY = {
    "service_tier": "service_tiers[]",
    "context_window": "context_windows[]",
    "inference_geo": "inference_geos[]",
    "speed": "speeds[]",
}
"""Dimensions that only prices depend on, and their filters."""

ORDERS = ("uncached_input_tokens",)
"""Orders that reveal one class of tokens."""


def require_detail(viewer: Viewer, given: QueryParams, group_by: Iterable[str]) -> None:
    """Raise PricedDetail for parameters of a usage report that a viewer without spend may not use."""
    if viewer.can_read_detail:
        return
    for dimension in group_by:
        if dimension in PRICED_BY:
            raise PricedDetail(f"group_by[]: {dimension}")
    for name in PRICED_BY.values():
        if name in given:
            raise PricedDetail(name)
    if single(given, "order_by") in ORDERS:
        raise PricedDetail("order_by: uncached_input_tokens")


def require_no_seats(viewer: Viewer, had_seats: bool) -> None:
    """Raise PricedDetail for a report that contains extra usage alone."""
    if had_seats and not viewer.can_read_detail:
        raise PricedDetail("Usage on a seat-based plan, which is extra usage and therefore a bill,")


def blurred(row: Row) -> Row:
    """Return a row with all input tokens as one class, and without web searches."""
    uncached, read, write_5m, write_1h, output, *_ = row["counts"]
    return row | {"counts": [uncached + read + write_5m + write_1h, 0, 0, 0, output, 0, 0]}
