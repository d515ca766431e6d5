"""Who was in which group when, and which cost centre that makes."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from tests.reference.model.events import Event, end_of, in_order, moment_of, start_of

ENDS = ("group.left", "group.deleted", "member.removed", "account.deleted")
"""What ends memberships: those of the group and of the account that it names, or of all if it names none."""


class Membership(NamedTuple):
    """Somebody in a group from one moment until another, or until now."""

    account_id: str
    group_id: str
    begins: datetime
    ends: datetime | None

    def includes(self, moment: datetime) -> bool:
        """Return whether the person was in the group at a moment; no longer at that of leaving."""
        return self.begins <= moment and (self.ends is None or self.ends > moment)

    def touches(self, day: date) -> bool:
        """Return whether the person was in the group at any instant of a day."""
        return self.begins < end_of(day) and (self.ends is None or self.ends > start_of(day))


def memberships(events: Iterable[Event]) -> list[Membership]:
    """Return all memberships of one organization. Who joins again without having left has joined once."""
    held: dict[tuple[str, str], datetime] = {}
    ended: list[Membership] = []
    for event in in_order(events):
        if event["type"] == "group.joined":
            held.setdefault((event["account_id"], event["group_id"]), moment_of(event))
        elif event["type"] in ENDS:
            for account, group in list(held):
                if event.get("account_id", account) == account and event.get("group_id", group) == group:
                    ended.append(Membership(account, group, held.pop((account, group)), moment_of(event)))
    return ended + [Membership(*who, begins, None) for who, begins in held.items()]


class Groups:
    """The groups of one organization, from its events."""

    def __init__(self, events: Iterable[Event]) -> None:
        events = in_order(events)
        self._memberships: dict[str, list[Membership]] = defaultdict(list)
        for membership in memberships(events):
            self._memberships[membership.account_id].append(membership)
        self._saved = [event for event in events if event["type"] == "group.saved"]

    def on(self, account: str, day: date) -> set[str]:
        """Return the groups that a person was in at any instant of a day."""
        return {each.group_id for each in self._memberships[account] if each.touches(day)}

    def cost_center(self, account: str, moment: datetime) -> str:
        """Return the cost centre of a person at a moment: of the groups that have one, that of the group joined first,
        then of the smallest id (docs/metrics.md, "FOCUS")."""
        centers = self._cost_centers(moment)
        mine = [each for each in self._memberships[account] if each.includes(moment) and centers.get(each.group_id)]
        first = min(mine, key=lambda each: (each.begins, each.group_id), default=None)
        return (centers[first.group_id] or "") if first else ""

    def _cost_centers(self, moment: datetime) -> dict[str, str | None]:
        begun = (event for event in self._saved if moment_of(event) <= moment)
        return {event["group_id"]: event.get("cost_center") for event in begun}
