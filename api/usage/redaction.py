"""Usage for who sees no spend: without all that only a price depends on, so that nobody can compute what it cost.

What a price depends on besides the model can neither be grouped nor filtered nor ordered by, all tokens that go in are
told as one class, and searches of the web, which have one price, are not told, neither here nor in the list of users.
On a seat-based plan the reports hold extra usage alone, which is a bill, and so are not theirs.
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
"""Dimensions that price alone needs, and their filters."""

ORDERS = ("uncached_input_tokens",)
"""Orders that tell one class of tokens from the others."""


def require_detail(viewer: Viewer, given: QueryParams, group_by: Iterable[str]) -> None:
    """Raises PricedDetail for what somebody who sees no spend may not ask a report of usage."""
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
    """Raises PricedDetail for a report that holds extra usage alone."""
    if had_seats and not viewer.can_read_detail:
        raise PricedDetail("Usage on a seat-based plan, which is extra usage and so a bill,")


def blurred(row: Row) -> Row:
    """A row with all tokens that went in as one class, and without searches of the web."""
    uncached, read, write_5m, write_1h, output, *_ = row["counts"]
    return row | {"counts": [uncached + read + write_5m + write_1h, 0, 0, 0, output, 0, 0]}
