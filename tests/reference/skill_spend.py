"""A recount of what skills cost: usage that names them, its cost split between all that it names."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from tests.reference.engagement import Recount
from tests.reference.model.names import name_key
from tests.reference.model.prices import Prices
from tests.reference.model.usage import USED, Usage, usage_of


class Share(NamedTuple):
    """What one skill has of one hour's usage of one kind, in units of money: the list price, and of what is paid."""

    day: date
    account: str
    product: str
    skill: str
    listed: int | None
    paid: int | None


def shares(recount: Recount, organization: str, first: date, last: date) -> Iterator[Share]:
    """All shares of people's usage in [first, last]: a skill has the list price, and a part of what is paid."""
    prices = Prices()
    for used, skills in cells_of(recount, organization, first, last):
        listed = prices.cost(used)
        paid = None if listed is None else recount.terms.paid(used, listed)
        for place, skill in enumerate(skills, 1):
            share = None if paid is None else paid // len(skills) + (place <= paid % len(skills))
            yield Share(used.at.date(), used.actor_id, used.product or "chat", skill, listed, share)


def cells_of(recount: Recount, organization: str, first: date, last: date) -> Iterator[tuple[Usage, list[str]]]:
    """Usage that names skills, added up by the hour and all that tells it apart, and the skills."""
    cells: dict[tuple[Any, ...], Usage] = {}
    counts: dict[tuple[Any, ...], list[tuple[int, ...]]] = defaultdict(list)
    for event, _ in recount.acts(organization, first, last):
        if event["type"] in USED and (event.get("attribution") or {}).get("skills"):
            used = usage_of(event)
            kind = (used.product, used.model, used.service_tier, used.context_window, used.inference_geo, used.speed)
            key = (used.hour, used.actor_id, *kind, used.funding, json.dumps(used.attribution, sort_keys=True))
            cells.setdefault(key, replace(used, at=used.hour))
            counts[key].append(used.counts)
    for key, used in cells.items():
        added_up = tuple(map(sum, zip(*counts[key], strict=True)))
        yield replace(used, counts=added_up), sorted({name_key(name) for name in used.attribution["skills"]})
