"""Every metric recounted from an organization's events in plain Python, one after the other and in no hurry.

It reads events as they were sent and shares nothing with reports: what a metric means is written here a second time,
from docs/metrics.md. `Recount` methods that a wrong control overrides are as small as the mistake.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date, datetime
from functools import cached_property
from typing import Any

from tests.reference.metric_rules import ONE, code_sums, ranked
from tests.reference.model.activity import ACTIVE_USERS, active_in
from tests.reference.model.events import HOUR, Event, end_of, in_order, moment_of, once, start_of
from tests.reference.model.money import usd
from tests.reference.model.names import connector_key
from tests.reference.model.people import Person, person
from tests.reference.model.prices import Prices
from tests.reference.model.seats import pending_invites, seat_holders, seats_purchased
from tests.reference.model.terms import Charge, Terms, changes_of, charges
from tests.reference.model.usage import TOKENS, Usage, usage_in


class Recount:
    """One organization, as its events tell of it."""

    def __init__(self, events: Iterable[Event], organization_id: str, prices: Prices) -> None:
        everything = once(events)
        self.organization_id = organization_id
        self.prices = prices
        self.events = [event for event in everything if event.get("organization_id") == organization_id]
        self.profiles = [event for event in everything if event["type"] in ("profile.updated", "tombstone")]

    @cached_property
    def by_day(self) -> dict[tuple[date, str], list[Event]]:
        """What was done, by day and type."""
        days: dict[tuple[date, str], list[Event]] = defaultdict(list)
        for event in self.events:
            if "actor" in event:
                days[moment_of(event).date(), event["type"]].append(event)
        return days

    def within(self, first: date, last: date, *types: str) -> Iterator[Event]:
        """Events of the days from first to last, both included."""
        day = first
        while day <= last:
            for type_ in types:
                yield from self.by_day.get((day, type_), ())
            day += ONE

    def people(self, first: date, last: date, rule: Callable[[Event], bool], *types: str) -> set[str]:
        chosen = (event for event in self.within(first, last, *types) if rule(event))
        return {event["actor"]["id"] for event in chosen if event["actor"]["type"] == "user"}

    # -- active people, seats, invites ------------------------------------------------------------------------

    def active(self, first: date, last: date, products: Collection[str] = ACTIVE_USERS) -> set[str]:
        return self.people(first, last, lambda event: active_in(event) in products, "chat.message", "session.activity")

    @cached_property
    def directory(self) -> list[Event]:
        """The directory's events in order of time, and of the log where the time is the same."""
        return in_order(event for event in self.events if "actor" not in event)

    def count_active(self, first: date, last: date, products: Collection[str] = ACTIVE_USERS) -> int:
        return len(self.active(first, last, products))

    @cached_property
    def first_active(self) -> dict[str, date]:
        """The first day on which each person was active."""
        first: dict[str, date] = {}
        for day in sorted({day for day, _ in self.by_day}):
            first |= dict.fromkeys(self.active(day, day) - first.keys(), day)
        return first

    def active_days(self, first: date, last: date) -> tuple[int, ...]:
        length = (last - first).days + 1
        counts = Counter(who for n in range(length) for who in self.active(first + n * ONE, first + n * ONE))
        return tuple(sum(count == days for count in counts.values()) for days in range(1, length + 1))

    def lifecycle(self, first: date, last: date) -> tuple[int, int, int, int]:
        """(new, returning, resurrected, dormant)."""
        now, before = self.active(first, last), self.active(first - (last - first) - ONE, first - ONE)
        new = {who for who in now if self.first_active[who] >= first}
        return len(new), len(now & before), len(now - before - new), len(before - now)

    def retention(self, last: date, weeks: int) -> list[list[int]]:
        """For each week, of the people who were first active in it, how many were active in it and in later ones."""
        ends = [last - 7 * week * ONE for week in range(weeks - 1, -1, -1)]
        table = []
        for number, end in enumerate(ends):
            joined = {who for who, day in self.first_active.items() if end - 6 * ONE <= day <= end}
            table.append([len(joined & self.active(later - 6 * ONE, later)) for later in ends[number:]])
        return table

    def with_tokens(self, first: date, last: date) -> set[str]:
        return self.people(first, last, lambda event: any(event.get(name) for name in TOKENS), "token.used")

    def history(self, *types: str) -> list[Event]:
        return [event for event in self.directory if event["type"] in types]

    def as_of(self, day: date) -> datetime:
        return end_of(day)

    def seats(self, day: date) -> tuple[int, int | None]:
        """(held, purchased)."""
        moment = self.as_of(day)
        return len(seat_holders(self.directory, moment)), seats_purchased(self.directory, moment)

    def pending(self, day: date) -> int:
        return len(pending_invites(self.directory, self.as_of(day)))

    # -- what people use and make -----------------------------------------------------------------------------

    def connectors(self, first: date, last: date) -> list[tuple[str, int, int, int, int, int]]:
        """(name, people, calls, reads, writes, unclassified), the ten with the most people."""
        people: dict[str, set[str]] = defaultdict(set)
        calls: Counter[tuple[str, str]] = Counter()
        for event in self.within(first, last, "connector.called"):
            name = connector_key(event["name"])
            people[name] |= {event["actor"]["id"]} if event["actor"]["type"] == "user" else set()
            calls[name, event.get("access", "unclassified")] += 1
        rows = []
        for name, who in people.items():
            read, write, unclassified = (calls[name, access] for access in ("read", "write", "unclassified"))
            rows.append((name, len(who), read + write + unclassified, read, write, unclassified))
        return sorted(rows, key=lambda row: (-row[1], -row[2], row[0]))[:10]

    def made(self, first: date, last: date, type_: str, field: str) -> int:
        return len({event[field] for event in self.within(first, last, type_)})

    def with_chat(self, first: date, last: date) -> set[str]:
        return self.people(first, last, lambda _: True, "chat.started", "chat.message")

    def with_project(self, first: date, last: date) -> set[str]:
        return self.people(first, last, lambda _: True, "project.created", "project.used")

    def with_artifact(self, first: date, last: date) -> set[str]:
        return self.people(first, last, lambda _: True, "artifact.created")

    def top(self, first: date, last: date, type_: str, field: str) -> list[tuple[str, int]]:
        things: dict[str, set[str]] = defaultdict(set)
        for event in self.within(first, last, type_):
            if event["actor"]["type"] == "user":
                things[event["actor"]["id"]].add(event[field])
        return ranked({person: len(each) for person, each in things.items()})

    def code(self, first: date, last: date) -> tuple[int, ...]:
        """(people, sessions, lines accepted and removed, commits, pull requests, eight decisions)."""
        return len(self.active(first, last, ["claude_code"])), *code_sums(self.code_events(first, last))

    def code_events(self, first: date, last: date) -> list[Event]:
        events = self.within(first, last, "session.started", "session.activity")
        return [event for event in events if event.get("product") == "claude_code"]

    def coders(self, first: date, last: date) -> dict[str, tuple[int, ...]]:
        """The columns of `code` but the first, by person."""
        of: dict[str, list[Event]] = defaultdict(list)
        for event in self.code_events(first, last):
            if event["actor"]["type"] == "user":
                of[event["actor"]["id"]].append(event)
        return {person: code_sums(events) for person, events in of.items()}

    def top_coders(self, first: date, last: date, place: int) -> list[tuple[str, int]]:
        """People by one column of `code`, which is not the first."""
        return ranked({person: sums[place - 1] for person, sums in self.coders(first, last).items() if sums[place - 1]})

    # -- spend ------------------------------------------------------------------------------------------------

    @cached_property
    def terms(self) -> Terms:
        return Terms(changes_of(self.events))

    @cached_property
    def spent(self) -> list[tuple[date, Usage, int | None, int | None]]:
        """What is charged for each event: (day, usage, net, list price), in units."""
        charged = charges(usage_in(self.events, self.organization_id), self.terms, self.prices)
        return [(charge.used.at.date(), charge.used, *self.cost(charge)) for charge in charged]

    def cost(self, charge: Charge) -> tuple[int | None, int | None]:
        return charge.net, charge.listed

    def has_spend(self, first: date, last: date) -> bool:
        """Whether there is a spend report: something was spent, or any hour whose terms are known would be reported."""
        known = [change.effective_from for change in self.terms.changes if change.effective_from < end_of(last)]
        if not known or any(first <= day <= last for day, *_ in self.spent):
            return True
        hour = max(start_of(first), min(known))
        while hour < end_of(last):
            if self.terms.is_reported(self.organization_id, "extra_usage", hour):
                return True
            hour += HOUR
        return False

    def spend(self, first: date, last: date, key: Callable[[Usage], str]) -> dict[str, tuple[Any, ...]]:
        """For each key: (requests, prompt and completion tokens, priced net and list, models without a price)."""
        sums: dict[str, list[Any]] = {}
        for day, used, net, listed in self.spent:
            if first <= day <= last:
                row = sums.setdefault(key(used), [0, 0, 0, 0, 0, set()])
                counts = (used.requests, used.prompt_tokens, used.output_tokens, net or 0, listed or 0)
                row[:5] = [total + count for total, count in zip(row, counts, strict=False)]
                row[5] |= {used.model} if listed is None else set()
        return {name: (*row[:3], *map(usd, row[3:5]), tuple(sorted(row[5]))) for name, row in sums.items()}

    # -- who -----------------------------------------------------------------------------------------------------

    def name(self, account: str) -> Person:
        return person(self.directory, self.profiles, self.organization_id, account)
