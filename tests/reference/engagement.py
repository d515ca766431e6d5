"""A recount of the engagement lists and summaries, from the events."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cached_property
from itertools import product as product_of
from typing import Any

from tests.reference.event_metrics import PRODUCTS, active_in, named, touches
from tests.reference.model.activity import ACTIVE_USERS
from tests.reference.model.events import DAY, Event, counted_at, end_of, in_order, once
from tests.reference.model.groups import Groups
from tests.reference.model.names import connector_key
from tests.reference.model.seats import pending_invites, seat_holders
from tests.reference.model.terms import Terms, changes_of

WINDOWS = {"daily": 1, "weekly": 7, "monthly": 30}


class Tally:
    """One row: sums, and things that are counted once."""

    def __init__(self) -> None:
        self.sums: dict[str, int] = defaultdict(int)
        self.things: dict[str, set[str]] = defaultdict(set)
        self.people: set[str] = set()
        self.last: date | None = None

    def counts(self) -> dict[str, int]:
        return {**self.sums, **{name: len(things) for name, things in self.things.items()}}


class Recount:
    """What all lists should say, from the events alone."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.events = once(events)

    @cached_property
    def terms(self) -> Terms:
        """The terms of all organizations."""
        return Terms(changes_of(self.events))

    @cached_property
    def own(self) -> dict[str, list[Event]]:
        """The events of each organization, in order of time."""
        own: dict[str, list[Event]] = defaultdict(list)
        for event in in_order(self.events):
            own[event["organization_id"]].append(event)
        return own

    @cached_property
    def groups(self) -> dict[str, Groups]:
        """The groups of each organization."""
        return {organization: Groups(events) for organization, events in self.own.items()}

    def acts(self, organization: str, first: date, last: date) -> Iterator[tuple[Event, date]]:
        """What people did, with the day that it counts for."""
        for event in self.own[organization]:
            if event.get("actor", {}).get("type") == "user":
                day = counted_at(event).date()
                if first <= day <= last:
                    yield event, day

    def groups_on(self, organization: str, account: str, day: date) -> set[str]:
        """The groups that a person held at any instant of the day."""
        return self.groups[organization].on(account, day)

    def names(self, organization: str, kind: str, key: str) -> dict[str, Event]:
        """The latest saved state of each thing."""
        return {event[key]: event for event in self.own[organization] if event["type"] == kind}

    def connector_names(self, organization: str) -> dict[str, str]:
        """The display name that was saved last, by connector key."""
        saved = (event for event in self.own[organization] if event["type"] == "connector.saved")
        return {connector_key(event["name"]): event["display_name"] for event in saved}

    def group_name(self, organization: str, group: str) -> str | None:
        saved = self.names(organization, "group.saved", "group_id").get(group)
        return saved["name"] if saved and group not in self.names(organization, "group.deleted", "group_id") else None

    # -- users -----------------------------------------------------------------------------------------------

    def users(
        self, organization: str, first: date, last: date, *, users: Any = (), groups: Any = (), projects: Any = (),
        by_group: bool = False,
    ) -> dict[str, Tally]:  # fmt: skip
        """account, or group, to its row."""
        rows: dict[str, Tally] = defaultdict(Tally)
        for event, day in self.acts(organization, first, last):
            account = event["actor"]["id"]
            touched = touches(event, set(projects))
            if touched is None or (users and account not in users):
                continue
            held = self.groups_on(organization, account, day) if by_group or groups else set()
            held &= set(groups) or held
            subjects = held if by_group else ({account} if held or not groups else set())
            for subject in subjects:
                row = rows[subject]
                row.people.add(account)
                row.last = max(day, row.last or day)
                for name, amount in touched[0].items():
                    row.sums[name] += amount
                for name, thing in touched[1].items():
                    row.things[name].add(thing)
        return dict(rows)

    # -- summaries -------------------------------------------------------------------------------------------

    def summaries(self, organization: str, first: date, last: date, groups: Any = ()) -> list[dict[str, Any]]:
        """One a day, by the names of the response."""
        active: dict[tuple[str, date], set[str]] = defaultdict(set)
        for event, day in self.acts(organization, first - 30 * DAY, last):
            account = event["actor"]["id"]
            if groups and not self.groups_on(organization, account, day) & set(groups):
                continue
            product = active_in(event)
            if product:
                active[product, day].add(account)
                if product in ACTIVE_USERS:
                    active["", day].add(account)
        found = []
        for number in range((last - first).days + 1):
            day = first + number * DAY
            row: dict[str, Any] = {}
            for product in ("", *PRODUCTS):
                for window, width in WINDOWS.items():
                    people = set().union(*(active[product, day - back * DAY] for back in range(width)))
                    row[f"{product}_{window}_active_user_count".lstrip("_")] = len(people)
            if not groups:
                seats, invites = self.standing(organization, day)
                row |= {"assigned_seat_count": seats, "pending_invite_count": invites}
                for window in WINDOWS:
                    row[f"{window}_adoption_rate"] = row[f"{window}_active_user_count"] / seats * 100
            found.append(row)
        return found

    def standing(self, organization: str, day: date) -> tuple[int, int]:
        """Seats held and invitations pending at the day's end."""
        directory, moment = self.own[organization], end_of(day)
        return len(seat_holders(directory, moment)), len(pending_invites(directory, moment))

    # -- lists by name ---------------------------------------------------------------------------------------

    def listed(
        self, kind: str, organization: str, first: date, last: date, *, users: Any = (), groups: Any = (),
        products: Any = (), names: Any = (), by: Any = (),
    ) -> dict[tuple[str, str, str, str], dict[str, int]]:  # fmt: skip
        """(name, product, account, group) to counts, for connectors, skills, plugins, projects or artifacts.

        `names` are keys: the caller resolves spellings.
        """
        rows: dict[tuple[str, str, str, str], Tally] = defaultdict(Tally)
        for event, day in self.acts(organization, first, last):
            account, product = event["actor"]["id"], event.get("product") or "chat"
            if (users and account not in users) or (products and product not in products):
                continue
            held = self.groups_on(organization, account, day) if groups or "rbac_group_id" in by else {""}
            held &= set(groups) or held
            shown = (held if "rbac_group_id" in by else {""}) if held else set()
            for (name, sums, things), group in product_of(named(kind, event, self.befell), shown):
                if names and name not in names:
                    continue
                row = rows[
                    name, product if "product" in by else "", account if "user_id" in by else "", group
                ]  # fmt: skip
                for counter, amount in sums.items():
                    row.sums[counter] += amount
                for counter, thing in things.items():
                    row.things[counter].add(thing)
        return {key: row.counts() for key, row in rows.items()}

    @cached_property
    def befell(self) -> dict[str, set[str]]:
        """artifact to what befell it: shared, published."""
        found: dict[str, set[str]] = defaultdict(set)
        for event in self.events:
            if event["type"] in ("artifact.shared", "artifact.published"):
                found[event["artifact_id"]].add(event["type"].split(".")[1])
        return found
