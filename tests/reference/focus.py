"""A recount of FOCUS charges from the rows of the tables: the spend report's charges, with the cost centre of the hour,
meter by meter (docs/metrics.md, "FOCUS")."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.reference.model.events import Event
from tests.reference.model.groups import Groups
from tests.reference.model.prices import Prices
from tests.reference.model.terms import Charge
from tests.reference.spend_report import charged

if TYPE_CHECKING:
    from tests.support.focus_world import Step
    from tests.support.table_rows import World

TOKEN_METERS = (
    *("Uncached Input Tokens", "Cache Read Input Tokens", "Cache Write 5m Input Tokens"),
    *("Cache Write 1h Input Tokens", "Output Tokens"),
)
METERS = (*TOKEN_METERS, "Web Searches", "Code Execution")
SUBJECTS = {"group": "group_id", "member": "account_id", "account": "account_id"}
Key = tuple[Any, ...]


def recount(
    world: "World", steps: Iterable["Step"], prices: Prices, organization: str, begins: datetime, ends: datetime
) -> dict[Key, int]:
    """Return the quantity by (day, cost centre, actor type and id, product, model, meter, price dimensions, price in
    units, discount)."""
    found: dict[Key, int] = defaultdict(int)
    groups = Groups(events_of(steps, organization))
    for charge in charged(world, prices, organization, begins, ends):
        used = charge.used
        center = groups.cost_center(used.person, used.hour) if used.person else ""
        who = (f"{used.at:%Y-%m-%d}", center, used.actor_type, used.actor_id, used.product, used.model)
        for meter, price, quantity in metered(charge):
            dimensions = used.priced_by if meter in TOKEN_METERS else ()
            found[*who, meter, dimensions, price, charge.discount] += quantity
    return dict(found)


def metered(charge: Charge) -> Iterator[tuple[str, int, int]]:
    """Yield (meter, price of one in units, quantity) of what was used. Raises ValueError without a known price."""
    if charge.listed_parts is None:
        raise ValueError(f"{charge.used.model} has no price")
    for meter, part, count in zip(METERS, charge.listed_parts, charge.used.counts, strict=True):
        if count:
            yield meter, part // count, count


def events_of(steps: Iterable["Step"], organization: str) -> Iterator[Event]:
    """Yield the directory's rows of an organization as the events that they were, in order."""
    mine = (step for step in steps if step.organization_id == organization)
    for step in sorted(mine, key=lambda step: (step.at, step.log_offset)):
        subject = {SUBJECTS[step.type.partition(".")[0]]: step.subject_id}
        yield {"type": step.type, "occurred_at": step.at.isoformat(), **subject, **step.detail}
