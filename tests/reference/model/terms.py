"""The terms of an organization, plan, discount and extra usage over time, and what they make of its usage."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from fractions import Fraction
from typing import Any, NamedTuple

from tests.reference.model.events import Event, moment_of, parse_moment
from tests.reference.model.prices import Prices
from tests.reference.model.usage import Usage

PLAN, DISCOUNT, EXTRA_USAGE = "plan.changed", "discount.changed", "extra_usage.changed"
FIELDS = {PLAN: "plan", DISCOUNT: "discount", EXTRA_USAGE: "enabled"}
SEAT_PLANS = ("team", "enterprise_seat_based")


class Change(NamedTuple):
    """A term from an hour on. Of two changes in force from one hour, that with the greater `decided` applies."""

    organization_id: str
    kind: str
    effective_from: datetime
    decided: tuple[Any, ...]
    value: Any


def changes_of(events: Iterable[Event]) -> Iterator[Change]:
    """Yield the changes of terms. What happened last applies, then what is later in the log (docs/events.md, "Records
    that contradict each other")."""
    for place, event in enumerate(events):
        kind = event["type"]
        if kind in FIELDS:
            begins = parse_moment(event["effective_from"])
            yield Change(event["organization_id"], kind, begins, (moment_of(event), place), event[FIELDS[kind]])


class Terms:
    """What organizations pay by, at any hour."""

    def __init__(self, changes: Iterable[Change]) -> None:
        self.changes = sorted(changes, key=lambda change: (change.effective_from, change.decided))
        self._history: dict[tuple[str, str], list[Change]] = defaultdict(list)
        for change in self.changes:
            self._history[change.organization_id, change.kind].append(change)

    def in_force(self, organization: str, kind: str, moment: datetime) -> Any:
        """Return what holds at a moment, None before the first change."""
        begun = [change.value for change in self._history[organization, kind] if change.effective_from <= moment]
        return begun[-1] if begun else None

    def is_reported(self, organization: str, funding: str, hour: datetime) -> bool:
        """Return whether usage is paid for by use, and not by a seat (docs/metrics.md, "The spend report").

        On a plan with seats that is extra usage, in hours that have it enabled; on another, and before the first, all.
        """
        if self.in_force(organization, PLAN, hour) not in SEAT_PLANS:
            return True
        return funding == "extra_usage" and bool(self.in_force(organization, EXTRA_USAGE, hour))

    def paid(self, used: Usage, listed: int) -> int:
        """Return what is paid of a list price, both in units: nothing where a seat pays."""
        if not self.is_reported(used.organization_id, used.funding, used.hour):
            return 0
        return after_discount(listed, self.discount(used.organization_id, used.hour))

    def discount(self, organization: str, hour: datetime) -> Fraction:
        """Return the part of list prices that is not paid."""
        return Fraction(self.in_force(organization, DISCOUNT, hour) or 0)


class Charge(NamedTuple):
    """Usage that is paid for by use: the discount, and for each of its counts the list price and the price after the
    discount, in units.

    If any of it has no known price, it has no cost (docs/metrics.md, "Spend").
    """

    used: Usage
    discount: Fraction
    listed_parts: tuple[int, ...] | None
    net_parts: tuple[int, ...] | None

    @property
    def listed(self) -> int | None:
        """Return the list price, in units."""
        return None if self.listed_parts is None else sum(self.listed_parts)

    @property
    def net(self) -> int | None:
        """Return the price after the discount, in units."""
        return None if self.net_parts is None else sum(self.net_parts)


def after_discount(listed: int, discount: Fraction) -> int:
    """Return what is paid of a list price, both in units. Raises ValueError if it is not a whole number of them."""
    paid, rest = divmod(listed * (discount.denominator - discount.numerator), discount.denominator)
    if rest:
        raise ValueError(f"{listed} units less {discount} is not a whole number")
    return paid


def charges(usage: Iterable[Usage], terms: Terms, prices: Prices) -> Iterator[Charge]:
    """Yield what is charged for usage, in its order; what seats pay for is not charged."""
    for used in usage:
        if terms.is_reported(used.organization_id, used.funding, used.hour):
            listed, discount = prices.parts(used), terms.discount(used.organization_id, used.hour)
            net = None if listed is None else tuple(after_discount(part, discount) for part in listed)
            yield Charge(used, discount, listed, net)
