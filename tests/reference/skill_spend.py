"""An independent recount of what skills cost: the events and the price file, in plain Python."""

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal, localcontext
from typing import Any, NamedTuple

from pricing.price_table import DEFAULT_PRICE_LIST
from tests.reference.engagement import Recount, at, moment
from tests.reference.event_metrics import plain
from tests.reference.spend_report import SEAT_PLANS, Prices
from tests.support.table_rows import CLASSES, Cell

UNIT = Decimal("1e-24")
DIMENSIONS = ("service_tier", "context_window", "inference_geo", "speed")
COUNTED = {"web_search_requests": "web_search_requests", "execution_milliseconds": "milliseconds"}


class Share(NamedTuple):
    """What one skill has of one hour's usage of one kind: USD at list price, and of what is paid, in 10^-24 USD."""

    day: date
    account: str
    product: str
    skill: str
    list_usd: Decimal | None
    units: int | None


def shares(recount: Recount, organization: str, first: date, last: date) -> Iterator[Share]:
    """All shares of people's usage in [first, last]."""
    prices, terms = Prices(DEFAULT_PRICE_LIST), Terms(recount, organization)
    for cell, skills in cells_of(recount, organization, first, last):
        list_usd = prices.cost(cell)
        units = None if list_usd is None else terms.paid(cell, list_usd)
        for place, skill in enumerate(skills, 1):
            share = None if units is None else units // len(skills) + (place <= units % len(skills))
            yield Share(cell.hour.date(), cell.actor_id, cell.product or "chat", skill, list_usd, share)


def cells_of(recount: Recount, organization: str, first: date, last: date) -> Iterator[tuple[Cell, list[str]]]:
    """Usage that names skills, added up by the hour and all that tells it apart, and the skills."""
    sums: dict[tuple[Any, ...], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for event, day in recount.acts(organization, first, last):
        where = event.get("attribution") or {}
        if event["type"] not in ("token.used", "execution.used") or not where.get("skills"):
            continue
        hour = at(event).replace(minute=0, second=0, microsecond=0)
        kind = tuple(event.get(name) or "" for name in ("product", "model", *DIMENSIONS, "funding"))
        row = sums[hour, event["actor"]["id"], kind, json.dumps(where, sort_keys=True)]
        assert first <= day <= last
        for name in CLASSES:
            row[name] += event.get(name, 0)
        for name, field in COUNTED.items():
            row[name] += event.get(field, 0)
    for (hour, account, (product, model, tier, *rest), where), counts in sums.items():
        tier = tier or ("standard" if model else "")
        named = {"product": product, "model": model, "service_tier": tier, **counts}
        named |= zip((*DIMENSIONS[1:], "funding"), rest, strict=True)
        cell = Cell(organization, hour, account, **named)
        yield cell, sorted({plain(name) for name in json.loads(where)["skills"]})


class Terms:
    """What an organization pays by, at any hour."""

    def __init__(self, recount: Recount, organization: str) -> None:
        self.changes: dict[str, list[tuple[datetime, datetime, Any]]] = defaultdict(list)
        fields = {"plan.changed": "plan", "discount.changed": "discount", "extra_usage.changed": "enabled"}
        for event in recount.events:
            if event["organization_id"] == organization and event["type"] in fields:
                start = datetime.fromisoformat(event["effective_from"]).astimezone(UTC)
                self.changes[event["type"]].append((start, moment(event), event[fields[event["type"]]]))

    def at(self, kind: str, hour: datetime, otherwise: Any) -> Any:
        past = [change for change in self.changes[kind] if change[0] <= hour]
        return max(past, key=lambda change: change[:2])[2] if past else otherwise

    def paid(self, cell: Cell, list_usd: Decimal) -> int:
        """What is paid of the usage, in 10^-24 USD."""
        extra = cell.funding == "extra_usage" and self.at("extra_usage.changed", cell.hour, False)
        if self.at("plan.changed", cell.hour, "") in SEAT_PLANS and not extra:
            return 0
        with localcontext() as context:
            context.prec = 100
            return int(list_usd * (1 - Decimal(self.at("discount.changed", cell.hour, "0"))) / UNIT)
