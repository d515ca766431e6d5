"""A recount of usage and of what it costs, event by event, for every export and report that adds it up."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from tests.reference.model.events import Event, once
from tests.reference.model.groups import Groups
from tests.reference.model.money import units
from tests.reference.model.prices import Prices
from tests.reference.model.terms import Charge, Terms, changes_of, charges
from tests.reference.model.usage import COUNTERS, Usage, usage_in


class Row(NamedTuple):
    """What was used: its values by dimension ('' is none), and its amounts by name, in units of 10^-24."""

    values: dict[str, str]
    amounts: dict[str, int]


def sums(rows: Iterable[Row], by: Sequence[str], amounts: Sequence[str]) -> dict[tuple[str, ...], list[int]]:
    """The amounts by the values of `by`, groups of nothing left out."""
    found: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0] * len(amounts))
    for row in rows:
        key = tuple(row.values[name] for name in by)
        found[key] = [total + row.amounts[name] for total, name in zip(found[key], amounts, strict=True)]
    return {key: totals for key, totals in found.items() if any(totals)}


def recount(
    events: Iterable[Event], prices: Prices, organization: str, begins: datetime, ends: datetime
) -> Iterator[Row]:
    """A row for each event in [begins, ends) that is reported. Raises ValueError for one without a known price."""
    own = [event for event in once(events) if event["organization_id"] == organization]
    groups, usage = Groups(own), usage_in(own, organization)
    in_period = (used for used in usage if begins <= used.at < ends)
    for charge in charges(in_period, Terms(changes_of(own)), prices):
        yield Row(dimensions(charge.used, groups), amounts(charge))


def dimensions(used: Usage, groups: Groups) -> dict[str, str]:
    """The values of usage; machines are nobody."""
    return {
        "day": f"{used.at:%Y-%m-%d}",
        "person": used.person,
        "model": used.model,
        "product": used.product,
        "cost_center": groups.cost_center(used.person, used.hour) if used.person else "",
        "channel": used.attribution.get("slack_channel_id") or "",
    }


def amounts(charge: Charge) -> dict[str, int]:
    """The counts of usage, and its cost."""
    used = charge.used
    if charge.listed is None or charge.net is None:
        raise ValueError(f"{used.model} has no price at {used.hour}")
    counts = dict(zip(COUNTERS, used.counts, strict=True))
    counts |= {"prompt_tokens": used.prompt_tokens, "requests": used.requests, "calls": used.requests + used.spans}
    return {name: units(count) for name, count in counts.items()} | {"list_usd": charge.listed, "net_usd": charge.net}
